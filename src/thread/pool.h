/* SPDX-License-Identifier: MIT */
/*
 * Threads for calls that would block the loop. There is a small pool for files, a small pool for
 * name lookups, and a pool without a bound for jobs that may never end.
 *
 * A thread runs a job while the job's task waits. If a cancellation request arrives before the job
 * has begun, the job is withdrawn. A job that has begun uses memory of its task. The task therefore
 * waits for the end of the job, and the request stays pending.
 *
 * A job that owns all the memory that it uses, such as a name lookup, goes on alone instead, and
 * its task need not wait. Such jobs have threads of their own, so that jobs for files do not wait
 * for them.
 *
 * A thread whose job goes on alone does not count towards the bound of its pool. If jobs are
 * queued, a thread that has been at the same job for a second or two does not count, either. The
 * pool starts another thread in its place. Jobs that do not end therefore do not delay the other
 * jobs, until the pool has THREADS_MOST threads.
 *
 * The pool starts a thread when there are more jobs than idle threads. In a pool with a bound,
 * threads that count stay until the loop is closed. A pool without a bound keeps SPARE_THREADS idle
 * threads. All other threads end after their jobs. When the loop is closed, the pool waits for its
 * idle threads. A busy thread finishes its job, for which no task waits, and then ends.
 */
#ifndef BLY_POOL_H
#define BLY_POOL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "core/loop.h"

struct bly_pool;
struct bly_job_wait;

enum bly_job_state {
        BLY_JOB_NEW = 0, /* or withdrawn */
        BLY_JOB_IN_LINE,
        BLY_JOB_BEGUN,
        BLY_JOB_OVER,  /* the thread has posted it to the loop */
        BLY_JOB_ALONE, /* begun, and no task waits for it any more */
};

struct bly_job {
        /* Runs the job in a thread. It must not touch the loop, and must not call bly_alloc(). */
        void (*run)(struct bly_job *job);
        /*
         * Frees the job, in any thread. For a job that owns all the memory it uses, which comes
         * from the C library. NULL for other jobs.
         */
        void (*dispose)(struct bly_job *job);
        const char *what; /* name of the job for reports, such as "open" */
        const char *path; /* name of its object; NULL if that is `fd` */
        int fd;
        bool must;    /* never withdrawn */
        bool endless; /* with `dispose`: may wait without a limit */

        /* Private to the pool. */
        enum bly_job_state state;
        atomic_bool asked; /* to end early if it can */
        struct bly_job *next;
        struct bly_job_wait *wait;
        struct bly_posted posted;
};

/*
 * Has a thread run the job, and waits for its end. Returns 0 if the job was done, and a request
 * that arrived meanwhile is pending. Returns -ECANCELED if the job did not begin or, with
 * `dispose`, goes on alone. Returns -EAGAIN or -ENOMEM if no thread is available. An endless job
 * never waits for the thread of another job.
 *
 * A job with `dispose` is disposed of unless the function returns 0. That happens later if the job
 * goes on alone.
 */
int bly_pool_do(struct belay_loop *loop, struct bly_job *job, const char *place);

/*
 * For run() of a job that works in steps. Returns whether a request is or was pending, so that the
 * job should end early.
 */
static inline bool bly_job_asked(const struct bly_job *job) {
        return atomic_load_explicit(&job->asked, memory_order_relaxed);
}

/*
 * Closes the loop's pools, when no task of the loop runs any more. Must be called before the loop's
 * inbox is closed.
 */
void bly_pools_close(struct belay_loop *loop);

/* ---- for streams (stream/send_file_job.c) ---- */

/* A file that is being sent to a socket. Bytes that were read and not sent stay in `buffer`. */
struct bly_sending {
        int socket, file;
        int64_t offset, left; /* of the bytes that are still to be read */
        char *buffer;
        size_t room, start, end;
        bool ended; /* the file has ended or failed */
        int file_error;
        int socket_error; /* of the latest step; -EAGAIN if the socket has no room */
};

/*
 * Does one step of about a megabyte. Returns the number of bytes sent, or a negative errno.
 * -ECANCELED means that the step did not begin.
 */
ssize_t bly_pool_send(struct belay_loop *loop, struct bly_sending *state, const char *place);

/*
 * Does one pread(). Returns the number of bytes read, or a negative errno. -ECANCELED means that
 * the call did not begin.
 */
ssize_t bly_pool_read(struct belay_loop *loop, int fd, void *buffer, size_t size, int64_t offset,
                      const char *place);

#endif
