/* SPDX-License-Identifier: MIT */
/*
 * The statements of the language, one function each. The table in verbs.c assigns them to their
 * names.
 */
#ifndef BELAY_CLI_PLAYER_STATEMENTS_H
#define BELAY_CLI_PLAYER_STATEMENTS_H

#include "player.h"

typedef int play_fn(struct frame *frame, const struct statement *statement);

/* control.c */
play_fn play_log, play_busy, play_return, play_raise, play_raise_error, play_raise_cancelled,
        play_repeat, play_try, play_interrupt;

/* tasks.c */
play_fn play_sleep, play_spawn, play_spawn_eager, play_start, play_start_eager, play_start_in,
        play_cancel, play_uncancel, play_cancelling, play_force_cancel, play_state, play_await,
        play_shield;

/* many.c */
play_fn play_wait, play_gather_raise, play_gather_results, play_as_completed;

/* scopes.c */
play_fn play_timeout, play_reschedule, play_expired, play_wait_for, play_group, play_cancel_group;

/* callbacks.c */
play_fn play_on_done, play_off_done, play_soon, play_later, play_cancel_timer;

/* objects.c */
play_fn play_with, play_acquire, play_release, play_wait_event, play_set, play_clear,
        play_wait_cond, play_wait_cond_until, play_notify, play_barrier_wait, play_barrier_index,
        play_abort, play_reset, play_await_future, play_set_result, play_set_error,
        play_cancel_future;

/* queues.c */
play_fn play_put, play_get, play_try_put, play_try_get, play_task_done, play_join, play_shutdown;

#endif
