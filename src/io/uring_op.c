/* SPDX-License-Identifier: MIT */
/*
 * Operations by io_uring: their beginning, their cancellation and their completion.
 *
 * If stop() comes before the submission of an entry, the entry becomes a no-op. The operation then
 * never happens, whatever its descriptor's number stands for by then.
 *
 * An operation on an owned descriptor that is not being closed is an exception: it is submitted,
 * and then cancelled. Like a system call that is tried before its task waits, it takes what is
 * there.
 *
 * A submitted operation is over when its own completion comes, before or after that of the cancel
 * entry.
 */
#define _GNU_SOURCE
#include "io/uring.h"

#ifdef BLY_HAVE_URING
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_VALGRIND 1
#endif

/* ---- seats ---- */

enum { SEATS_LEAST = 64, SEATS_MOST = 1 << 29 };

static bool add_seats(struct bly_uring *ring) {
        uint32_t count = ring->seat_count == 0 ? SEATS_LEAST : ring->seat_count * 2;
        struct bly_seat *seats = count <= SEATS_MOST
                                         ? bly_realloc(ring->seats, count * sizeof(*seats))
                                         : NULL;

        if (seats == NULL)
                return false;
        for (uint32_t i = ring->seat_count; i < count; i++)
                seats[i] = (struct bly_seat) { .next = i + 1 };
        ring->seats = seats;
        ring->seat_count = count;
        return true;
}

/* Returns the seat of an operation in progress, or NULL if the operation is over. */
static struct bly_seat *seat_of(struct bly_uring *ring, uint64_t user_data) {
        uint32_t number = bly_user_data_number(user_data);
        struct bly_seat *seat;

        if (number >= ring->seat_count)
                return NULL;
        seat = &ring->seats[number];
        return seat->op != NULL && seat->generation == (uint32_t) user_data ? seat : NULL;
}

static void leave_seat(struct bly_uring *ring, struct bly_seat *seat) {
        ring->to_stop -= seat->to_stop;
        ring->going_on--;
        seat->op = NULL;
        seat->generation++;
        seat->next = ring->free_seat;
        ring->free_seat = (uint32_t) (seat - ring->seats);
}

/* ---- beginning ---- */

const uint8_t bly_uring_needs[BLY_OP_KINDS] = {
        [BLY_OP_RECEIVE] = IORING_OP_RECV,
        [BLY_OP_SEND_MESSAGE] = IORING_OP_SENDMSG,
        [BLY_OP_RECEIVE_MESSAGE] = IORING_OP_RECVMSG,
        [BLY_OP_ACCEPT] = IORING_OP_ACCEPT,
        [BLY_OP_CONNECT] = IORING_OP_CONNECT,
        [BLY_OP_READ] = IORING_OP_READ,
        [BLY_OP_WRITE] = IORING_OP_WRITE,
        [BLY_OP_OPEN] = IORING_OP_OPENAT,
        [BLY_OP_CLOSE] = IORING_OP_CLOSE,
        [BLY_OP_SYNC] = IORING_OP_FSYNC,
        [BLY_OP_STAT] = IORING_OP_STATX,
        [BLY_OP_RENAME] = IORING_OP_RENAMEAT,
        [BLY_OP_REMOVE] = IORING_OP_UNLINKAT,
        [BLY_OP_MAKE_DIRECTORY] = IORING_OP_MKDIRAT,
};

/* An entry has 32 bits for the length. System calls, too, move at most 0x7ffff000 bytes at once. */
static unsigned length_of(size_t length) {
        return length < 0x7ffff000 ? (unsigned) length : 0x7ffff000;
}

/* Most messages have one part and no address or control data. A plain send is cheaper for them. */
static void fill_send(struct io_uring_sqe *sqe, const struct bly_op *op) {
        const struct msghdr *message = op->address;
        const struct iovec *part = message->msg_iov;

        if (likely(message->msg_iovlen == 1 && message->msg_name == NULL
                   && message->msg_control == NULL))
                io_uring_prep_send(sqe, op->fd, part->iov_base, length_of(part->iov_len),
                                   op->flags);
        else
                io_uring_prep_sendmsg(sqe, op->fd, message, (unsigned) op->flags);
}

static void fill(struct io_uring_sqe *sqe, const struct bly_op *op) {
        void *address = (void *) op->address;

        switch (op->kind) {
        case BLY_OP_RECEIVE:
                io_uring_prep_recv(sqe, op->fd, address, length_of(op->length), op->flags);
                break;
        case BLY_OP_SEND_MESSAGE:
                fill_send(sqe, op);
                break;
        case BLY_OP_RECEIVE_MESSAGE:
                io_uring_prep_recvmsg(sqe, op->fd, address, (unsigned) op->flags);
                break;
        case BLY_OP_ACCEPT:
                io_uring_prep_accept(sqe, op->fd, NULL, NULL, op->flags);
                break;
        case BLY_OP_CONNECT:
                io_uring_prep_connect(sqe, op->fd, address, (socklen_t) op->length);
                break;
        case BLY_OP_READ:
                io_uring_prep_read(sqe, op->fd, address, length_of(op->length),
                                   (uint64_t) op->offset);
                break;
        case BLY_OP_WRITE:
                io_uring_prep_write(sqe, op->fd, address, length_of(op->length),
                                    (uint64_t) op->offset);
                break;
        case BLY_OP_OPEN:
                io_uring_prep_openat(sqe, op->fd, address, op->flags, (mode_t) op->length);
                /* Otherwise the kernel tries at once, and does not wait for a FIFO's peer. */
                sqe->flags |= IOSQE_ASYNC;
                break;
        case BLY_OP_CLOSE:
                io_uring_prep_close(sqe, op->fd);
                break;
        case BLY_OP_SYNC:
                io_uring_prep_fsync(sqe, op->fd, op->flags ? IORING_FSYNC_DATASYNC : 0);
                break;
        case BLY_OP_STAT:
                io_uring_prep_statx(sqe, op->fd, address, op->flags, (unsigned) op->length,
                                    (struct statx *) op->other);
                break;
        case BLY_OP_RENAME:
                io_uring_prep_renameat(sqe, op->fd, address, op->fd, op->other, 0);
                break;
        case BLY_OP_REMOVE:
                io_uring_prep_unlinkat(sqe, op->fd, address, op->flags);
                break;
        case BLY_OP_MAKE_DIRECTORY:
                io_uring_prep_mkdirat(sqe, op->fd, address, (mode_t) op->length);
                break;
        case BLY_OP_KINDS:
                break;
        }
}

int bly_uring_begin(struct bly_io *io, struct bly_op *op) {
        struct bly_uring *ring = io->state;
        struct io_uring_sqe *sqe;
        struct bly_seat *seat;
        int rc;

        if (unlikely(ring->free_seat == ring->seat_count) && !add_seats(ring))
                return -ENOMEM;
        rc = bly_uring_reserve(ring, 1);
        if (unlikely(rc < 0))
                return rc;
        seat = &ring->seats[ring->free_seat];
        op->user_data = bly_user_data(BLY_OF_OPERATION, ring->free_seat, seat->generation);
        ring->free_seat = seat->next;
        ring->going_on++;
        seat->op = op;
        seat->revoked = seat->to_stop = false;
        seat->entry = ring->queues.sq.sqe_tail;
        sqe = io_uring_get_sqe(&ring->queues);
        fill(sqe, op);
        sqe->user_data = op->user_data;
        return 0;
}

/* ---- cancelling ---- */

/* Returns the entry of an operation, or NULL if it was submitted already. */
static struct io_uring_sqe *entry_of(const struct bly_uring *ring, const struct bly_seat *seat,
                                     uint64_t user_data) {
        const struct io_uring_sq *queue = &ring->queues.sq;
        unsigned handed_in = io_uring_smp_load_acquire(queue->khead);
        struct io_uring_sqe *sqe = &queue->sqes[seat->entry & (queue->ring_entries - 1)];

        return seat->entry - handed_in < queue->sqe_tail - handed_in && sqe->user_data == user_data
                       ? sqe
                       : NULL;
}

static bool ask_to_end(struct bly_uring *ring, uint64_t user_data) {
        struct io_uring_sqe *sqe;

        if (bly_uring_reserve(ring, 1) < 0)
                return false;
        sqe = io_uring_get_sqe(&ring->queues);
        io_uring_prep_cancel64(sqe, user_data, 0);
        sqe->flags |= ring->quiet;
        sqe->user_data = bly_user_data(BLY_OF_STOP, bly_user_data_number(user_data),
                                       (uint32_t) user_data);
        return true;
}

static void stop_later(struct bly_uring *ring, struct bly_seat *seat) {
        ring->to_stop += !seat->to_stop;
        seat->to_stop = true;
}

void bly_uring_stop(struct bly_io *io, struct bly_op *op) {
        struct bly_uring *ring = io->state;
        struct bly_seat *seat = seat_of(ring, op->user_data);
        struct io_uring_sqe *sqe;

        /* The kernel releases the descriptor in any case, so that a close is never stopped. */
        if (seat == NULL || op->kind == BLY_OP_CLOSE)
                return;
        sqe = entry_of(ring, seat, op->user_data);
        if (sqe != NULL && (op->slot == NULL || op->forgotten)) {
                io_uring_prep_nop(sqe);
                sqe->user_data = op->user_data;
                seat->revoked = true;
        } else if (!ask_to_end(ring, op->user_data)) {
                stop_later(ring, seat);
        }
}

/*
 * -ENOENT says that the kernel did not find the operation, because it was between two tries. The
 * operation may then wait as if it had not been cancelled, so it needs another cancel entry.
 */
void bly_uring_stopped(struct bly_uring *ring, uint64_t user_data, int result) {
        struct bly_seat *seat = seat_of(ring, user_data);

        if (seat != NULL && result == -ENOENT)
                stop_later(ring, seat);
}

void bly_uring_stop_late(struct bly_uring *ring) {
        for (uint32_t number = 0; number < ring->seat_count && ring->to_stop > 0; number++) {
                struct bly_seat *seat = &ring->seats[number];

                if (seat->op == NULL || !seat->to_stop)
                        continue;
                if (!ask_to_end(ring, seat->op->user_data))
                        return;
                seat->to_stop = false;
                ring->to_stop--;
        }
}

void bly_uring_stop_all(struct bly_uring *ring) {
        for (uint32_t number = 0; number < ring->seat_count; number++) {
                struct bly_seat *seat = &ring->seats[number];

                if (seat->op != NULL)
                        stop_later(ring, seat);
        }
        bly_uring_stop_late(ring);
}

/* ---- completing ---- */

#ifdef HAVE_VALGRIND
static void mark_message(struct msghdr *message, size_t size) {
        VALGRIND_MAKE_MEM_DEFINED(message, sizeof(*message));
        VALGRIND_MAKE_MEM_DEFINED(message->msg_name, message->msg_namelen);
        VALGRIND_MAKE_MEM_DEFINED(message->msg_control, message->msg_controllen);
        for (size_t i = 0; i < message->msg_iovlen && size > 0; i++) {
                size_t part = message->msg_iov[i].iov_len < size ? message->msg_iov[i].iov_len
                                                                 : size;

                VALGRIND_MAKE_MEM_DEFINED(message->msg_iov[i].iov_base, part);
                size -= part;
        }
}

/* Valgrind sees what system calls write, but not what the kernel writes for a ring. */
static void mark_written(const struct bly_op *op, int result) {
        if (result < 0)
                return;
        if (op->kind == BLY_OP_RECEIVE || op->kind == BLY_OP_READ)
                VALGRIND_MAKE_MEM_DEFINED(op->address, (size_t) result);
        else if (op->kind == BLY_OP_STAT)
                VALGRIND_MAKE_MEM_DEFINED(op->other, sizeof(struct statx));
        else if (op->kind == BLY_OP_RECEIVE_MESSAGE)
                mark_message((struct msghdr *) op->address, (size_t) result);
}
#endif

/* The kernel's internal codes for an interrupted system call, which some operations return. */
enum { RESTART_FIRST = 512, RESTART_LAST = 516 };

static int result_of(const struct bly_seat *seat, int result) {
        const struct bly_op *op = seat->op;

        if (unlikely(seat->revoked))
                return -ECANCELED;
        if (unlikely(result <= -RESTART_FIRST && result >= -RESTART_LAST))
                result = -EINTR;
        /* The kernel cancels an operation that needs a worker thread if it cannot create one. */
        if (unlikely(result == -ECANCELED) && !op->stopped)
                return -EAGAIN;
        /* The close must not be repeated: the number may stand for another descriptor by now. */
        if (unlikely(result == -EINTR) && op->kind == BLY_OP_CLOSE)
                return -EIO;
        return result;
}

/* Closes a descriptor that the operation made, because its task will not receive it. */
static void drop(const struct bly_op *op, int result) {
        if ((op->kind == BLY_OP_ACCEPT || op->kind == BLY_OP_OPEN) && result >= 0)
                close(result);
}

void bly_uring_completed(struct bly_uring *ring, struct bly_io *io, uint64_t user_data,
                         int result) {
        struct bly_seat *seat = seat_of(ring, user_data);
        struct bly_op *op;

        if (seat == NULL)
                return;
        op = seat->op;
        result = result_of(seat, result);
        leave_seat(ring, seat);
        if (io == NULL) {
                drop(op, result);
                return;
        }
#ifdef HAVE_VALGRIND
        if (unlikely(bly_tools & BLY_TOOL_VALGRIND))
                mark_written(op, result);
#endif
        bly_op_over(io, op, result);
}

#endif
