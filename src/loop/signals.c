/* SPDX-License-Identifier: MIT */
/*
 * SIGINT and SIGTERM cancel the main task.
 *
 * One loop of the process handles them while it runs, and only those whose action was the default.
 * A program that handles them itself keeps its handlers. The first signal restores the default
 * actions, so that a second signal ends a program whose cleanup hangs.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "loop/run.h"

static const int signals[] = { SIGINT, SIGTERM };

/*
 * The owner while a loop gives the signals back. No other loop can take them meanwhile, and the
 * handler lets a signal have its default action.
 */
static struct belay_loop nobody;

static _Atomic(struct belay_loop *) owner;
static atomic_int received;
static atomic_int handling;

static void put_back(void);

/*
 * The handler may run in any thread, and so concurrently with bly_signals_give_back() in the
 * owner's. That function waits until `handling` is 0, so the loop lives as long as the handler uses
 * it.
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
                /*
                 * No loop owns the signal. It gets the default action, even if the program has
                 * reinstalled this handler.
                 */
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

/* Keeps a signal that came too late to cancel main, so that belay_loop_signal() returns it. */
static void note(struct belay_loop *loop) {
        int signal = atomic_exchange(&received, 0);

        if (signal != 0 && loop->signal == 0)
                loop->signal = signal;
}

void bly_signals_take(struct belay_loop *loop) {
        struct sigaction now,
                ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
        struct belay_loop *free = NULL;

        if (!loop->wants_signals || !atomic_compare_exchange_strong(&owner, &free, loop))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigaction(signals[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO)
                    && now.sa_handler == SIG_DFL)
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
