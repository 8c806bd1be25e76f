/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and the waits for them, above the back ends.
 *
 * A loop keeps a table with an entry for each descriptor number that it uses. An `owned` descriptor
 * belongs to an object of belay, such as a stream or a listener. Only belay may close it, so the
 * back end may keep it registered. The program may close any other descriptor at any time, and the
 * kernel may then reuse its number. The back end therefore arms such a descriptor for one wait and
 * forgets it afterwards.
 *
 * A function can use a descriptor in two ways:
 *     - It calls bly_fd_try() and tries a system call. If that would block, the function waits in
 *       bly_fd_wait() until the descriptor is ready, and tries again.
 *     - It lets the back end perform the operation (bly_perform()), if bly_performs() is true.
 * In both ways, cancellation never discards completed work. If the operation has had an effect, the
 * function returns its result, and the request stays pending for the next wait.
 */
#ifndef BLY_IO_H
#define BLY_IO_H

#include <belay/io.h>

#include "core/upcalls.h"
#include "core/wait.h"

struct bly_io;
struct bly_op;
struct bly_fd;

/*
 * A function that handles a descriptor whenever it is ready, while the task that waits for it
 * sleeps. The code that polls the back end calls serve() on its own stack, which may be that of the
 * loop or of any task. serve() must be short and must not wait. It returns false to wake the task.
 */
struct bly_fd_server {
        bool (*serve)(struct bly_fd_server *server, struct bly_fd *fd);
        belay_task *task;
};

/*
 * The owner of a descriptor, embedded in a stream, a listener or the like.
 *
 * A program may close an owned descriptor by mistake, and the kernel may then reuse its number.
 * bly_fd_own() finds this out when the next owner registers the number. The earlier owner has then
 * lost its descriptor. It must neither use nor close the number, and the new owner takes over the
 * table entry.
 */
struct bly_fd_owner {
        const char *what;  /* "a stream" */
        const char *place; /* call site that made the owner; may be NULL */
        /*
         * Returns whether the number still stands for the owner's descriptor. If the pointer is
         * NULL, that cannot be determined, and the library assumes that it does.
         */
        bool (*is_same)(const struct bly_fd_owner *owner, int fd);
        void (*lost)(struct bly_fd_owner *owner);
        bool is_lost;
};

/* A descriptor's entry in the table. It fits into one cache line. */
struct bly_fd {
        int fd;
        /*
         * Part of each event, so that a stale event is recognized. Changes with each owner. It also
         * changes with each arming, except that of an owned descriptor under epoll.
         */
        uint32_t generation;
        uint8_t armed;      /* watched events, BELAY_READABLE... */
        uint8_t ready;      /* if owned: events reported since the last try for them */
        uint8_t waited_for; /* events that `waiter` waits for */
        /* A hang-up, an error or urgent data was reported. A short read may then leave data. */
        bool gone;
        bool drained; /* the latest read left no data; new data causes an event */
        bool owned : 1;
        bool registered : 1; /* for the back end: the kernel may have it registered */
        /* If owned: the owner closes it after the last call that uses it. No task may wait. */
        bool closing : 1;
        bool is_tcp : 1; /* socket of a TCP stream: a short read leaves no data */
        bool is_served : 1;
        uint16_t tenancy; /* changes when the descriptor gets or loses an owner */
        /*
         * If owned: the task that began to wait when no other task did, or NULL. Because the entry
         * names it, a wake-up does not touch the task's stack.
         */
        union {
                belay_task *waiter;
                struct bly_fd_server *server; /* if is_served */
        };
        struct bly_link waits;      /* struct bly_fd_wait of all other waits */
        struct bly_link ops;        /* struct bly_op of all operations in progress */
        struct bly_fd_owner *owner; /* if owned */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct bly_fd) <= BLY_CACHE_LINE,
               "a line of the cache");

/* A wait until a descriptor is ready, on the stack of the task that waits. */
struct bly_fd_wait {
        struct bly_wait wait;
        /*
         * Link in bly_fd.waits until the wait is over. next is NULL if this is bly_fd.waiter's
         * wait.
         */
        struct bly_link link;
        belay_task *task;
        struct bly_fd *fd;
        const char *what; /* "read", for reports */
        uint8_t events;
        uint8_t got;    /* of `events`, those that ended the wait */
        bool forgotten; /* ended by bly_fd_forget() */
};

/*
 * Operations that a back end performs as a whole.
 *
 * Each kind takes the arguments of the system call in its comment, and bly_op.result is the result
 * of that call or a negative errno. A struct bly_op lies on the stack of its task, which waits
 * until the operation is over. The kernel may use the operation's memory until the back end
 * reports its completion, even after stop().
 */
enum bly_op_kind {
        BLY_OP_RECEIVE,         /* recv(fd, address, length, flags) */
        BLY_OP_SEND_MESSAGE,    /* sendmsg(fd, address, flags) */
        BLY_OP_RECEIVE_MESSAGE, /* recvmsg(fd, address, flags) */
        BLY_OP_ACCEPT,          /* accept4(fd, NULL, NULL, flags) */
        BLY_OP_CONNECT,         /* connect(fd, address, length) */
        BLY_OP_READ,            /* pread(fd, address, length, offset); offset -1: read() */
        BLY_OP_WRITE,           /* pwrite(), likewise */
        BLY_OP_OPEN,            /* openat(fd, address, flags, length) */
        BLY_OP_CLOSE,           /* close(fd) */
        BLY_OP_SYNC,            /* fsync(fd); fdatasync(fd) if flags */
        BLY_OP_STAT,            /* statx(fd, address, flags, length, other) */
        BLY_OP_RENAME,          /* renameat(fd, address, fd, other) */
        BLY_OP_REMOVE,          /* unlinkat(fd, address, flags) */
        BLY_OP_MAKE_DIRECTORY,  /* mkdirat(fd, address, length) */
        BLY_OP_KINDS
};

struct bly_op {
        struct bly_wait wait;
        struct bly_link link; /* in bly_fd.ops if slot is not NULL */
        belay_task *task;
        struct bly_fd *slot; /* entry of the owned descriptor, or NULL */
        const char *what;    /* "read", for reports */
        enum bly_op_kind kind;
        int fd;
        const void *address;
        const void *other;
        size_t length;
        int64_t offset;
        int flags;
        /* A virtual clock stands still during the operation, which is certain to end by itself. */
        bool holds_time;
        bool stopped;       /* stop() was called for it */
        bool forgotten;     /* bly_fd_forget() was called meanwhile */
        uint64_t user_data; /* identifier for the back end, with a generation */
        ssize_t result;
};

/* The functions of a back end. The library calls all of them in the loop's thread. */
struct bly_backend {
        const char *name;
        /*
         * Prepares the back end, and makes wait() return when io->loop->inbox->wake_fd becomes
         * readable. Returns 0, or a negative errno if the system does not support the back end.
         */
        int (*open)(struct bly_io *io);
        void (*close)(struct bly_io *io);
        /*
         * Submits queued work, waits for an event, and reports all events through bly_fd_happened()
         * and bly_op_over(). The wait lasts at most `span` (0: no wait, BELAY_NEVER: no limit). If
         * the inbox's wake_fd was readable, wait() sets loop->inbox->attention.
         */
        void (*wait)(struct bly_io *io, belay_time span);
        /*
         * Submits queued work, and returns a descriptor for a host loop, always the same, or a
         * negative errno. The descriptor is readable when wait() has an event to report or the
         * inbox's wake_fd is readable.
         */
        int (*descriptor)(struct bly_io *io);
        /*
         * Watches a descriptor for all events that tasks wait for (bly_fd_wanted()), and updates
         * fd->armed. The library calls it when a task waits for an event that fd->armed lacks. If
         * the descriptor is not owned, fd->generation changes, too. Returns 0 or a negative errno,
         * which is -EPERM if the descriptor cannot be polled.
         *
         * If `same` is true, tasks have waited for the descriptor before. They must not wait for
         * another descriptor that has received the same number; watch() then returns -EBADF.
         */
        int (*watch)(struct bly_io *io, struct bly_fd *fd, bool same);
        /*
         * Ends the watch for a descriptor that loses its owner or its last wait. If `closing` is
         * true, it has been closed or may be closed at once; otherwise it stays open.
         */
        void (*unwatch)(struct bly_io *io, struct bly_fd *fd, bool closing);
        /*
         * begin() starts an operation. stop() requests its end, and its completion still comes.
         * Both are NULL if the back end performs no operations.
         */
        int (*begin)(struct bly_io *io, struct bly_op *op);
        void (*stop)(struct bly_io *io, struct bly_op *op);
};

enum {
        BLY_FD_PAGE = 64,
};

struct bly_io {
        struct belay_loop *loop;
        const struct bly_backend *backend;
        void *state;           /* private to the back end */
        struct bly_fd **pages; /* table entries by number, BLY_FD_PAGE on each page */
        size_t page_count;
        size_t waiting;    /* number of waits for descriptors and operations */
        size_t holding;    /* of them, number of operations with holds_time */
        belay_time looked; /* instant at which the back end was last polled */
        int tries;         /* under a virtual clock: tries left before a yield */
        /*
         * Buffers of belay_copy(), or NULL. `shared` holds bytes in transit, and no longer than
         * until the next wait. `reserve` becomes the buffer of a stream for bytes that must
         * outlast a wait.
         */
        char *shared, *reserve;
        size_t owned; /* number of owned entries, which outlive the loop */
        bool closed;  /* the loop is closed */
};

extern const struct bly_backend bly_epoll_backend;

#if __has_include(<liburing.h>) && !defined(BLY_NO_URING)
#define BLY_HAVE_URING 1
extern const struct bly_backend bly_uring_backend;
#endif

/* ---- the I/O state of a loop (io.c) ---- */

/* Makes loop->io when it is first needed. Returns NULL with errno on failure. */
struct bly_io *bly_io_make(struct belay_loop *loop);
/*
 * Called when the loop is made. If io_uring is requested, opens the back end at once, to find out
 * whether the system supports it. Returns 0 or a negative errno.
 */
int bly_io_begin(struct belay_loop *loop);
void bly_io_close(struct belay_loop *loop);
/* Frees the memory, after the loop was closed and the last owned descriptor has lost its owner. */
void bly_io_free(struct bly_io *io);

static inline struct bly_io *bly_io_of(struct belay_loop *loop) {
        return likely(loop->io != NULL) ? loop->io : bly_io_make(loop);
}

/* Calls the back end's wait(), and preserves errno. */
void bly_io_wait(struct bly_io *io, belay_time span);

/* ---- descriptors (fd.c) ---- */

/*
 * Returns the table entry of a descriptor. Returns NULL if the number is negative or memory is
 * short. Also returns NULL if the table would have to grow for a number that is not open.
 */
struct bly_fd *bly_fd_at(struct bly_io *io, int fd);
/*
 * Makes `owner` the owner of a descriptor, and stores its table entry in *fd. Returns 0 or -ENOMEM,
 * or -EBUSY if the descriptor belongs to another owner, which is logged. `fresh` says that the
 * system has just assigned the number, so that an earlier owner must have lost it.
 */
int bly_fd_own(struct bly_io *io, int number, struct bly_fd_owner *owner, bool fresh,
               struct bly_fd **fd);
/*
 * Ends the ownership of a descriptor, for example before it is closed, and ends all waits for it.
 * An owner that has lost its descriptor must not call this.
 */
void bly_fd_disown(struct bly_io *io, struct bly_fd *fd, bool closing);
/*
 * Makes all waits for a descriptor return -EBADF, and stops its operations, which return -EBADF if
 * nothing has happened. Returns the number of waits and operations that it ended or stopped.
 */
int bly_fd_forget(struct bly_io *io, struct bly_fd *fd);

/*
 * Waits until an owned descriptor may be ready for one of `events`. Returns 0 if the caller should
 * try again, which includes a descriptor that cannot be polled. Otherwise returns -ECANCELED,
 * -EDEADLK, -EBADF if the descriptor was forgotten, or the error of watch().
 */
int bly_fd_wait(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what,
                const char *place);

/* As bly_fd_wait(), but an event wakes the task only if the server's serve() returns false. */
int bly_fd_wait_served(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what,
                       const char *place, struct bly_fd_server *server);

/*
 * Counts a try that may need no wait, and returns whether the task must yield before it. On a real
 * clock I/O uses the same count as acquiring (bly_try()). Under a virtual clock acquiring counts no
 * tries, so I/O has a count of its own.
 */
static inline bool bly_io_tried_enough(struct bly_io *io) {
        return unlikely(likely(!io->loop->is_virtual) ? --bly_tries == 0 : --io->tries <= 0);
}

/* Called before a wait. All other ready tasks run during the wait, so the counts start again. */
static inline void bly_io_refill(struct bly_io *io) {
        io->tries = BLY_TRIES;
        bly_tries = BLY_TRIES;
}

/*
 * Yields before a try, so that a task that never has to wait does not starve others. Returns 0 or
 * -ECANCELED.
 */
int bly_yield_before_trying(struct bly_io *io, const char *place);
/* The same for an owned descriptor. Returns -EBADF if its owner lost it during the yield. */
int bly_fd_yield(struct bly_io *io, const struct bly_fd *fd, const char *place);

/*
 * Called before a try for `events`. Clears them in fd->ready, because the try consumes what was
 * reported so far. If the function returns an error, fd->ready is unchanged. Returns 0, -ECANCELED
 * or -EBADF.
 */
static inline int bly_fd_try(struct bly_io *io, struct bly_fd *fd, unsigned events,
                             const char *place) {
        if (bly_io_tried_enough(io)) {
                int rc = bly_fd_yield(io, fd, place);

                if (rc < 0)
                        return rc;
        }
        fd->ready &= (uint8_t) ~events;
        return 0;
}

/*
 * Called by back ends to report events of a descriptor. BLY_GONE reports a hang-up or an error, and
 * under epoll also urgent data on an owned descriptor, in addition.
 */
enum { BLY_GONE = 128 };
void bly_fd_happened(struct bly_io *io, struct bly_fd *fd, unsigned events);

/* Returns all events that tasks wait for on the descriptor, BELAY_READABLE..., or 0. */
unsigned bly_fd_wanted(const struct bly_fd *fd);

/* ---- operations (op.c) ---- */

static inline bool bly_performs(const struct bly_io *io) {
        return io->backend->begin != NULL;
}

/*
 * Lets the back end perform an operation, waits until it is over, and returns its result. If the
 * operation had no effect, the function returns -ECANCELED for a cancellation request, and -EBADF
 * if the descriptor was forgotten.
 */
ssize_t bly_perform(struct bly_io *io, struct bly_op *op, const char *place);

/* Called by back ends when an operation is over. */
void bly_op_over(struct bly_io *io, struct bly_op *op, ssize_t result);

/* ---- names, for reports (address.c) ---- */

/* Writes an address in the form of an endpoint. Returns `text`. */
struct sockaddr;
char *bly_address_text(const struct sockaddr *address, unsigned length, char *text, size_t size);
/* Writes what a descriptor is: "tcp 127.0.0.1:80", "pipe", "terminal", "fd 7". Returns `text`. */
char *bly_fd_name(int fd, char *text, size_t size);
/* Returns a text such as "read fd 7 (pipe)", valid until the next call in this thread. */
const char *bly_fd_doing(const char *what, int fd);

#endif
