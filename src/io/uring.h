/* SPDX-License-Identifier: MIT */
/*
 * The ring of a loop, shared by the files of the io_uring back end.
 *
 * The user_data of each entry, which its completions repeat, consists of a kind, a number and a
 * generation. The kernel gives exactly one last completion for each submitted entry. If the
 * operation is over or the descriptor has been armed anew by then, the generation does not match.
 */
#ifndef BLY_URING_H
#define BLY_URING_H

#include "io/io.h"

#ifdef BLY_HAVE_URING
#include <liburing.h>

enum bly_user_data_kind {
        BLY_OF_NOBODY,
        BLY_OF_OPERATION,  /* an operation; the number is that of its seat */
        BLY_OF_STOP,       /* a cancel entry for the operation in that seat */
        BLY_OF_DESCRIPTOR, /* a poll; the number is that of the descriptor */
        BLY_OF_WAKE_FD,
};

/* The record of an operation from bly_uring_begin() until its completion. */
struct bly_seat {
        struct bly_op *op;   /* NULL if the seat is free */
        uint32_t generation; /* generation of the present or next operation */
        uint32_t next;       /* next free seat, if this one is free */
        unsigned entry;      /* present or past position in the submission queue */
        bool revoked;        /* replaced by a no-op before its submission */
        bool to_stop;        /* needs a cancel entry, or another one */
};

struct bly_uring {
        struct io_uring queues;
        struct bly_seat *seats;
        uint32_t seat_count, free_seat; /* free_seat equals seat_count if no seat is free */
        uint32_t going_on;              /* number of operations in progress */
        uint32_t to_stop;               /* number of seats with to_stop */
        /* Epoll instance and eventfd of uring_embed.c, or -1 if the loop waits in the ring. */
        int outside, completion_fd;
        int known;       /* epoll instance that identifies files, see note() */
        bool bell_armed; /* the ring polls the inbox's wake_fd */
        bool ends_polls; /* cancel entries for polls are queued and not submitted */
        bool complained; /* an error of a submission was logged */
        uint8_t quiet;   /* flag for no completion on success, 0 if not supported */
};

static inline uint64_t bly_user_data(enum bly_user_data_kind kind, uint32_t number,
                                     uint32_t generation) {
        return (uint64_t) kind << 61 | (uint64_t) number << 32 | generation;
}

static inline enum bly_user_data_kind bly_user_data_kind(uint64_t user_data) {
        return (enum bly_user_data_kind)(user_data >> 61);
}

static inline uint32_t bly_user_data_number(uint64_t user_data) {
        return user_data >> 32 & 0x1fffffff;
}

static inline uint64_t bly_user_data_of(const struct bly_fd *fd) {
        return bly_user_data(BLY_OF_DESCRIPTOR, (uint32_t) fd->fd, fd->generation);
}

/* ---- the queues (uring.c) ---- */

/*
 * Makes room for this number of entries in the submission queue, by submitting the queued ones if
 * necessary. Returns 0 or a negative errno.
 */
int bly_uring_reserve(struct bly_uring *ring, unsigned entries);

/* Submits all queued entries, and makes the kernel run work that it has deferred. Does not wait. */
void bly_uring_hand_in(struct bly_uring *ring);
/*
 * Dispatches all available completions. If `io` is NULL, the loop is being closed, and neither
 * tasks nor the loop are notified.
 */
void bly_uring_take(struct bly_uring *ring, struct bly_io *io);
/* Reports the result of a poll to its descriptor, unless the descriptor was armed anew since. */
void bly_uring_happened(struct bly_io *io, uint64_t user_data, int result);

/* Returns whether the kernel has more completions than those in the completion queue. */
static inline bool bly_uring_has_more(const struct bly_uring *ring) {
        return IO_URING_READ_ONCE(*ring->queues.sq.kflags)
               & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
}

/* ---- embedded in a host loop (uring_embed.c) ---- */

/*
 * Makes the epoll instance for ring->outside, and sets ring->completion_fd. Returns it or a
 * negative errno.
 */
int bly_uring_embed_open(struct bly_io *io);
int bly_uring_embed_arm(struct bly_uring *ring, struct bly_fd *fd, unsigned events, bool same);
void bly_uring_embed_disarm(struct bly_uring *ring, struct bly_fd *fd);
void bly_uring_embed_wait(struct bly_io *io, belay_time span);
/* Makes ring->outside readable if completions are available. */
void bly_uring_embed_signal(struct bly_uring *ring);

/* ---- operations (uring_op.c) ---- */

int bly_uring_begin(struct bly_io *io, struct bly_op *op);
void bly_uring_stop(struct bly_io *io, struct bly_op *op);
/* Queues the cancel entries that are still missing (to_stop). */
void bly_uring_stop_late(struct bly_uring *ring);
/* Handles the completion of a cancel entry. */
void bly_uring_stopped(struct bly_uring *ring, uint64_t user_data, int result);
/* Requests the end of all operations. */
void bly_uring_stop_all(struct bly_uring *ring);
/* Handles the completion of an operation. For `io` see bly_uring_take(). */
void bly_uring_completed(struct bly_uring *ring, struct bly_io *io, uint64_t user_data, int result);

/* The kernel's opcode for each kind of operation. */
extern const uint8_t bly_uring_needs[BLY_OP_KINDS];

#endif
#endif
