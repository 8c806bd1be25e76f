/* SPDX-License-Identifier: MIT */
/*
 * Cancels a program at each of its waits, one wait a run, and checks that the program cleans up.
 *
 * The loop calls on_wait() when a wait begins, before its task is suspended. Everything that can
 * end the wait is in place then, so a request can end it at once. The timeout and the late request
 * come through the ready queue. They come before the task runs again, even if something else has
 * ended the wait meanwhile.
 */
#include <stdio.h>

#include "cancel/task_line.h"
#include "loop/run.h"
#include "scope/scope.h"
#include "testing/balance.h"

#include <belay/testing.h>

enum kind {
        UNDISTURBED,
        REQUEST,
        TIME_LIMIT,
        TWO_REQUESTS,
};

static const char *const kind_names[] = {
        [UNDISTURBED] = "undisturbed",
        [REQUEST] = "a request",
        [TIME_LIMIT] = "a timeout",
        [TWO_REQUESTS] = "a request, and one more after its delivery",
};

/*
 * Bounds on the waits of a run. STEPS_MOST bounds the undisturbed run. Any other run may have 10
 * times the waits of the undisturbed run and STEPS_MORE, counted again from the cancellation on.
 */
enum { STEPS_MOST = 1000000, STEPS_MORE = 10000 };

struct everywhere {
        belay_fn *fn;
        void *arg;
        belay_everywhere_options options;
        unsigned waits;      /* waits of the undisturbed run that .main_only admits */
        unsigned long steps; /* waits of the undisturbed run, of all tasks */
        unsigned runs;
        /* Waits not cancelled in all three ways, the first of them, and the runs that missed. */
        unsigned missed_waits, first_missed, missed_runs;
        int complaints;
};

struct run {
        struct everywhere *all;
        enum kind kind;
        unsigned target;           /* number of the wait to cancel, from 1 */
        unsigned waits;            /* waits begun that .main_only admits */
        unsigned long steps, most; /* waits begun of all tasks, and their bound */
        belay_time deadline;       /* virtual instant by which the run must end */
        belay_timeout *limit;      /* timeout around fn, NULL if it is not in force */
        belay_task *late;          /* reference to the target of a late request, or NULL */
        uint64_t asked;            /* id of the task that gets a second request, or 0 */
        bool closing, stopped;     /* main has ended; the run went on for too long */
        bool cancelled;            /* the target wait came and was cancelled */
        char where[512];
        struct bly_balance before, after;
};

/* ---- complaints ---- */

static void complain(struct run *run, const char *what) {
        run->all->complaints++;
        bly_log(BELAY_LOG_ERROR, "everywhere: %s%s: %s", run->where, kind_names[run->kind], what);
}

static void note_where(struct run *run, const belay_task *task) {
        const struct bly_wait *wait = task->wait;
        const char *on = wait != NULL && wait->class->on != NULL ? wait->class->on(wait) : NULL;
        char label[32];

        snprintf(run->where, sizeof(run->where), "%s, %s%s%s, task %s, wait %u of %u; ",
                 bly_place_text(task->place), wait != NULL ? wait->class->what : "yield",
                 on != NULL ? " of " : "", on != NULL ? on : "", bly_task_label(task, label),
                 run->target, run->all->waits);
}

/* Stops a run that does not end, and complains. The loop stops as soon as it can. */
static void stop(struct run *run, struct belay_loop *loop, const char *why) {
        if (run->closing)
                loop->limit_met = true;
        else
                loop->stop = true;
        if (run->stopped)
                return;
        run->stopped = true;
        complain(run, why);
        for (const belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (!bly_is_future(task) && !bly_is_done(task))
                        bly_log_task(BELAY_LOG_ERROR, "  still there: ", task);
}

static void have_patience(struct run *run, const struct belay_loop *loop) {
        run->deadline = bly_add_time(loop->now, run->all->options.patience);
}

/* ---- cancelling ---- */

static void ask(belay_task *task, const char *reason) {
        struct bly_request request = {
                .kind = BELAY_ORIGIN_TEST,
                .place = "belay_everywhere()",
                .reason = reason,
        };

        bly_request_cancel(task, &request);
}

static void ask_late(void *arg) {
        struct run *run = arg;
        belay_task *task = run->late;

        run->late = NULL;
        ask(task, "cancelled everywhere, late");
        bly_record_unref(task);
}

static void cancel(struct run *run, struct belay_loop *loop, belay_task *task) {
        note_where(run, task);
        run->most = run->steps + 10 * run->all->steps + STEPS_MORE;
        have_patience(run, loop);
        run->cancelled = run->kind != TIME_LIMIT || run->limit != NULL;
        switch (run->kind) {
        case UNDISTURBED:
                break;
        case REQUEST:
                ask(task, "cancelled everywhere");
                break;
        case TIME_LIMIT:
                /* The timeout expires through the ready queue. */
                if (run->limit != NULL)
                        belay_timeout_reschedule(run->limit, 0);
                break;
        case TWO_REQUESTS:
                if (bly_callback_soon(loop, ask_late, run) == 0)
                        break;
                run->late = bly_record_ref(task);
                run->asked = task->id;
                break;
        }
}

/* Has the first request been delivered, to the task itself or to a task that it awaited? */
static bool is_ripe(const struct run *run, const belay_task *task) {
        return task->id == run->asked && run->late == NULL && !task->node.must_cancel
               && !(task->node.flags & BLY_TASK_HELD);
}

static void on_wait(struct belay_loop *loop, belay_task *task) {
        struct run *run = loop->on_wait_context;

        if (++run->steps > run->most)
                stop(run, loop, "it waits again and again, and does not end:");
        if (run->stopped)
                return;
        if (is_ripe(run, task)) {
                size_t length = strlen(run->where);

                run->asked = 0;
                snprintf(run->where + length, sizeof(run->where) - length, "(again at %s) ",
                         bly_place_text(task->place));
                ask(task, "cancelled everywhere again");
        }
        if ((!run->all->options.main_only || task == loop->main) && ++run->waits == run->target)
                cancel(run, loop, task);
}

static void on_idle(struct belay_loop *loop) {
        struct run *run = loop->on_wait_context;
        belay_time first = bly_timers_first(loop);

        if (first != BELAY_NEVER && first > run->deadline && !bly_holds_time(loop))
                stop(run, loop, "it did not end in time:");
        else
                bly_idle(loop);
}

static void on_deadlock(struct belay_loop *loop) {
        stop(loop->on_wait_context, loop,
             "it does not end, nothing is left that could wake anybody:");
}

/* ---- running ---- */

static int run_main(void *arg) {
        struct run *run = arg;
        belay_timeout limit;
        int rc;

        if (run->kind != TIME_LIMIT)
                return run->all->fn(run->all->arg);
        rc = belay_timeout_enter_placed("belay_everywhere()", &limit, BELAY_NEVER);
        if (rc < 0)
                return rc;
        run->limit = &limit;
        rc = run->all->fn(run->all->arg);
        run->limit = NULL;
        return belay_timeout_leave_placed("belay_everywhere()", &limit, rc);
}

/*
 * Runs main in a loop of its own. Returns 0 with the outcome of main, or a negative errno if there
 * is no loop.
 */
static int run_loop(struct run *run, int *outcome) {
        static const belay_loop_options loop_options = {
                .size = sizeof(loop_options),
                .clock = BELAY_CLOCK_VIRTUAL,
                .no_signals = true,
        };
        belay_loop *loop = belay_loop_new(&loop_options);
        int rc;

        if (loop == NULL)
                return -errno;
        loop->idle = on_idle;
        loop->on_wait = on_wait;
        loop->on_wait_context = run;
        loop->on_deadlock = on_deadlock;
        have_patience(run, loop);
        run->most = run->kind == UNDISTURBED ? STEPS_MOST : 10 * run->all->steps + STEPS_MORE;
        rc = belay_loop_run_placed("belay_everywhere()", loop, run_main, run, outcome);
        /* A retrieved failure is not logged. Whether main may fail is for .check to decide. */
        (void) belay_loop_failure(loop);
        run->closing = true;
        if (run->stopped) {
                /* The shutdown gets patience and steps of its own to end the tasks. */
                have_patience(run, loop);
                run->most = run->steps + STEPS_MORE;
        }
        belay_loop_close(loop);
        if (run->late != NULL)
                bly_record_unref(run->late);
        if (rc == -EINTR) {
                /* belay_interrupt() ended main, and the code is the outcome, as in belay_run(). */
                *outcome = rc;
                rc = 0;
        }
        return rc;
}

/* Makes one run. Returns 0, also after complaints, or a negative errno. */
static int run_once(struct run *run, bool again) {
        const belay_everywhere_options *options = &run->all->options;
        int rc, outcome = 0, verdict;
        char line[96];

        run->all->runs++;
        bly_balance_take(&run->before);
        if (options->reset != NULL)
                options->reset(run->all->arg);
        rc = run_loop(run, &outcome);
        if (rc < 0)
                return rc;
        verdict = options->check != NULL && !run->stopped ? options->check(run->all->arg, outcome)
                                                          : 0;
        bly_balance_take(&run->after);
        if (verdict != 0 && !again) {
                snprintf(line, sizeof(line), "the check of outcome %d says %d", outcome, verdict);
                complain(run, line);
        }
        return 0;
}

static int run_and_compare(struct run *run) {
        struct run again = { .all = run->all, .kind = run->kind, .target = run->target };
        unsigned cursor = 0;
        char line[512];
        int rc = run_once(run, false);

        /* A run that was stopped leaves abandoned tasks, which give nothing back. */
        if (rc < 0 || run->stopped || !bly_balance_tilted(&run->before, &run->after))
                return rc;
        rc = run_once(&again, true);
        if (rc < 0 || again.stopped)
                return rc;
        while (bly_balance_next(&again.before, &again.after, &cursor, line, sizeof(line)))
                complain(&again, line);
        return 0;
}

static unsigned last_wait(const struct everywhere *all) {
        unsigned most = all->options.most;

        return most > 0 && most < all->waits ? most : all->waits;
}

static int run_three(struct everywhere *all, unsigned target) {
        unsigned missed = 0;
        int rc = 0;

        for (int kind = REQUEST; rc == 0 && kind <= TWO_REQUESTS; kind++) {
                struct run run = { .all = all, .kind = (enum kind) kind, .target = target };

                rc = run_and_compare(&run);
                missed += !run.cancelled;
        }
        if (rc == 0 && missed > 0 && all->missed_waits++ == 0)
                all->first_missed = target;
        all->missed_runs += missed;
        return rc;
}

static int run_all(struct everywhere *all) {
        struct run first = { .all = all };
        int rc = run_and_compare(&first);

        all->waits = first.waits;
        all->steps = first.steps;
        for (unsigned target = 1; rc == 0 && target <= last_wait(all); target++)
                rc = run_three(all, target);
        return rc;
}

/*
 * Reports how many waits were not cancelled, and returns that number. The absence of complaints
 * says nothing about these waits.
 */
static unsigned say_what_was_not_tested(const struct everywhere *all) {
        unsigned beyond = all->waits - last_wait(all);
        unsigned long others = all->options.main_only ? all->steps - all->waits : 0;

        if (all->missed_waits > 0)
                bly_log(BELAY_LOG_NOTICE,
                        "everywhere: %u of %u waits were not cancelled in each of the three "
                        "ways, the first of"
                        " them is wait %u: in %u runs the wait did not come again, "
                        "or the limit's fn was over",
                        all->missed_waits, all->waits, all->first_missed, all->missed_runs);
        if (others > 0)
                bly_log(BELAY_LOG_NOTICE,
                        "everywhere: %lu waits of other tasks than main were not cancelled "
                        "(.main_only)",
                        others);
        if (beyond > 0)
                bly_log(BELAY_LOG_NOTICE,
                        "everywhere: %u waits after the first %u were not cancelled (.most)",
                        beyond, last_wait(all));
        return all->missed_waits + beyond + (unsigned) others;
}

int belay_everywhere(belay_fn *fn, void *arg, const belay_everywhere_options *options) {
        struct everywhere all = { .fn = fn, .arg = arg };
        unsigned untested;
        int rc, counted;

        if (bly_loop != NULL)
                return -EBUSY;
        bly_options(&all.options, sizeof(all.options), options);
        if (all.options.patience <= 0)
                all.options.patience = BELAY_HOUR;
        rc = bly_balance_begin();
        if (rc < 0)
                return rc;
        rc = run_all(&all);
        counted = bly_balance_end();
        if (all.options.waits != NULL)
                *all.options.waits = all.waits;
        if (all.options.runs != NULL)
                *all.options.runs = all.runs;
        if (rc < 0 || counted < 0)
                return rc < 0 ? rc : counted;
        untested = say_what_was_not_tested(&all);
        if (all.options.untested != NULL)
                *all.options.untested = untested;
        return all.complaints;
}
