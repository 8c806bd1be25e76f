/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and their waits, above the back ends.
 *
 * Each descriptor that a loop deals with has a place in a table, by its number. One that belongs to belay (`owned`: of a
 * stream, a listener) is never closed but by us, so that the back end may keep it registered; one that is somebody
 * else's is armed for one wait and forgotten after it, since it may be closed and its number given out again at any time.
 *
 * There are two ways to do something with a descriptor:
 *     - try it, and if it would block wait until it is ready, and try again: bly_fd_try() before, bly_fd_wait() after;
 *     - have the back end do it, bly_perform(), where it can (bly_performs()).
 * In both what happened wins: who finds that something moved returns it, and the request stays for the next wait.
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
 * What goes on with a descriptor whenever it is ready, while its task sleeps: called by who looks at the back end, on
 * whatever stack that is. Never waits, and is short. False: the task is to go on.
 */
struct bly_fd_server {
        bool (*serve)(struct bly_fd_server *server, struct bly_fd *fd);
        belay_task *task;
};

/*
 * What owns a descriptor: the beginning of a stream's, a listener's and the like. A program may close a descriptor behind its
 * owner's back, and its number is then another's. That is found out when the next owner comes for the number. The earlier one
 * has lost its descriptor then: it neither uses nor closes the number any more, and its place in the table is the other's.
 */
struct bly_fd_owner {
        const char *what;               /* "a stream" */
        const char *place;              /* where it was made; NULL */
        /* Is this number still the descriptor that it was? NULL: it is not known, so yes. */
        bool (*is_same)(const struct bly_fd_owner *owner, int fd);
        void (*lost)(struct bly_fd_owner *owner);
        bool is_lost;
};

/* A descriptor's place in the table: one line of the cache. */
struct bly_fd {
        int fd;
        uint32_t generation;            /* changes with each owner and each arming of one that is not owned */
        uint8_t armed;                  /* BELAY_READABLE...: what the back end watches for */
        uint8_t ready;                  /* owned: came while nobody waited for it */
        uint8_t waited_for;             /* by `waiter` */
        bool gone;                      /* hung up, failed, or urgent: that a read was short does not show that nothing is left */
        bool drained;                   /* the latest read showed that nothing is left; more is announced */
        bool owned : 1;
        bool registered : 1;            /* the back end's: it may still know the descriptor */
        bool closing : 1;               /* owned: as soon as nobody is at it any more; nobody waits for it any more */
        bool is_tcp : 1;                /* a stream's: a read that was short does show that nothing is left */
        bool is_served : 1;
        uint16_t tenancy;               /* changes with each owner, and when it has none any more */
        union {                         /* owned: who came when nobody waited, so that to wake it needs no look at its stack; NULL */
                belay_task *waiter;
                struct bly_fd_server *server;   /* if is_served */
        };
        struct bly_link waits;          /* struct bly_fd_wait, of all others */
        struct bly_link ops;            /* struct bly_op, all that go on */
        struct bly_fd_owner *owner;        /* if owned */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct bly_fd) <= BLY_CACHE_LINE, "a line of the cache");

/* A task that waits until a descriptor is ready. On its stack. */
struct bly_fd_wait {
        struct bly_wait wait;
        struct bly_link link;           /* in bly_fd.waits, and unlinked when it is over; or next is NULL: it is bly_fd.waiter */
        belay_task *task;
        struct bly_fd *fd;
        const char *what;               /* "read", for reports */
        uint8_t events;
        uint8_t got;
        bool forgotten;                 /* the descriptor is being closed */
};

/*
 * Operations that a back end does as a whole, with what they would have from a system call: `result` is its result or a
 * negative errno. On the stack of the task, which waits until it is over: an operation that is asked to stop is over when the
 * back end says so, and its memory is used until then.
 */
enum bly_op_kind {
        BLY_OP_RECEIVE,                 /* recv(fd, address, length, flags) */
        BLY_OP_SEND_MESSAGE,            /* sendmsg(fd, address, flags) */
        BLY_OP_RECEIVE_MESSAGE,         /* recvmsg(fd, address, flags) */
        BLY_OP_ACCEPT,                  /* accept4(fd, NULL, NULL, flags) */
        BLY_OP_CONNECT,                 /* connect(fd, address, length) */
        BLY_OP_READ,                    /* pread(fd, address, length, offset); offset -1: read() */
        BLY_OP_WRITE,                   /* pwrite(), likewise */
        BLY_OP_OPEN,                    /* openat(fd, address, flags, length) */
        BLY_OP_CLOSE,                   /* close(fd) */
        BLY_OP_SYNC,                    /* fsync(fd); fdatasync(fd) if flags */
        BLY_OP_STAT,                    /* statx(fd, address, flags, length, other) */
        BLY_OP_RENAME,                  /* renameat(fd, address, fd, other) */
        BLY_OP_REMOVE,                  /* unlinkat(fd, address, flags) */
        BLY_OP_MAKE_DIRECTORY,          /* mkdirat(fd, address, length) */
        BLY_OP_KINDS
};

struct bly_op {
        struct bly_wait wait;
        struct bly_link link;           /* in bly_fd.ops where slot is not NULL */
        belay_task *task;
        struct bly_fd *slot;            /* of an owned descriptor; may be NULL */
        const char *what;               /* "read", for reports */
        enum bly_op_kind kind;
        int fd;
        const void *address;
        const void *other;
        size_t length;
        int64_t offset;
        int flags;
        bool holds_time;                /* under a virtual clock time stands still meanwhile: it is sure to end by itself */
        bool stopped;                   /* the back end was asked to end it */
        bool forgotten;                 /* the descriptor is being closed */
        uint64_t ticket;                /* the back end's, with a generation */
        ssize_t result;
};

/* What a loop can wait for descriptors with. All functions are called in the loop's thread. */
struct bly_backend {
        const char *name;
        /* 0 or a negative errno: not usable here. Sees to it that io->loop->inbox->wake_fd ends a wait. */
        int (*open)(struct bly_io *io);
        void (*close)(struct bly_io *io);
        /*
         * Hands in what is still to be handed in, waits for `span` at most (0: not at all, BELAY_NEVER: without limit)
         * until something happened, and tells of it: bly_fd_happened(), bly_op_over(). If it was the bell, sets loop->inbox->attention.
         */
        void (*wait)(struct bly_io *io, belay_time span);
        /*
         * Hands in what is still to be handed in, and returns a descriptor, always the same, that is readable when wait() has something
         * to tell or the bell was rung. Or a negative errno.
         */
        int (*descriptor)(struct bly_io *io);
        /*
         * Who waits for it has changed: somebody waits for more than fd->armed, which is to be brought up to date,
         * fd->generation with it for those not owned. 0 or a negative errno; -EPERM: it cannot be polled. `same`: it is for tasks
         * that wait already. If the number stands for another descriptor by now, they are not to wait for that one: -EBADF.
         */
        int (*watch)(struct bly_io *io, struct bly_fd *fd, bool same);
        /* The descriptor belongs to nobody any more, and is closed at once (`closing`) or stays open. */
        void (*unwatch)(struct bly_io *io, struct bly_fd *fd, bool closing);
        /* Begins an operation, or asks for its end (its result comes all the same). NULL where there are none. */
        int (*begin)(struct bly_io *io, struct bly_op *op);
        void (*stop)(struct bly_io *io, struct bly_op *op);
};

enum {
        BLY_FD_PAGE = 64,
};

struct bly_io {
        struct belay_loop *loop;
        const struct bly_backend *backend;
        void *state;                    /* the back end's */
        struct bly_fd **pages;          /* of BLY_FD_PAGE each, by number */
        size_t page_count;
        size_t waiting;                 /* tasks that something outside may wake */
        size_t holding;                 /* of them, those that hold the virtual time */
        belay_time looked;              /* when the back end was last asked */
        int tries;                       /* under a virtual clock: tries that need no wait, until a task gives way */
        char *shared, *reserve;         /* of who copies: for bytes on their way between two waits, and for those that stay; NULL */
        size_t owned;                   /* descriptors; their places in the table outlive the loop */
        bool closed;                    /* with the loop */
};

extern const struct bly_backend bly_epoll_backend;

#if __has_include(<liburing.h>) && !defined(BLY_NO_URING)
#  define BLY_HAVE_URING 1
extern const struct bly_backend bly_uring_backend;
#endif

/* ---- the loop's (io.c) ---- */

/* Makes it when it is first needed, NULL with errno. */
struct bly_io *bly_io_make(struct belay_loop *loop);
/* With the loop, where io_uring is asked for: whether it can be had is found out then. 0 or a negative errno. */
int bly_io_begin(struct belay_loop *loop);
void bly_io_close(struct belay_loop *loop);
/* Its memory goes when the loop is closed and nothing is owned any more. */
void bly_io_free(struct bly_io *io);

static inline struct bly_io *bly_io_of(struct belay_loop *loop) {
        return likely(loop->io != NULL) ? loop->io : bly_io_make(loop);
}

/* The back end's wait(). */
void bly_io_wait(struct bly_io *io, belay_time span);

/* ---- descriptors (fd.c) ---- */

/* The place of a descriptor; NULL without memory, or if it is negative. */
struct bly_fd *bly_fd_at(struct bly_io *io, int fd);
/*
 * It is this owner's from now on: 0 with its place; -ENOMEM; -EBUSY: it is another's, which is reported. `fresh`: the system
 * has just given the number out, so that an earlier owner has lost it.
 */
int bly_fd_own(struct bly_io *io, int number, struct bly_fd_owner *owner, bool fresh, struct bly_fd **fd);
/* It is nobody's any more, as before it is closed: nobody may wait for it any more. Not by an owner that has lost it. */
void bly_fd_disown(struct bly_io *io, struct bly_fd *fd, bool closing);
/* All that wait for it, or have an operation going on it, return -EBADF as soon as they can. How many that were. */
int bly_fd_forget(struct bly_io *io, struct bly_fd *fd);

/*
 * Waits until an owned descriptor may be one of `events`. 0: to be tried again, now; -ECANCELED, -EDEADLK, -EBADF
 * (forgotten), or why it could not be watched.
 */
int bly_fd_wait(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what, const char *place);

/* The same, but the task wakes up only when the server lets it. */
int bly_fd_wait_served(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what, const char *place,
                       struct bly_fd_server *server);

/*
 * Before a try that may need no wait: whether the task is to give way first. On a real clock I/O spends the same tries as
 * acquiring (bly_try()). Under a virtual clock acquiring spends none, so that I/O has a count of its own.
 */
static inline bool bly_io_tried_enough(struct bly_io *io) {
        return unlikely(likely(!io->loop->is_virtual) ? --bly_tries == 0 : --io->tries <= 0);
}

/* A wait lets everybody in, after which all tries are there again. */
static inline void bly_io_refill(struct bly_io *io) {
        io->tries = BLY_TRIES;
        bly_tries = BLY_TRIES;
}

/* A task that never waits gives way now and then, before it tries: 0 or -ECANCELED. */
int bly_give_way_before_trying(struct bly_io *io, const char *place);
/* The same for an owned descriptor. -EBADF: its owner has lost it meanwhile. */
int bly_fd_give_way(struct bly_io *io, const struct bly_fd *fd, const char *place);

/* Before a try: what was announced until now is what is tried. Who is cancelled instead leaves it announced. */
static inline int bly_fd_try(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *place) {
        if (bly_io_tried_enough(io)) {
                int rc = bly_fd_give_way(io, fd, place);

                if (rc < 0)
                        return rc;
        }
        fd->ready &= (uint8_t) ~events;
        return 0;
}

/* By back ends: these things happened to it. With BLY_GONE, it is hung up or failed as well. */
enum { BLY_GONE = 128 };
void bly_fd_happened(struct bly_io *io, struct bly_fd *fd, unsigned events);

/* What tasks wait for on it, together: BELAY_READABLE..., 0 if none does. */
unsigned bly_fd_wanted(const struct bly_fd *fd);

/* BELAY_READABLE... as poll() and epoll have it, and back: then with BLY_GONE. */
unsigned bly_poll_of(unsigned events);
unsigned bly_events_of(unsigned bits);

/* ---- operations (op.c) ---- */

static inline bool bly_performs(const struct bly_io *io) {
        return io->backend->begin != NULL;
}

/*
 * Has the back end do it, and waits until it is done. Its result; -ECANCELED only for a request, when nothing happened; -EBADF if the
 * descriptor was forgotten and nothing happened.
 */
ssize_t bly_perform(struct bly_io *io, struct bly_op *op, const char *place);

/* By back ends: it is over. */
void bly_op_over(struct bly_io *io, struct bly_op *op, ssize_t result);

/* ---- names, for reports (name.c) ---- */

/* An address as an endpoint's text. Returns `text`. */
struct sockaddr;
char *bly_address_text(const struct sockaddr *address, unsigned length, char *text, size_t size);
/* What a descriptor is: "tcp 127.0.0.1:80", "pipe", "terminal", "fd 7". Returns `text`. */
char *bly_fd_name(int fd, char *text, size_t size);
/* "read fd 7 (pipe)": until the next call in this thread. */
const char *bly_fd_doing(const char *what, int fd);

#endif
