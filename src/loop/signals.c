/* SPDX-License-Identifier: MIT */
/*
 * SIGINT and SIGTERM cancel the main task.
 *
 * One loop of the process has them while it runs, and only if their action was the default one: a program that handles
 * them itself goes on doing so. The first signal puts the default action back, so that a second one ends a program whose
 * clean-up hangs.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/run.h"
#include "core/inbox.h"

static const int signals[] = { SIGINT, SIGTERM };

/* Owns the signals while they are given back: nobody else may take them, and nobody may be told of one. */
static struct belay_loop nobody;

static _Atomic(struct belay_loop *) owner;
static atomic_int received;
static atomic_int handling;

static void put_back(void);

/*
 * May run on any thread, hence beside the owner's giving back: the count keeps the loop alive for as long as it is
 * looked at here.
 */
static void on_signal(int signal) {
        struct belay_loop *loop;
        int saved = errno;

        atomic_fetch_add(&handling, 1);
        loop = atomic_load(&owner);
        if (loop != NULL && loop != &nobody) {
                atomic_store(&received, signal);
                bly_inbox_wake(loop->inbox);
        } else {
                /* No loop has it: the sender gets the default action, even if somebody kept this handler and set it again. */
                put_back();
                raise(signal);
        }
        atomic_fetch_sub(&handling, 1);
        errno = saved;
}

static void put_back(void) {
        struct sigaction now;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == on_signal) {
                        now = (struct sigaction) { .sa_handler = SIG_DFL };
                        sigaction(signals[i], &now, NULL);
                }
}

/* One that came too late to cancel main is not forgotten: who asks the loop is told of it. */
static void note(struct belay_loop *loop) {
        int signal = atomic_exchange(&received, 0);

        if (signal != 0 && loop->signal == 0)
                loop->signal = signal;
}

void bly_signals_take(struct belay_loop *loop) {
        struct sigaction now, ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
        struct belay_loop *free = NULL;

        if (!loop->wants_signals || !atomic_compare_exchange_strong(&owner, &free, loop))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigaction(signals[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
                        if (sigaction(signals[i], &ours, NULL) == 0)
                                loop->takes_signals = true;
        if (!loop->takes_signals)
                atomic_store(&owner, NULL);
}

void bly_signals_give_back(struct belay_loop *loop) {
        if (!loop->takes_signals)
                return;
        put_back();
        loop->takes_signals = false;
        atomic_store(&owner, &nobody);
        while (atomic_load(&handling) > 0)
                sched_yield();
        note(loop);
        atomic_store(&owner, NULL);
}

void bly_signals_attend(struct belay_loop *loop) {
        int signal = loop->takes_signals ? atomic_load(&received) : 0;

        if (signal == 0)
                return;
        put_back();
        bly_interrupt(loop, BELAY_ORIGIN_SIGNAL, signal, NULL);
        note(loop);
}
