/* SPDX-License-Identifier: MIT */
/*
 * Threads for what would block the loop: a few for files, a few for names, and as many as it takes for what may never
 * end.
 *
 * A job is done in a thread while its task waits. It is taken back by a request for cancellation that comes before it
 * was begun. One that was begun uses memory of the task: it is waited for, and the request stays for the task's next
 * wait. But one that owns all that it uses, as a look-up of a name, goes on alone, so that its task need not wait;
 * such jobs have threads of their own, so that files need not wait for them.
 *
 * A thread at a job that goes on alone does not count as one of the few, nor does one that has been at the same job for
 * a second or two: another is started in its place. So no number of jobs that do not end holds up the others.
 *
 * Threads are started when there are more jobs than idle threads. Those that count stay until the loop is closed; the
 * others end when they have nothing to do. At the loop's end the pool waits for threads that are idle; those that are
 * not do what nobody waits for any more, and end by themselves.
 */
#ifndef BLY_POOL_H
#define BLY_POOL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "core/loop.h"

struct bly_pool;
struct bly_job_wait;

enum bly_job_state {
        BLY_JOB_NEW = 0,                /* or taken back */
        BLY_JOB_IN_LINE,
        BLY_JOB_BEGUN,
        BLY_JOB_OVER,                   /* word of it is left */
        BLY_JOB_ALONE,                  /* begun, and nobody waits for it any more */
};

struct bly_job {
        /* In a thread: must not touch the loop, nor take memory of bly_alloc(). */
        void (*run)(struct bly_job *job);
        /* Of one that owns all it uses, which is the C library's memory: frees it, in whatever thread. Otherwise NULL. */
        void (*dispose)(struct bly_job *job);
        const char *what;               /* a word for reports: "open" */
        const char *path;               /* what it is done to, or NULL and a descriptor */
        int fd;
        bool must;                      /* is never taken back */
        bool endless;                   /* of one with `dispose`: it may wait for somebody else for ever */

        /* The pool's. */
        enum bly_job_state state;
        atomic_bool asked;              /* to end early, if it can */
        struct bly_job *next;
        struct bly_job_wait *wait;
        struct bly_posted posted;
};

/*
 * Has a thread do it, and waits. 0: it was done, and a request that came meanwhile is pending; -ECANCELED: taken back
 * before it was begun; -EAGAIN, -ENOMEM: no thread could be had (one that is endless stands behind no other). A job with `dispose` is disposed of unless 0 is
 * returned, sooner or later: -ECANCELED does not say that it was not begun.
 */
int bly_pool_do(struct belay_loop *loop, struct bly_job *job, const char *place);

/* In run(), of a job that can be cut into pieces: is it better left off? A request is pending then, or was. */
static inline bool bly_job_asked(const struct bly_job *job) {
        return atomic_load_explicit(&job->asked, memory_order_relaxed);
}

/* The loop is being closed: no task of it runs any more. Before its inbox is closed. */
void bly_pools_close(struct belay_loop *loop);

/* ---- for streams (stream/send_file_job.c) ---- */

/* A file on its way to a socket. What was read and not sent stays in the buffer. */
struct bly_sending {
        int socket, file;
        int64_t offset, left;           /* of what is still to be read */
        char *buffer;
        size_t room, start, end;
        bool ended;                     /* the file did, or failed */
        int file_error;
        int socket_error;               /* of the latest step; -EAGAIN: it has no room */
};

/* One step of it, of about a megabyte: how many bytes went; or a negative errno: -ECANCELED if it was not begun. */
ssize_t bly_pool_send(struct belay_loop *loop, struct bly_sending *state, const char *place);

/* One pread(). How many bytes were read, or a negative errno: -ECANCELED if it was not begun. */
ssize_t bly_pool_read(struct belay_loop *loop, int fd, void *buffer, size_t size, int64_t offset, const char *place);

#endif
