/* SPDX-License-Identifier: MIT */
/*
 * The functions that record where they are called, each in two forms.
 *
 * X_placed(place, ...) is X with the call site as an argument. The macro X calls it
 * with the file and the line of the call. The header that declares X describes the
 * function. See "Places" in <belay/base.h>.
 *
 * script/places generates this header from src/places/places.list and the others.
 */
/* clang-format off */
#ifndef BELAY_PLACES_H
#define BELAY_PLACES_H

#include <belay/task.h>
#include <belay/cancel.h>
#include <belay/scope.h>
#include <belay/many.h>
#include <belay/sync.h>
#include <belay/queue.h>
#include <belay/loop.h>
#include <belay/io.h>
#include <belay/stream.h>
#include <belay/net.h>
#include <belay/file.h>
#include <belay/embed.h>

BELAY_BEGIN

/* task.h */
BELAY_API belay_task *belay_spawn_placed(const char *place, belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API belay_task *belay_spawn_with_placed(const char *place, belay_fn *fn, void *arg,
                                              const belay_spawn_options *options) BELAY_MUST_USE;
BELAY_API int belay_spawn_detached_placed(const char *place, belay_fn *fn, void *arg,
                                          const belay_spawn_options *options) BELAY_MUST_USE;
BELAY_API belay_future *belay_future_new_placed(const char *place) BELAY_MUST_USE;
BELAY_API int belay_result_placed(const char *place, belay_task *task);
BELAY_API const belay_failure *belay_failure_of_placed(const char *place, belay_task *task);
BELAY_API int belay_await_placed(const char *place, belay_task *task, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_join_placed(const char *place, belay_task *task, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_shield_placed(const char *place, belay_task *task, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_sleep_placed(const char *place, belay_time span) BELAY_MUST_USE;
BELAY_API int belay_sleep_until_placed(const char *place, belay_time instant) BELAY_MUST_USE;
BELAY_API int belay_yield_placed(const char *place) BELAY_MUST_USE;
BELAY_API int belay_checkpoint_placed(const char *place) BELAY_MUST_USE;

/* cancel.h */
BELAY_API bool belay_cancel_placed(const char *place, belay_task *task, const char *reason);
BELAY_API int belay_force_cancel_placed(const char *place, belay_task *task, int tries,
                                        belay_time interval) BELAY_MUST_USE;
BELAY_API int belay_cancel_wait_placed(const char *place, belay_task *task, const char *reason,
                                       belay_time limit, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_interrupt_placed(const char *place, belay_loop *loop);

/* scope.h */
BELAY_API int belay_timeout_enter_placed(const char *place, belay_timeout *timeout,
                                         belay_time span);
BELAY_API int belay_timeout_enter_until_placed(const char *place, belay_timeout *timeout,
                                               belay_time instant);
BELAY_API int belay_timeout_leave_placed(const char *place, belay_timeout *timeout,
                                         int rc) BELAY_MUST_USE;
BELAY_API int belay_wait_for_placed(const char *place, belay_fn *fn, void *arg,
                                    belay_time span) BELAY_MUST_USE;
BELAY_API int belay_await_for_placed(const char *place, belay_task *task, belay_time span,
                                     int *outcome) BELAY_MUST_USE;
BELAY_API int belay_group_enter_placed(const char *place, belay_group *group);
BELAY_API int belay_group_enter_with_placed(const char *place, belay_group *group,
                                            const belay_group_options *options);
BELAY_API int belay_group_leave_placed(const char *place, belay_group *group,
                                       int rc) BELAY_MUST_USE;
BELAY_API int belay_group_spawn_placed(const char *place, belay_group *group, belay_fn *fn,
                                       void *arg) BELAY_MUST_USE;
BELAY_API int belay_group_spawn_with_placed(const char *place, belay_group *group, belay_fn *fn,
                                            void *arg, const belay_spawn_options *options,
                                            belay_task **task) BELAY_MUST_USE;
BELAY_API int belay_group_start_placed(const char *place, belay_group *group, belay_fn *fn,
                                       void *arg, const belay_spawn_options *options,
                                       belay_task **task) BELAY_MUST_USE;
BELAY_API void belay_group_cancel_placed(const char *place, belay_group *group);
BELAY_API int belay_shield_enter_placed(const char *place, belay_shield_scope *scope,
                                        belay_time span);
BELAY_API int belay_shield_leave_placed(const char *place, belay_shield_scope *scope,
                                        int rc) BELAY_MUST_USE;

/* many.h */
BELAY_API int belay_gather_placed(const char *place, belay_task *const tasks[], size_t count,
                                  int *outcome) BELAY_MUST_USE;
BELAY_API int belay_gather_collect_placed(const char *place, belay_task *const tasks[],
                                          size_t count) BELAY_MUST_USE;
BELAY_API int belay_wait_placed(const char *place, belay_task *const tasks[], size_t count,
                                belay_wait_mode mode, belay_time span) BELAY_MUST_USE;
BELAY_API int belay_race_placed(const char *place, belay_task *const tasks[], size_t count,
                                size_t *winner, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_as_completed_begin_placed(const char *place, belay_as_completed *each,
                                              belay_task *const tasks[], size_t count,
                                              belay_time span) BELAY_MUST_USE;
BELAY_API int belay_as_completed_next_placed(const char *place, belay_as_completed *each,
                                             belay_task **task) BELAY_MUST_USE;

/* sync.h */
BELAY_API int belay_lock_acquire_placed(const char *place, belay_lock *lock) BELAY_MUST_USE;
BELAY_API int belay_lock_release_placed(const char *place, belay_lock *lock);
BELAY_API int belay_event_wait_placed(const char *place, belay_event *event) BELAY_MUST_USE;
BELAY_API int belay_condition_wait_placed(const char *place,
                                          belay_condition *condition) BELAY_MUST_USE;
BELAY_API int belay_condition_wait_until_placed(const char *place, belay_condition *condition,
                                                bool (*predicate)(void *arg),
                                                void *arg) BELAY_MUST_USE;
BELAY_API int belay_condition_notify_placed(const char *place, belay_condition *condition,
                                            size_t count);
BELAY_API int belay_condition_notify_all_placed(const char *place, belay_condition *condition);
BELAY_API int belay_semaphore_acquire_placed(const char *place,
                                             belay_semaphore *semaphore) BELAY_MUST_USE;
BELAY_API int belay_semaphore_release_placed(const char *place, belay_semaphore *semaphore);
BELAY_API int belay_barrier_wait_placed(const char *place, belay_barrier *barrier) BELAY_MUST_USE;
BELAY_API int belay_barrier_abort_placed(const char *place, belay_barrier *barrier) BELAY_MUST_USE;
BELAY_API int belay_barrier_reset_placed(const char *place, belay_barrier *barrier) BELAY_MUST_USE;

/* queue.h */
BELAY_API int belay_queue_put_placed(const char *place, belay_queue *queue,
                                     void *item) BELAY_MUST_USE;
BELAY_API int belay_queue_get_placed(const char *place, belay_queue *queue,
                                     void **item) BELAY_MUST_USE;
BELAY_API int belay_queue_task_done_placed(const char *place, belay_queue *queue);
BELAY_API int belay_queue_join_placed(const char *place, belay_queue *queue) BELAY_MUST_USE;

/* loop.h */
BELAY_API int belay_run_placed(const char *place, belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API int belay_run_with_placed(const char *place, belay_fn *fn, void *arg,
                                    const belay_loop_options *options) BELAY_MUST_USE;
BELAY_API int belay_main_placed(const char *place, belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API int belay_loop_run_placed(const char *place, belay_loop *loop, belay_fn *fn, void *arg,
                                    int *outcome) BELAY_MUST_USE;

/* io.h */
BELAY_API int belay_wait_fd_placed(const char *place, int fd, int events) BELAY_MUST_USE;

/* stream.h */
BELAY_API int belay_stream_open_fd_placed(const char *place, belay_stream **stream, int fd,
                                          const belay_stream_options *options) BELAY_MUST_USE;
BELAY_API int belay_stream_pipe_placed(const char *place, belay_stream **reader,
                                       belay_stream **writer) BELAY_MUST_USE;
BELAY_API int belay_stream_pair_placed(const char *place, belay_stream **one,
                                       belay_stream **other) BELAY_MUST_USE;
BELAY_API ssize_t belay_read_placed(const char *place, belay_stream *stream, void *buffer,
                                    size_t size) BELAY_MUST_USE;
BELAY_API ssize_t belay_read_exactly_placed(const char *place, belay_stream *stream, void *buffer,
                                            size_t size) BELAY_MUST_USE;
BELAY_API ssize_t belay_read_until_placed(const char *place, belay_stream *stream,
                                          const void *delimiter, size_t length, void *buffer,
                                          size_t size) BELAY_MUST_USE;
BELAY_API ssize_t belay_read_line_placed(const char *place, belay_stream *stream, char *line,
                                         size_t size) BELAY_MUST_USE;
BELAY_API ssize_t belay_peek_placed(const char *place, belay_stream *stream, size_t least,
                                    const void **data) BELAY_MUST_USE;
BELAY_API ssize_t belay_write_placed(const char *place, belay_stream *stream, const void *data,
                                     size_t size) BELAY_MUST_USE;
BELAY_API ssize_t belay_writev_placed(const char *place, belay_stream *stream,
                                      const struct iovec *parts, int count) BELAY_MUST_USE;
BELAY_API ssize_t belay_print_placed(const char *place, belay_stream *stream, const char *format,
                                     ...) BELAY_PRINTF(3, 4) BELAY_MUST_USE;
BELAY_API ssize_t belay_write_some_placed(const char *place, belay_stream *stream, const void *data,
                                          size_t size) BELAY_MUST_USE;
BELAY_API int belay_copy_placed(const char *place, belay_stream *to, belay_stream *from,
                                int64_t most, int64_t *copied) BELAY_MUST_USE;
BELAY_API int64_t belay_send_file_placed(const char *place, belay_stream *stream, int fd,
                                         int64_t offset, int64_t size) BELAY_MUST_USE;
BELAY_API int belay_half_close_placed(const char *place, belay_stream *stream) BELAY_MUST_USE;
BELAY_API int belay_close_placed(const char *place, belay_stream *stream, belay_time limit);

/* net.h */
BELAY_API int belay_connect_placed(const char *place, belay_stream **stream, const char *endpoint,
                                   const belay_connect_options *options) BELAY_MUST_USE;
BELAY_API int belay_connect_to_placed(const char *place, belay_stream **stream,
                                      const struct sockaddr *address, unsigned length,
                                      const belay_connect_options *options) BELAY_MUST_USE;
BELAY_API int belay_resolve_placed(const char *place, const char *endpoint, int type,
                                   belay_address **addresses, size_t *count) BELAY_MUST_USE;
BELAY_API int belay_listen_placed(const char *place, belay_listener **listener,
                                  const char *endpoint,
                                  const belay_listen_options *options) BELAY_MUST_USE;
BELAY_API int belay_listen_fd_placed(const char *place, belay_listener **listener,
                                     int fd) BELAY_MUST_USE;
BELAY_API int belay_accept_placed(const char *place, belay_listener *listener,
                                  belay_stream **stream) BELAY_MUST_USE;
BELAY_API int belay_serve_placed(const char *place, belay_listener *listener,
                                 belay_serve_fn *handler, void *arg,
                                 const belay_serve_options *options) BELAY_MUST_USE;
BELAY_API int belay_datagrams_open_placed(const char *place, belay_datagrams **socket,
                                          const char *local, const char *remote) BELAY_MUST_USE;
BELAY_API ssize_t belay_receive_placed(const char *place, belay_datagrams *socket, void *buffer,
                                       size_t size, belay_address *from) BELAY_MUST_USE;
BELAY_API ssize_t belay_send_placed(const char *place, belay_datagrams *socket, const void *data,
                                    size_t size, const belay_address *to) BELAY_MUST_USE;
BELAY_API ssize_t belay_send_descriptors_placed(const char *place, belay_stream *stream,
                                                const void *data, size_t size, const int *fds,
                                                size_t count) BELAY_MUST_USE;
BELAY_API ssize_t belay_receive_descriptors_placed(const char *place, belay_stream *stream,
                                                   void *buffer, size_t size, int *fds,
                                                   size_t *count) BELAY_MUST_USE;

/* file.h */
BELAY_API int belay_file_open_placed(const char *place, const char *path, int flags,
                                     mode_t mode) BELAY_MUST_USE;
BELAY_API int belay_file_close_placed(const char *place, int fd);
BELAY_API ssize_t belay_file_read_placed(const char *place, int fd, void *buffer, size_t size,
                                         int64_t offset) BELAY_MUST_USE;
BELAY_API ssize_t belay_file_write_placed(const char *place, int fd, const void *data, size_t size,
                                          int64_t offset) BELAY_MUST_USE;
BELAY_API int belay_file_sync_placed(const char *place, int fd, bool data_only) BELAY_MUST_USE;
BELAY_API int belay_file_truncate_placed(const char *place, int fd, int64_t size) BELAY_MUST_USE;
BELAY_API int belay_file_stat_placed(const char *place, const char *path, bool follow,
                                     struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
BELAY_API int belay_file_stat_fd_placed(const char *place, int fd,
                                        struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
BELAY_API int belay_file_rename_placed(const char *place, const char *from,
                                       const char *to) BELAY_MUST_USE;
BELAY_API int belay_file_remove_placed(const char *place, const char *path) BELAY_MUST_USE;
BELAY_API int belay_file_make_directory_placed(const char *place, const char *path,
                                               mode_t mode) BELAY_MUST_USE;
BELAY_API int belay_file_read_all_placed(const char *place, const char *path, size_t most,
                                         char **data, size_t *size) BELAY_MUST_USE;
BELAY_API int belay_file_write_all_placed(const char *place, const char *path, const void *data,
                                          size_t size, mode_t mode) BELAY_MUST_USE;
BELAY_API int belay_walk_placed(const char *place, const char *root, belay_walk_fn *fn,
                                void *arg) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;

/* embed.h */
BELAY_API int belay_loop_start_placed(const char *place, belay_loop *loop, belay_fn *fn,
                                      void *arg) BELAY_MUST_USE;

BELAY_END

#ifndef BELAY_NO_PLACES

/* task.h */
#define belay_spawn(...) belay_spawn_placed(BELAY_HERE, __VA_ARGS__)
#define belay_spawn_with(...) belay_spawn_with_placed(BELAY_HERE, __VA_ARGS__)
#define belay_spawn_detached(...) belay_spawn_detached_placed(BELAY_HERE, __VA_ARGS__)
#define belay_future_new() belay_future_new_placed(BELAY_HERE)
#define belay_result(...) belay_result_placed(BELAY_HERE, __VA_ARGS__)
#define belay_failure_of(...) belay_failure_of_placed(BELAY_HERE, __VA_ARGS__)
#define belay_await(...) belay_await_placed(BELAY_HERE, __VA_ARGS__)
#define belay_join(...) belay_join_placed(BELAY_HERE, __VA_ARGS__)
#define belay_shield(...) belay_shield_placed(BELAY_HERE, __VA_ARGS__)
#define belay_sleep(...) belay_sleep_placed(BELAY_HERE, __VA_ARGS__)
#define belay_sleep_until(...) belay_sleep_until_placed(BELAY_HERE, __VA_ARGS__)
#define belay_yield() belay_yield_placed(BELAY_HERE)
#define belay_checkpoint() belay_checkpoint_placed(BELAY_HERE)

/* cancel.h */
#define belay_cancel(...) belay_cancel_placed(BELAY_HERE, __VA_ARGS__)
#define belay_force_cancel(...) belay_force_cancel_placed(BELAY_HERE, __VA_ARGS__)
#define belay_cancel_wait(...) belay_cancel_wait_placed(BELAY_HERE, __VA_ARGS__)
#define belay_interrupt(...) belay_interrupt_placed(BELAY_HERE, __VA_ARGS__)

/* scope.h */
#define belay_timeout_enter(...) belay_timeout_enter_placed(BELAY_HERE, __VA_ARGS__)
#define belay_timeout_enter_until(...) belay_timeout_enter_until_placed(BELAY_HERE, __VA_ARGS__)
#define belay_timeout_leave(...) belay_timeout_leave_placed(BELAY_HERE, __VA_ARGS__)
#define belay_wait_for(...) belay_wait_for_placed(BELAY_HERE, __VA_ARGS__)
#define belay_await_for(...) belay_await_for_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_enter(...) belay_group_enter_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_enter_with(...) belay_group_enter_with_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_leave(...) belay_group_leave_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_spawn(...) belay_group_spawn_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_spawn_with(...) belay_group_spawn_with_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_start(...) belay_group_start_placed(BELAY_HERE, __VA_ARGS__)
#define belay_group_cancel(...) belay_group_cancel_placed(BELAY_HERE, __VA_ARGS__)
#define belay_shield_enter(...) belay_shield_enter_placed(BELAY_HERE, __VA_ARGS__)
#define belay_shield_leave(...) belay_shield_leave_placed(BELAY_HERE, __VA_ARGS__)

/* many.h */
#define belay_gather(...) belay_gather_placed(BELAY_HERE, __VA_ARGS__)
#define belay_gather_collect(...) belay_gather_collect_placed(BELAY_HERE, __VA_ARGS__)
#define belay_wait(...) belay_wait_placed(BELAY_HERE, __VA_ARGS__)
#define belay_race(...) belay_race_placed(BELAY_HERE, __VA_ARGS__)
#define belay_as_completed_begin(...) belay_as_completed_begin_placed(BELAY_HERE, __VA_ARGS__)
#define belay_as_completed_next(...) belay_as_completed_next_placed(BELAY_HERE, __VA_ARGS__)

/* sync.h */
#define belay_lock_acquire(...) belay_lock_acquire_placed(BELAY_HERE, __VA_ARGS__)
#define belay_lock_release(...) belay_lock_release_placed(BELAY_HERE, __VA_ARGS__)
#define belay_event_wait(...) belay_event_wait_placed(BELAY_HERE, __VA_ARGS__)
#define belay_condition_wait(...) belay_condition_wait_placed(BELAY_HERE, __VA_ARGS__)
#define belay_condition_wait_until(...) belay_condition_wait_until_placed(BELAY_HERE, __VA_ARGS__)
#define belay_condition_notify(...) belay_condition_notify_placed(BELAY_HERE, __VA_ARGS__)
#define belay_condition_notify_all(...) belay_condition_notify_all_placed(BELAY_HERE, __VA_ARGS__)
#define belay_semaphore_acquire(...) belay_semaphore_acquire_placed(BELAY_HERE, __VA_ARGS__)
#define belay_semaphore_release(...) belay_semaphore_release_placed(BELAY_HERE, __VA_ARGS__)
#define belay_barrier_wait(...) belay_barrier_wait_placed(BELAY_HERE, __VA_ARGS__)
#define belay_barrier_abort(...) belay_barrier_abort_placed(BELAY_HERE, __VA_ARGS__)
#define belay_barrier_reset(...) belay_barrier_reset_placed(BELAY_HERE, __VA_ARGS__)

/* queue.h */
#define belay_queue_put(...) belay_queue_put_placed(BELAY_HERE, __VA_ARGS__)
#define belay_queue_get(...) belay_queue_get_placed(BELAY_HERE, __VA_ARGS__)
#define belay_queue_task_done(...) belay_queue_task_done_placed(BELAY_HERE, __VA_ARGS__)
#define belay_queue_join(...) belay_queue_join_placed(BELAY_HERE, __VA_ARGS__)

/* loop.h */
#define belay_run(...) belay_run_placed(BELAY_HERE, __VA_ARGS__)
#define belay_run_with(...) belay_run_with_placed(BELAY_HERE, __VA_ARGS__)
#define belay_main(...) belay_main_placed(BELAY_HERE, __VA_ARGS__)
#define belay_loop_run(...) belay_loop_run_placed(BELAY_HERE, __VA_ARGS__)

/* io.h */
#define belay_wait_fd(...) belay_wait_fd_placed(BELAY_HERE, __VA_ARGS__)

/* stream.h */
#define belay_stream_open_fd(...) belay_stream_open_fd_placed(BELAY_HERE, __VA_ARGS__)
#define belay_stream_pipe(...) belay_stream_pipe_placed(BELAY_HERE, __VA_ARGS__)
#define belay_stream_pair(...) belay_stream_pair_placed(BELAY_HERE, __VA_ARGS__)
#define belay_read(...) belay_read_placed(BELAY_HERE, __VA_ARGS__)
#define belay_read_exactly(...) belay_read_exactly_placed(BELAY_HERE, __VA_ARGS__)
#define belay_read_until(...) belay_read_until_placed(BELAY_HERE, __VA_ARGS__)
#define belay_read_line(...) belay_read_line_placed(BELAY_HERE, __VA_ARGS__)
#define belay_peek(...) belay_peek_placed(BELAY_HERE, __VA_ARGS__)
#define belay_write(...) belay_write_placed(BELAY_HERE, __VA_ARGS__)
#define belay_writev(...) belay_writev_placed(BELAY_HERE, __VA_ARGS__)
#define belay_print(...) belay_print_placed(BELAY_HERE, __VA_ARGS__)
#define belay_write_some(...) belay_write_some_placed(BELAY_HERE, __VA_ARGS__)
#define belay_copy(...) belay_copy_placed(BELAY_HERE, __VA_ARGS__)
#define belay_send_file(...) belay_send_file_placed(BELAY_HERE, __VA_ARGS__)
#define belay_half_close(...) belay_half_close_placed(BELAY_HERE, __VA_ARGS__)
#define belay_close(...) belay_close_placed(BELAY_HERE, __VA_ARGS__)

/* net.h */
#define belay_connect(...) belay_connect_placed(BELAY_HERE, __VA_ARGS__)
#define belay_connect_to(...) belay_connect_to_placed(BELAY_HERE, __VA_ARGS__)
#define belay_resolve(...) belay_resolve_placed(BELAY_HERE, __VA_ARGS__)
#define belay_listen(...) belay_listen_placed(BELAY_HERE, __VA_ARGS__)
#define belay_listen_fd(...) belay_listen_fd_placed(BELAY_HERE, __VA_ARGS__)
#define belay_accept(...) belay_accept_placed(BELAY_HERE, __VA_ARGS__)
#define belay_serve(...) belay_serve_placed(BELAY_HERE, __VA_ARGS__)
#define belay_datagrams_open(...) belay_datagrams_open_placed(BELAY_HERE, __VA_ARGS__)
#define belay_receive(...) belay_receive_placed(BELAY_HERE, __VA_ARGS__)
#define belay_send(...) belay_send_placed(BELAY_HERE, __VA_ARGS__)
#define belay_send_descriptors(...) belay_send_descriptors_placed(BELAY_HERE, __VA_ARGS__)
#define belay_receive_descriptors(...) belay_receive_descriptors_placed(BELAY_HERE, __VA_ARGS__)

/* file.h */
#define belay_file_open(...) belay_file_open_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_close(...) belay_file_close_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_read(...) belay_file_read_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_write(...) belay_file_write_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_sync(...) belay_file_sync_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_truncate(...) belay_file_truncate_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_stat(...) belay_file_stat_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_stat_fd(...) belay_file_stat_fd_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_rename(...) belay_file_rename_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_remove(...) belay_file_remove_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_make_directory(...) belay_file_make_directory_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_read_all(...) belay_file_read_all_placed(BELAY_HERE, __VA_ARGS__)
#define belay_file_write_all(...) belay_file_write_all_placed(BELAY_HERE, __VA_ARGS__)
#define belay_walk(...) belay_walk_placed(BELAY_HERE, __VA_ARGS__)

/* embed.h */
#define belay_loop_start(...) belay_loop_start_placed(BELAY_HERE, __VA_ARGS__)

#endif
#endif
