/* SPDX-License-Identifier: MIT */
/*
 * SIGINT and SIGTERM: the first cancels main, and the second has its default action. Handlers of
 * the program are left alone, and afterwards all signals are as they were before. Each test runs in
 * a process of its own.
 */
#include <pthread.h>

#include "../base/help.h"

static int returns_zero(void *arg) {
        (void) arg;
        return 0;
}

static bool is_default(int signal) {
        struct sigaction now;

        CHECK_EQ(sigaction(signal, NULL, &now), 0);
        return now.sa_handler == SIG_DFL;
}

/* ---- the first signal ---- */

static int killed_asleep(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        int signal = *(int *) arg;
        struct sigaction now;

        CHECK(!is_default(SIGINT) && !is_default(SIGTERM));
        /* System calls of the program go on, and a task's stack need not have room. */
        CHECK_EQ(sigaction(signal, NULL, &now), 0);
        CHECK(now.sa_flags & SA_RESTART);
        CHECK(now.sa_flags & SA_ONSTACK);
        kill(getpid(), signal);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        CHECK(belay_origin_of(belay_self(), &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_SIGNAL);
        CHECK_EQ(origin.signal, signal);
        CHECK_EQ(origin.task, 0);
        CHECK(origin.place == NULL && origin.name == NULL);
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        CHECK_EQ(belay_loop_signal(belay_loop_self()), signal);
        CHECK(is_default(SIGINT) && is_default(SIGTERM)); /* for the second signal */
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);      /* cleanup */
        return -ECANCELED;
}

static int first(void *arg) {
        belay_loop *loop;
        int outcome;

        CHECK_EQ(belay_run(killed_asleep, arg), -EINTR);
        CHECK(is_default(SIGINT) && is_default(SIGTERM));
        /* The same in the next run of the same loop, and of another loop. */
        loop = belay_loop_new(NULL);
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_loop_run(loop, killed_asleep, arg, &outcome), -EINTR);
                CHECK_EQ(outcome, -ECANCELED);
                CHECK_EQ(belay_loop_signal(loop), *(int *) arg);
        }
        CHECK_EQ(belay_loop_run(loop, returns_zero, NULL, &outcome), 0);
        CHECK_EQ(belay_loop_signal(loop), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        return 0;
}

/*
 * The signal comes from outside while there is nothing else to wait for. That must not be reported
 * as a deadlock.
 */
static pid_t sender;

static int sleeps_for_ever(void *arg) {
        pid_t target = getpid();

        (void) arg;
        sender = fork();
        if (sender == 0) {
                usleep(50000);
                kill(target, SIGINT);
                _exit(0);
        }
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        return -ECANCELED;
}

static int from_outside(void *arg) {
        (void) arg;
        keep_lines();
        CHECK_EQ(belay_run(sleeps_for_ever, NULL), -EINTR);
        CHECK_EQ(waitpid(sender, NULL, 0), sender);
        CHECK_LINES(0, "deadlock: ");
        return 0;
}

/* The request is forwarded to the task that main awaits. Other tasks are left to the shutdown. */
static int sleeper(void *arg) {
        int rc = belay_sleep(BELAY_MINUTE);

        *(int *) arg = rc;
        return rc;
}

static int awaited, other;

static int awaits(void *arg) {
        belay_task *task = must(belay_spawn(sleeper, &awaited));
        int rc;

        (void) arg;
        belay_release(must(belay_spawn(sleeper, &other)));
        CHECK_EQ(belay_yield(), 0);
        kill(getpid(), SIGTERM);
        rc = belay_await(task, NULL);
        CHECK_EQ(awaited, -ECANCELED);
        CHECK_EQ(other, 0);
        belay_release(task);
        return rc;
}

static int passed_on(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run(awaits, NULL), -EINTR);
        CHECK_EQ(other, -ECANCELED);
        return 0;
}

/* Main handles the request and goes on. */
static int handles_it(void *arg) {
        (void) arg;
        kill(getpid(), SIGINT);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        return 12;
}

static int handled(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run(handles_it, NULL), 12);
        return 0;
}

/* ---- in the shutdown ---- */

static bool cleaned_up;

/*
 * Main has ended. The first signal has no further effect, since the shutdown is already under way.
 */
static int signalled_in_cleanup(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        for (int i = 0; i < *(int *) arg; i++) {
                kill(getpid(), SIGINT);
                CHECK_EQ(belay_sleep(5 * BELAY_MILLISECOND), 0);
        }
        cleaned_up = true;
        return -ECANCELED;
}

static int leaves_it(void *arg) {
        belay_release(must(belay_spawn(signalled_in_cleanup, arg)));
        CHECK_EQ(belay_yield(), 0);
        return 3;
}

static int in_shutdown(void *arg) {
        CHECK_EQ(belay_run(leaves_it, arg), 3);
        CHECK(cleaned_up);
        CHECK(is_default(SIGINT) && is_default(SIGTERM));
        return 0;
}

/* ---- the second signal ---- */

static int hangs_in_cleanup(void *arg) {
        (void) arg;
        kill(getpid(), SIGINT);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        fprintf(stderr, "cleaning up\n");
        kill(getpid(), SIGINT);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        return 0;
}

static int second(void *arg) {
        (void) arg;
        return belay_run(hangs_in_cleanup, NULL) == 0 ? 3 : 4;
}

/* ---- handlers of the program ---- */

static volatile sig_atomic_t own_calls;

static void own_handler(int signal) {
        (void) signal;
        own_calls++;
}

static int kills_itself(void *arg) {
        (void) arg;
        kill(getpid(), SIGINT);
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        CHECK_EQ(own_calls, 1);
        CHECK(!is_default(SIGTERM)); /* SIGTERM had its default action, so the loop handles it */
        kill(getpid(), SIGTERM);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        return -ECANCELED;
}

static int own(void *arg) {
        struct sigaction action = { .sa_handler = own_handler }, now;

        (void) arg;
        CHECK_EQ(sigaction(SIGINT, &action, NULL), 0);
        CHECK_EQ(belay_run(kills_itself, NULL), -EINTR);
        CHECK_EQ(sigaction(SIGINT, NULL, &now), 0);
        CHECK(now.sa_handler == own_handler);
        CHECK(is_default(SIGTERM));
        return 0;
}

/* Ignored signals stay ignored, as under nohup. */
static int kills_in_vain(void *arg) {
        (void) arg;
        kill(getpid(), SIGINT);
        kill(getpid(), SIGTERM);
        return belay_sleep(20 * BELAY_MILLISECOND);
}

static int ignored(void *arg) {
        (void) arg;
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        CHECK_EQ(belay_run(kills_in_vain, NULL), 0);
        CHECK(!is_default(SIGINT) && !is_default(SIGTERM));
        return 0;
}

/* A handler that the program installs while the loop runs stays in place, too. */
static int takes_it_over(void *arg) {
        struct sigaction action = { .sa_handler = own_handler };

        (void) arg;
        own_calls = 0;
        CHECK_EQ(sigaction(SIGINT, &action, NULL), 0);
        kill(getpid(), SIGINT);
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        CHECK_EQ(own_calls, 1);
        return 0;
}

static int taken_over(void *arg) {
        struct sigaction now;

        (void) arg;
        CHECK_EQ(belay_run(takes_it_over, NULL), 0);
        CHECK_EQ(sigaction(SIGINT, NULL, &now), 0);
        CHECK(now.sa_handler == own_handler);
        CHECK(is_default(SIGTERM));
        return 0;
}

static int looks_at_actions(void *arg) {
        CHECK_EQ(is_default(SIGINT), *(bool *) arg);
        CHECK_EQ(is_default(SIGTERM), *(bool *) arg);
        if (*(bool *) arg)
                kill(getpid(), SIGTERM);
        return 0;
}

static int left_alone(void *arg) {
        bool yes = true;

        (void) arg;
        return belay_run_with(looks_at_actions, &yes,
                              BELAY_OPTIONS(belay_loop_options, .no_signals = true))
                               == 0
                       ? 3
                       : 4;
}

/* A loop that handles no signal does not keep the next loop from it. */
static int takes_none(void *arg) {
        (void) arg;
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        CHECK_EQ(belay_run(kills_in_vain, NULL), 0);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        CHECK_EQ(belay_run(killed_asleep, &(int) { SIGINT }), -EINTR);
        return 0;
}

/* If SA_SIGINFO is set, sa_handler says nothing about the action, so it stays in place. */
static int looks_at_one(void *arg) {
        CHECK(is_default(SIGINT) && !is_default(SIGTERM));
        (void) arg;
        return 0;
}

static int with_siginfo(void *arg) {
        struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_SIGINFO };

        (void) arg;
        CHECK_EQ(sigaction(SIGINT, &action, NULL), 0);
        CHECK_EQ(belay_run(looks_at_one, NULL), 0);
        return 0;
}

/* The program installs the loop's handler again after the run. The signal then ends the program. */
static int keeps_action(void *arg) {
        CHECK_EQ(sigaction(SIGTERM, NULL, arg), 0);
        return 0;
}

static int installed_again(void *arg) {
        struct sigaction action;

        (void) arg;
        CHECK_EQ(belay_run(keeps_action, &action), 0);
        CHECK_EQ(sigaction(SIGTERM, &action, NULL), 0);
        kill(getpid(), SIGTERM);
        return 0;
}

/* ---- no other signal, and no signal mask ---- */

static sigset_t mask_before;
static struct sigaction actions_before[65];

static void compare_with_before(void) {
        sigset_t mask;
        struct sigaction now;

        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
        for (int i = 1; i < 65; i++)
                CHECK_EQ(sigismember(&mask, i), sigismember(&mask_before, i));
        for (int i = 1; i < 65; i++)
                if (i != SIGINT && i != SIGTERM && i != SIGSEGV && i != SIGBUS
                    && sigaction(i, NULL, &now) == 0)
                        CHECK(now.sa_handler == actions_before[i].sa_handler);
}

static int compares(void *arg) {
        (void) arg;
        compare_with_before();
        return 0;
}

static int nothing_else(void *arg) {
        (void) arg;
        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask_before), 0);
        for (int i = 1; i < 65; i++)
                sigaction(i, NULL, &actions_before[i]);
        CHECK_EQ(belay_run(compares, NULL), 0);
        compare_with_before();
        return 0;
}

/* ---- several loops ---- */

static pthread_barrier_t barrier;

static int second_loop(void *arg) {
        (void) arg;
        /* The first loop handles the signals. This loop goes on undisturbed. */
        pthread_barrier_wait(&barrier);
        kill(getpid(), SIGTERM);
        pthread_barrier_wait(&barrier);
        return belay_sleep(20 * BELAY_MILLISECOND);
}

static void *run_second(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run(second_loop, NULL), 0);
        return NULL;
}

static int first_loop(void *arg) {
        pthread_t thread;

        (void) arg;
        CHECK_EQ(pthread_create(&thread, NULL, run_second, NULL), 0);
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), -ECANCELED);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        return -ECANCELED;
}

static int two_loops(void *arg) {
        (void) arg;
        CHECK_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
        CHECK_EQ(belay_run(first_loop, NULL), -EINTR);
        CHECK(is_default(SIGINT) && is_default(SIGTERM));
        return 0;
}

/* A loop that handled signals before does not take them from the loop that handles them now. */
static int handles_now(void *arg) {
        (void) arg;
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        CHECK(!is_default(SIGINT) && !is_default(SIGTERM));
        return 0;
}

static void *run_handler(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run(handles_now, NULL), 0);
        return NULL;
}

static int handled_before(void *arg) {
        belay_loop *loop = belay_loop_new(NULL);
        pthread_t thread;

        (void) arg;
        CHECK_EQ(belay_loop_run(loop, returns_zero, NULL, NULL), 0);
        CHECK_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
        CHECK_EQ(pthread_create(&thread, NULL, run_handler, NULL), 0);
        pthread_barrier_wait(&barrier);
        CHECK_EQ(belay_loop_run(loop, returns_zero, NULL, NULL), 0);
        pthread_barrier_wait(&barrier);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        return 0;
}

int main(void) {
        int signals[] = { SIGINT, SIGTERM };
        belay_fn *quiet[] = { from_outside, passed_on,    handled,       own,
                              ignored,      taken_over,   nothing_else,  two_loops,
                              takes_none,   with_siginfo, handled_before };
        struct child child;

        for (size_t i = 0; i < 2; i++) {
                in_child(&child, first, &signals[i]);
                CHECK_CHILD(&child, 0);
                CHECK_STR(child.text, "");
        }
        for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
                in_child(&child, quiet[i], NULL);
                CHECK_CHILD(&child, 0);
                CHECK_STR(child.text, "");
        }
        in_child(&child, in_shutdown, &(int) { 1 });
        CHECK_CHILD(&child, 0);
        in_child(&child, in_shutdown, &(int) { 2 });
        CHECK(WIFSIGNALED(child.status));
        CHECK_EQ(WTERMSIG(child.status), SIGINT);
        in_child(&child, second, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK_EQ(WTERMSIG(child.status), SIGINT);
        CHECK_STR(child.text, "cleaning up\n");
        /* Valgrind goes on to use a signal stack that was removed. */
        if (!is_checked()) {
                in_child(&child, installed_again, NULL);
                CHECK(WIFSIGNALED(child.status));
                CHECK_EQ(WTERMSIG(child.status), SIGTERM);
        }
        in_child(&child, left_alone, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK_EQ(WTERMSIG(child.status), SIGTERM);
        return 0;
}
