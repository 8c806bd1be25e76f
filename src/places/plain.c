/* SPDX-License-Identifier: MIT */
/*
 * The functions that note their place, without one: what a function pointer or a caller without the masks of
 * <belay/places.h> gets.
 */
#define BELAY_NO_PLACES
#include <belay.h>

/* task.h */
belay_task *belay_spawn(belay_fn *fn, void *arg) {
        return belay_spawn_placed(NULL, fn, arg);
}

belay_task *belay_spawn_with(belay_fn *fn, void *arg, const belay_spawn_options *options) {
        return belay_spawn_with_placed(NULL, fn, arg, options);
}

belay_future *belay_future_new(void) {
        return belay_future_new_placed(NULL);
}

int belay_result(belay_task *task) {
        return belay_result_placed(NULL, task);
}

const belay_failure *belay_failure_of(belay_task *task) {
        return belay_failure_of_placed(NULL, task);
}

int belay_await(belay_task *task, int *outcome) {
        return belay_await_placed(NULL, task, outcome);
}

int belay_join(belay_task *task, int *outcome) {
        return belay_join_placed(NULL, task, outcome);
}

int belay_shield(belay_task *task, int *outcome) {
        return belay_shield_placed(NULL, task, outcome);
}

int belay_sleep(belay_time span) {
        return belay_sleep_placed(NULL, span);
}

int belay_sleep_until(belay_time instant) {
        return belay_sleep_until_placed(NULL, instant);
}

int belay_yield(void) {
        return belay_yield_placed(NULL);
}

int belay_checkpoint(void) {
        return belay_checkpoint_placed(NULL);
}

/* cancel.h */
bool belay_cancel(belay_task *task, const char *reason) {
        return belay_cancel_placed(NULL, task, reason);
}

int belay_force_cancel(belay_task *task, int tries, belay_time interval) {
        return belay_force_cancel_placed(NULL, task, tries, interval);
}

int belay_cancel_wait(belay_task *task, const char *reason, belay_time limit, int *outcome) {
        return belay_cancel_wait_placed(NULL, task, reason, limit, outcome);
}

int belay_interrupt(belay_loop *loop) {
        return belay_interrupt_placed(NULL, loop);
}

/* scope.h */
int belay_timeout_enter(belay_timeout *timeout, belay_time span) {
        return belay_timeout_enter_placed(NULL, timeout, span);
}

int belay_timeout_enter_until(belay_timeout *timeout, belay_time instant) {
        return belay_timeout_enter_until_placed(NULL, timeout, instant);
}

int belay_timeout_leave(belay_timeout *timeout, int rc) {
        return belay_timeout_leave_placed(NULL, timeout, rc);
}

int belay_wait_for(belay_fn *fn, void *arg, belay_time span) {
        return belay_wait_for_placed(NULL, fn, arg, span);
}

int belay_await_for(belay_task *task, belay_time span, int *outcome) {
        return belay_await_for_placed(NULL, task, span, outcome);
}

int belay_group_enter(belay_group *group) {
        return belay_group_enter_placed(NULL, group);
}

int belay_group_enter_with(belay_group *group, const belay_group_options *options) {
        return belay_group_enter_with_placed(NULL, group, options);
}

int belay_group_leave(belay_group *group, int rc) {
        return belay_group_leave_placed(NULL, group, rc);
}

int belay_group_spawn(belay_group *group, belay_fn *fn, void *arg) {
        return belay_group_spawn_placed(NULL, group, fn, arg);
}

belay_task *belay_group_spawn_with(belay_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options) {
        return belay_group_spawn_with_placed(NULL, group, fn, arg, options);
}

int belay_group_start(belay_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options, belay_task **task) {
        return belay_group_start_placed(NULL, group, fn, arg, options, task);
}

void belay_group_cancel(belay_group *group) {
        belay_group_cancel_placed(NULL, group);
}

int belay_shield_enter(belay_shield_scope *scope, belay_time span) {
        return belay_shield_enter_placed(NULL, scope, span);
}

int belay_shield_leave(belay_shield_scope *scope, int rc) {
        return belay_shield_leave_placed(NULL, scope, rc);
}

/* many.h */
int belay_gather(belay_task *const tasks[], size_t count, int *outcome) {
        return belay_gather_placed(NULL, tasks, count, outcome);
}

int belay_gather_collect(belay_task *const tasks[], size_t count) {
        return belay_gather_collect_placed(NULL, tasks, count);
}

int belay_wait(belay_task *const tasks[], size_t count, belay_wait_mode mode, belay_time span) {
        return belay_wait_placed(NULL, tasks, count, mode, span);
}

int belay_race(belay_task *const tasks[], size_t count, size_t *winner, int *outcome) {
        return belay_race_placed(NULL, tasks, count, winner, outcome);
}

int belay_as_completed_begin(belay_as_completed *each, belay_task *const tasks[], size_t count, belay_time span) {
        return belay_as_completed_begin_placed(NULL, each, tasks, count, span);
}

int belay_as_completed_next(belay_as_completed *each, belay_task **task) {
        return belay_as_completed_next_placed(NULL, each, task);
}

/* sync.h */
int belay_lock_acquire(belay_lock *lock) {
        return belay_lock_acquire_placed(NULL, lock);
}

int belay_lock_release(belay_lock *lock) {
        return belay_lock_release_placed(NULL, lock);
}

int belay_event_wait(belay_event *event) {
        return belay_event_wait_placed(NULL, event);
}

int belay_condition_wait(belay_condition *condition) {
        return belay_condition_wait_placed(NULL, condition);
}

int belay_condition_wait_until(belay_condition *condition, bool (*predicate)(void *arg), void *predicate_arg) {
        return belay_condition_wait_until_placed(NULL, condition, predicate, predicate_arg);
}

int belay_condition_notify(belay_condition *condition, size_t count) {
        return belay_condition_notify_placed(NULL, condition, count);
}

int belay_condition_notify_all(belay_condition *condition) {
        return belay_condition_notify_all_placed(NULL, condition);
}

int belay_semaphore_acquire(belay_semaphore *semaphore) {
        return belay_semaphore_acquire_placed(NULL, semaphore);
}

int belay_semaphore_release(belay_semaphore *semaphore) {
        return belay_semaphore_release_placed(NULL, semaphore);
}

int belay_barrier_wait(belay_barrier *barrier) {
        return belay_barrier_wait_placed(NULL, barrier);
}

int belay_barrier_abort(belay_barrier *barrier) {
        return belay_barrier_abort_placed(NULL, barrier);
}

int belay_barrier_reset(belay_barrier *barrier) {
        return belay_barrier_reset_placed(NULL, barrier);
}

/* queue.h */
int belay_queue_put(belay_queue *queue, void *item) {
        return belay_queue_put_placed(NULL, queue, item);
}

int belay_queue_get(belay_queue *queue, void **item) {
        return belay_queue_get_placed(NULL, queue, item);
}

int belay_queue_task_done(belay_queue *queue) {
        return belay_queue_task_done_placed(NULL, queue);
}

int belay_queue_join(belay_queue *queue) {
        return belay_queue_join_placed(NULL, queue);
}

/* loop.h */
int belay_run(belay_fn *fn, void *arg) {
        return belay_run_placed(NULL, fn, arg);
}

int belay_run_with(belay_fn *fn, void *arg, const belay_loop_options *options) {
        return belay_run_with_placed(NULL, fn, arg, options);
}

int belay_loop_run(belay_loop *loop, belay_fn *fn, void *arg, int *outcome) {
        return belay_loop_run_placed(NULL, loop, fn, arg, outcome);
}
