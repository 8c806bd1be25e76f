/* SPDX-License-Identifier: MIT */
/*
 * The ring of a loop, for the files that io_uring's back end consists of.
 *
 * What a completion is of stands in its ticket: a kind, a number and a generation. The kernel gives exactly one
 * last completion for each entry that was handed in, but it may come when who asked is long gone; the generation
 * then says so.
 */
#ifndef BLY_URING_H
#define BLY_URING_H

#include "io/io.h"

#ifdef BLY_HAVE_URING
#include <liburing.h>

enum bly_user_data_kind {
        BLY_OF_NOBODY,
        BLY_OF_OPERATION,               /* the number is that of its seat */
        BLY_OF_STOP,                    /* asks that operation to end */
        BLY_OF_DESCRIPTOR,              /* the number is its own */
        BLY_OF_BELL,
};

/* An operation that goes on has a seat in the ring, until its completion has come. */
struct bly_seat {
        struct bly_op *op;              /* NULL: free */
        uint32_t generation;            /* of the next or present operation */
        uint32_t next;                  /* free: the next free one */
        unsigned entry;                 /* where it stands, or stood, in the queue of entries */
        bool revoked;                   /* it was taken back before it was handed in */
        bool to_stop;                   /* its end is still to be asked for, or once more */
};

struct bly_uring {
        struct io_uring queues;
        struct bly_seat *seats;
        uint32_t seat_count, free_seat; /* free_seat is seat_count: none */
        uint32_t going_on;              /* operations */
        uint32_t to_stop;               /* of them, those whose end is still to be asked for */
        int outside, told_fd;           /* see uring_beside.c; -1: nobody waits for us from outside */
        int known;                      /* an epoll instance that knows what is polled, and tells nobody of it */
        bool bell_armed;
        bool ends_polls;                /* some were asked to end, and that is not handed in yet */
        bool complained;
        uint8_t quiet;                  /* the flag for entries whose success is not told; 0: there is none */
};

static inline uint64_t bly_user_data(enum bly_user_data_kind kind, uint32_t number, uint32_t generation) {
        return (uint64_t) kind << 61 | (uint64_t) number << 32 | generation;
}

static inline enum bly_user_data_kind bly_user_data_kind(uint64_t ticket) {
        return (enum bly_user_data_kind) (ticket >> 61);
}

static inline uint32_t bly_user_data_number(uint64_t ticket) {
        return ticket >> 32 & 0x1fffffff;
}

static inline uint64_t bly_user_data_of(const struct bly_fd *fd) {
        return bly_user_data(BLY_OF_DESCRIPTOR, (uint32_t) fd->fd, fd->generation);
}

/* ---- the queues (uring.c) ---- */

/* Room for so many entries, after handing in what stands there if need be: 0 or a negative errno. */
int bly_uring_reserve(struct bly_uring *ring, unsigned entries);

/* Hands in all that there is, and has the kernel do what it put off; waits for nothing. */
void bly_uring_hand_in(struct bly_uring *ring);
/* Tells of the completions that are there. With no `io`, there is nobody left to be told. */
void bly_uring_take(struct bly_uring *ring, struct bly_io *io);
/* What a descriptor was armed for is so, or something else that poll() tells of. */
void bly_uring_happened(struct bly_io *io, uint64_t ticket, int result);

/* The kernel has more completions than those that are there. */
static inline bool bly_uring_has_more(const struct bly_uring *ring) {
        return IO_URING_READ_ONCE(*ring->queues.sq.kflags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
}

/* ---- beside another loop (uring_beside.c) ---- */

/* What is to be ring->outside, or a negative errno. */
int bly_uring_embed_open(struct bly_io *io);
int bly_uring_embed_arm(struct bly_uring *ring, struct bly_fd *fd, unsigned events, bool same);
void bly_uring_embed_disarm(struct bly_uring *ring, struct bly_fd *fd);
void bly_uring_embed_wait(struct bly_io *io, belay_time span);
/* Makes the descriptor readable if there is something to take. */
void bly_uring_embed_tell(struct bly_uring *ring);

/* ---- operations (uring_op.c) ---- */

int bly_uring_begin(struct bly_io *io, struct bly_op *op);
void bly_uring_stop(struct bly_io *io, struct bly_op *op);
/* Asks those to end that are still to be asked. */
void bly_uring_stop_late(struct bly_uring *ring);
/* What became of having asked. */
void bly_uring_stopped(struct bly_uring *ring, uint64_t ticket, int result);
/* Asks all to end. */
void bly_uring_stop_all(struct bly_uring *ring);
/* A completion; as with bly_uring_take(). */
void bly_uring_completed(struct bly_uring *ring, struct bly_io *io, uint64_t ticket, int result);

/* What each kind is to the kernel. */
extern const uint8_t bly_uring_needs[BLY_OP_KINDS];

#endif
#endif
