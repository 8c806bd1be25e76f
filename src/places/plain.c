/* SPDX-License-Identifier: MIT */
/*
 * The plain forms of the functions that record their call site, for calls through
 * pointers and for callers that leave out the masks of <belay/places.h>.
 *
 * script/places generates this file from src/places/places.list and the headers.
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

int belay_spawn_detached(belay_fn *fn, void *arg, const belay_spawn_options *options) {
        return belay_spawn_detached_placed(NULL, fn, arg, options);
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

int belay_group_spawn_with(belay_group *group, belay_fn *fn, void *arg,
                           const belay_spawn_options *options, belay_task **task) {
        return belay_group_spawn_with_placed(NULL, group, fn, arg, options, task);
}

int belay_group_start(belay_group *group, belay_fn *fn, void *arg,
                      const belay_spawn_options *options, belay_task **task) {
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

int belay_as_completed_begin(belay_as_completed *each, belay_task *const tasks[], size_t count,
                             belay_time span) {
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

int belay_condition_wait_until(belay_condition *condition, bool (*predicate)(void *arg),
                               void *arg) {
        return belay_condition_wait_until_placed(NULL, condition, predicate, arg);
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

int belay_main(belay_fn *fn, void *arg) {
        return belay_main_placed(NULL, fn, arg);
}

int belay_loop_run(belay_loop *loop, belay_fn *fn, void *arg, int *outcome) {
        return belay_loop_run_placed(NULL, loop, fn, arg, outcome);
}

/* io.h */
int belay_wait_fd(int fd, int events) {
        return belay_wait_fd_placed(NULL, fd, events);
}

/* stream.h */
int belay_stream_open_fd(belay_stream **stream, int fd, const belay_stream_options *options) {
        return belay_stream_open_fd_placed(NULL, stream, fd, options);
}

int belay_stream_pipe(belay_stream **reader, belay_stream **writer) {
        return belay_stream_pipe_placed(NULL, reader, writer);
}

int belay_stream_pair(belay_stream **one, belay_stream **other) {
        return belay_stream_pair_placed(NULL, one, other);
}

ssize_t belay_read(belay_stream *stream, void *buffer, size_t size) {
        return belay_read_placed(NULL, stream, buffer, size);
}

ssize_t belay_read_exactly(belay_stream *stream, void *buffer, size_t size) {
        return belay_read_exactly_placed(NULL, stream, buffer, size);
}

ssize_t belay_read_until(belay_stream *stream, const void *delimiter, size_t length, void *buffer,
                         size_t size) {
        return belay_read_until_placed(NULL, stream, delimiter, length, buffer, size);
}

ssize_t belay_read_line(belay_stream *stream, char *line, size_t size) {
        return belay_read_line_placed(NULL, stream, line, size);
}

ssize_t belay_peek(belay_stream *stream, size_t least, const void **data) {
        return belay_peek_placed(NULL, stream, least, data);
}

ssize_t belay_write(belay_stream *stream, const void *data, size_t size) {
        return belay_write_placed(NULL, stream, data, size);
}

ssize_t belay_writev(belay_stream *stream, const struct iovec *parts, int count) {
        return belay_writev_placed(NULL, stream, parts, count);
}

ssize_t belay_write_some(belay_stream *stream, const void *data, size_t size) {
        return belay_write_some_placed(NULL, stream, data, size);
}

int belay_copy(belay_stream *to, belay_stream *from, int64_t most, int64_t *copied) {
        return belay_copy_placed(NULL, to, from, most, copied);
}

int64_t belay_send_file(belay_stream *stream, int fd, int64_t offset, int64_t size) {
        return belay_send_file_placed(NULL, stream, fd, offset, size);
}

int belay_half_close(belay_stream *stream) {
        return belay_half_close_placed(NULL, stream);
}

int belay_close(belay_stream *stream, belay_time limit) {
        return belay_close_placed(NULL, stream, limit);
}

/* net.h */
int belay_connect(belay_stream **stream, const char *endpoint,
                  const belay_connect_options *options) {
        return belay_connect_placed(NULL, stream, endpoint, options);
}

int belay_connect_to(belay_stream **stream, const struct sockaddr *address, unsigned length,
                     const belay_connect_options *options) {
        return belay_connect_to_placed(NULL, stream, address, length, options);
}

int belay_resolve(const char *endpoint, int type, belay_address **addresses, size_t *count) {
        return belay_resolve_placed(NULL, endpoint, type, addresses, count);
}

int belay_listen(belay_listener **listener, const char *endpoint,
                 const belay_listen_options *options) {
        return belay_listen_placed(NULL, listener, endpoint, options);
}

int belay_listen_fd(belay_listener **listener, int fd) {
        return belay_listen_fd_placed(NULL, listener, fd);
}

int belay_accept(belay_listener *listener, belay_stream **stream) {
        return belay_accept_placed(NULL, listener, stream);
}

int belay_serve(belay_listener *listener, belay_serve_fn *handler, void *arg,
                const belay_serve_options *options) {
        return belay_serve_placed(NULL, listener, handler, arg, options);
}

int belay_datagrams_open(belay_datagrams **socket, const char *local, const char *remote) {
        return belay_datagrams_open_placed(NULL, socket, local, remote);
}

ssize_t belay_receive(belay_datagrams *socket, void *buffer, size_t size, belay_address *from) {
        return belay_receive_placed(NULL, socket, buffer, size, from);
}

ssize_t belay_send(belay_datagrams *socket, const void *data, size_t size,
                   const belay_address *to) {
        return belay_send_placed(NULL, socket, data, size, to);
}

ssize_t belay_send_descriptors(belay_stream *stream, const void *data, size_t size, const int *fds,
                               size_t count) {
        return belay_send_descriptors_placed(NULL, stream, data, size, fds, count);
}

ssize_t belay_receive_descriptors(belay_stream *stream, void *buffer, size_t size, int *fds,
                                  size_t *count) {
        return belay_receive_descriptors_placed(NULL, stream, buffer, size, fds, count);
}

/* file.h */
int belay_file_open(const char *path, int flags, mode_t mode) {
        return belay_file_open_placed(NULL, path, flags, mode);
}

int belay_file_close(int fd) {
        return belay_file_close_placed(NULL, fd);
}

ssize_t belay_file_read(int fd, void *buffer, size_t size, int64_t offset) {
        return belay_file_read_placed(NULL, fd, buffer, size, offset);
}

ssize_t belay_file_write(int fd, const void *data, size_t size, int64_t offset) {
        return belay_file_write_placed(NULL, fd, data, size, offset);
}

int belay_file_sync(int fd, bool data_only) {
        return belay_file_sync_placed(NULL, fd, data_only);
}

int belay_file_truncate(int fd, int64_t size) {
        return belay_file_truncate_placed(NULL, fd, size);
}

int belay_file_stat(const char *path, bool follow, struct stat *result) {
        return belay_file_stat_placed(NULL, path, follow, result);
}

int belay_file_stat_fd(int fd, struct stat *result) {
        return belay_file_stat_fd_placed(NULL, fd, result);
}

int belay_file_rename(const char *from, const char *to) {
        return belay_file_rename_placed(NULL, from, to);
}

int belay_file_remove(const char *path) {
        return belay_file_remove_placed(NULL, path);
}

int belay_file_make_directory(const char *path, mode_t mode) {
        return belay_file_make_directory_placed(NULL, path, mode);
}

int belay_file_read_all(const char *path, size_t most, char **data, size_t *size) {
        return belay_file_read_all_placed(NULL, path, most, data, size);
}

int belay_file_write_all(const char *path, const void *data, size_t size, mode_t mode) {
        return belay_file_write_all_placed(NULL, path, data, size, mode);
}

int belay_walk(const char *root, belay_walk_fn *fn, void *arg) {
        return belay_walk_placed(NULL, root, fn, arg);
}

/* embed.h */
int belay_loop_start(belay_loop *loop, belay_fn *fn, void *arg) {
        return belay_loop_start_placed(NULL, loop, fn, arg);
}
