/* SPDX-License-Identifier: MIT */
/*
 * The io_uring back end: waits for descriptors, and performs operations.
 *
 * Each poll and each operation becomes an entry in the ring. The system call that waits also
 * submits all queued entries, so a round of many entries costs one system call.
 *
 * The kernel keeps a file open while it polls the file or performs an operation on it. Before a
 * descriptor is closed, the back end therefore submits cancel entries for its polls and operations.
 *
 * Each poll is for one event, whether the descriptor is owned or not. A poll checks the file's
 * state when it begins, so it misses no earlier event.
 */
#define _GNU_SOURCE
#include "io/poll_bits.h"
#include "io/uring.h"

#ifdef BLY_HAVE_URING
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * Sizes of the submission and the completion queue. The kernel keeps completions that do not fit
 * into the queue in a list.
 */
enum { ENTRIES = 256, COMPLETIONS = 4096 };

#define ALL_EVENTS (BELAY_READABLE | BELAY_WRITABLE | BELAY_PRIORITY)

/* ---- submitting ---- */

/*
 * Logs an error of a submission, but only the first. Transient errors are ignored: too little
 * memory in the kernel, a signal, the end of the waiting time. The entries are then submitted
 * again later.
 */
static void complain(struct bly_uring *ring, int rc) {
        if (rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EAGAIN || rc == -EBUSY
            || ring->complained)
                return;
        ring->complained = true;
        bly_log(BELAY_LOG_ERROR, "io_uring does not take what is asked for: %s", strerror(-rc));
}

int bly_uring_reserve(struct bly_uring *ring, unsigned entries) {
        int saved = errno, rc;

        if (likely(io_uring_sq_space_left(&ring->queues) >= entries))
                return 0;
        rc = io_uring_submit(&ring->queues);
        complain(ring, rc);
        errno = saved;
        if (io_uring_sq_space_left(&ring->queues) >= entries)
                return 0;
        return rc < 0 ? rc : -EAGAIN;
}

void bly_uring_hand_in(struct bly_uring *ring) {
        ring->ends_polls = false;
        complain(ring, io_uring_submit_and_get_events(&ring->queues));
}

static void hand_in_and_wait(struct bly_uring *ring, belay_time span) {
        struct __kernel_timespec timeout = { .tv_sec = span / BELAY_SECOND,
                                             .tv_nsec = span % BELAY_SECOND };
        struct io_uring_cqe *first;

        ring->ends_polls = false;
        if (span == BELAY_NEVER)
                complain(ring, io_uring_submit_and_wait(&ring->queues, 1));
        else
                complain(ring, io_uring_submit_and_wait_timeout(&ring->queues, &first, 1, &timeout,
                                                                NULL));
}

/* ---- the inbox's eventfd ---- */

static void arm_bell(struct bly_uring *ring, int wake_fd) {
        struct io_uring_sqe *sqe;

        if (bly_uring_reserve(ring, 1) < 0)
                return;
        sqe = io_uring_get_sqe(&ring->queues);
        io_uring_prep_poll_multishot(sqe, wake_fd, POLLIN);
        sqe->user_data = bly_user_data(BLY_OF_WAKE_FD, 0, 0);
        ring->bell_armed = true;
}

/* ---- descriptors ---- */

static void end_poll(struct bly_uring *ring, uint64_t user_data) {
        struct io_uring_sqe *sqe;

        if (bly_uring_reserve(ring, 1) < 0)
                return;
        sqe = io_uring_get_sqe(&ring->queues);
        io_uring_prep_cancel64(sqe, user_data, 0);
        sqe->flags |= ring->quiet;
        sqe->user_data = bly_user_data(BLY_OF_NOBODY, 0, 0);
        ring->ends_polls = true;
}

/* Returns the descriptor of this user_data, or NULL if it was armed anew or disarmed since. */
static struct bly_fd *fd_of(const struct bly_io *io, uint64_t user_data) {
        uint32_t number = bly_user_data_number(user_data);
        struct bly_fd *fd = &io->pages[number / BLY_FD_PAGE][number % BLY_FD_PAGE];

        return fd->generation == (uint32_t) user_data && fd->armed != 0 ? fd : NULL;
}

/* Ends the poll of a descriptor. A completion that still comes is stale. */
static void disarm(struct bly_uring *ring, struct bly_fd *fd) {
        if (fd->armed == 0)
                return;
        if (unlikely(ring->outside >= 0))
                bly_uring_embed_disarm(ring, fd);
        else
                end_poll(ring, bly_user_data_of(fd));
        fd->generation++;
        fd->armed = 0;
}

/*
 * Polls a descriptor for the events in fd->armed, once or, if `goes_on`, until it is disarmed. The
 * kernel misses wake-ups of a poll for POLLPRI alone, so such a poll includes POLLIN. verify()
 * removes the POLLIN that no task waits for.
 */
static int arm(struct bly_uring *ring, const struct bly_fd *fd, bool goes_on) {
        struct io_uring_sqe *sqe;
        int rc = bly_uring_reserve(ring, 1);

        if (rc < 0)
                return rc;
        sqe = io_uring_get_sqe(&ring->queues);
        io_uring_prep_poll_add(sqe, fd->fd,
                               bly_poll_of(fd->armed) | (fd->armed & BELAY_PRIORITY ? POLLIN : 0));
        sqe->len = goes_on ? IORING_POLL_ADD_MULTI : 0;
        sqe->user_data = bly_user_data_of(fd);
        return 0;
}

/*
 * Registers a descriptor in ring->known. A poll does not show whether the number still stands for
 * the polled file. An epoll instance does, because it identifies a descriptor by number and file
 * together. No code waits for this instance. Returns 1 if the descriptor is new to it, 0 if it is
 * not, or a negative errno.
 */
static int note(struct bly_uring *ring, int fd) {
        struct epoll_event nothing = { .events = 0 };
        int saved = errno, rc = 1;

        if (epoll_ctl(ring->known, EPOLL_CTL_ADD, fd, &nothing) < 0)
                rc = errno == EEXIST ? 0 : -errno;
        errno = saved;
        return rc;
}

static int uring_watch(struct bly_io *io, struct bly_fd *fd, bool same) {
        struct bly_uring *ring = io->state;
        unsigned wanted = bly_fd_wanted(fd) | (fd->owned ? fd->armed : 0);
        int rc;

        if (unlikely(ring->outside >= 0))
                return bly_uring_embed_arm(ring, fd, wanted, same);
        /* An owned descriptor is registered once, because a correct program does not close it. */
        if (!fd->owned || !fd->registered || same) {
                rc = note(ring, fd->fd);
                if (same && rc != 0)
                        disarm(ring, fd);
                if (unlikely(rc < 0))
                        return rc;
                if (same && rc > 0)
                        return -EBADF;
                fd->registered = true;
        }
        /* Reserve both entries before disarm(). If that fails, waiting tasks keep their poll. */
        rc = bly_uring_reserve(ring, 2);
        if (rc < 0)
                return rc;
        disarm(ring, fd);
        fd->generation++;
        fd->armed = (uint8_t) wanted;
        return arm(ring, fd, false);
}

static void uring_unwatch(struct bly_io *io, struct bly_fd *fd, bool closing) {
        struct bly_uring *ring = io->state;
        int saved = errno;

        (void) closing;
        if (fd->armed == 0 && bly_list_empty(&fd->ops) && !ring->ends_polls)
                return;
        disarm(ring, fd);
        bly_uring_hand_in(ring);
        errno = saved;
}

/*
 * Returns the events of a completed poll, or a negative errno. The completion reports the events
 * that caused the wake-up. They may be over by now, which the waiting task finds out. They may
 * also never have been true, because sockets wake with POLLPRI for any data. poll() then has the
 * true events.
 */
static int verify(const struct bly_fd *fd, int result) {
        struct pollfd pollfd = { .fd = fd->fd, .events = (short) bly_poll_of(fd->armed) };

        if (result < 0 || !(fd->armed & BELAY_PRIORITY))
                return result;
        if (poll(&pollfd, 1, 0) < 0)
                return result;
        return pollfd.revents & POLLNVAL ? -EBADF : pollfd.revents;
}

/*
 * Reports the result of a poll. A descriptor that cannot be polled (`result` is a negative errno)
 * counts as ready, unless the number is closed or the poll was cancelled. If tasks still wait, the
 * descriptor is armed again.
 */
static void report(struct bly_io *io, struct bly_fd *fd, int result) {
        fd->armed = 0;
        if (unlikely(result == -EBADF))
                bly_fd_forget(io, fd);
        else if (likely(result != -ECANCELED))
                bly_fd_happened(io, fd, result < 0 ? ALL_EVENTS : bly_events_of((unsigned) result));
        if (unlikely(bly_fd_wanted(fd) != 0) && fd->armed == 0 && uring_watch(io, fd, true) < 0)
                bly_fd_forget(io, fd);
}

void bly_uring_happened(struct bly_io *io, uint64_t user_data, int result) {
        struct bly_fd *fd = fd_of(io, user_data);

        if (fd != NULL)
                report(io, fd, result);
}

static void polled(struct bly_uring *ring, struct bly_io *io, const struct io_uring_cqe *cqe) {
        struct bly_fd *fd = fd_of(io, cqe->user_data);
        bool goes_on = cqe->flags & IORING_CQE_F_MORE;
        int result;

        if (fd == NULL)
                return;
        result = verify(fd, cqe->res);
        /*
         * No task waits for these events. Either the peer has ended its direction, which the kernel
         * reports to every poll, or data woke a poll for POLLPRI. Another one-shot poll would
         * complete at once. A multishot poll completes only for new events.
         */
        if (unlikely(result >= 0 && (bly_events_of((unsigned) result) & fd->armed) == 0)) {
                if (goes_on || arm(ring, fd, true) == 0)
                        return;
        } else if (unlikely(goes_on)) {
                end_poll(ring, cqe->user_data);
                fd->generation++;
        }
        report(io, fd, result);
}

/* ---- completions ---- */

static void complete(struct bly_uring *ring, struct bly_io *io, const struct io_uring_cqe *cqe) {
        switch (bly_user_data_kind(cqe->user_data)) {
        case BLY_OF_OPERATION:
                bly_uring_completed(ring, io, cqe->user_data, cqe->res);
                break;
        case BLY_OF_STOP:
                bly_uring_stopped(ring, cqe->user_data, cqe->res);
                break;
        case BLY_OF_DESCRIPTOR:
                if (io != NULL)
                        polled(ring, io, cqe);
                break;
        case BLY_OF_WAKE_FD:
                if (io != NULL)
                        bly_request_attention(io->loop);
                if (!(cqe->flags & IORING_CQE_F_MORE))
                        ring->bell_armed = false;
                break;
        case BLY_OF_NOBODY:
                break;
        }
}

void bly_uring_take(struct bly_uring *ring, struct bly_io *io) {
        struct io_uring_cqe *cqe, copy;
        unsigned head;

        /* Advance one by one: complete() may submit entries, which may complete at once. */
        io_uring_for_each_cqe(&ring->queues, head, cqe) {
                copy = *cqe;
                io_uring_cq_advance(&ring->queues, 1);
                complete(ring, io, &copy);
        }
}

static void uring_wait(struct bly_io *io, belay_time span) {
        struct bly_uring *ring = io->state;

        if (unlikely(ring->to_stop > 0))
                bly_uring_stop_late(ring);
        if (unlikely(ring->outside >= 0)) {
                bly_uring_embed_wait(io, span);
                return;
        }
        if (unlikely(!ring->bell_armed))
                arm_bell(ring, io->loop->inbox->wake_fd);
        if (span != 0 && io_uring_cq_ready(&ring->queues) == 0)
                hand_in_and_wait(ring, span);
        else if (io_uring_sq_ready(&ring->queues) > 0 || bly_uring_has_more(ring))
                bly_uring_hand_in(ring);
        bly_uring_take(ring, io);
}

/* ---- embedded in a host loop ---- */

/* Moves the watch for a descriptor from the ring to the epoll instance `outside`. */
static void move(struct bly_io *io, struct bly_fd *fd, int outside) {
        struct bly_uring *ring = io->state;

        ring->outside = -1;
        disarm(ring, fd);
        ring->outside = outside;
        if (bly_fd_wanted(fd) != 0 && uring_watch(io, fd, false) < 0)
                bly_fd_happened(io, fd, ALL_EVENTS);
}

static int go_outside(struct bly_io *io) {
        struct bly_uring *ring = io->state;
        int outside = bly_uring_embed_open(io);

        if (outside < 0)
                return outside;
        for (size_t page = 0; page < io->page_count; page++)
                for (int i = 0; io->pages[page] != NULL && i < BLY_FD_PAGE; i++)
                        if (io->pages[page][i].armed != 0)
                                move(io, &io->pages[page][i], outside);
        ring->outside = outside;
        end_poll(ring, bly_user_data(BLY_OF_WAKE_FD, 0, 0));
        return 0;
}

static int uring_descriptor(struct bly_io *io) {
        struct bly_uring *ring = io->state;
        int saved = errno, rc = ring->outside < 0 ? go_outside(io) : 0;

        if (rc == 0 && io_uring_sq_ready(&ring->queues) > 0) {
                bly_uring_hand_in(ring);
                bly_uring_embed_signal(ring);
        }
        errno = saved;
        return rc < 0 ? rc : ring->outside;
}

/* ---- opening and closing ---- */

/* liburing maps and unmaps the queues by direct system calls. ThreadSanitizer does not see them. */
static void notify_checkers(struct io_uring *queues, void (*report)(void *memory, size_t size)) {
        if (likely(!(bly_tools & BLY_TOOL_THREAD)))
                return;
        report(queues->sq.ring_ptr, queues->sq.ring_sz);
        report(queues->sq.sqes, queues->sq.ring_entries * sizeof(struct io_uring_sqe));
        if (queues->cq.ring_ptr != queues->sq.ring_ptr)
                report(queues->cq.ring_ptr, queues->cq.ring_sz);
}

static void unmake(struct bly_uring *ring) {
        notify_checkers(&ring->queues, bly_tool_memory_ends);
        io_uring_queue_exit(&ring->queues);
}

/*
 * Makes the ring. The optional flags spare the kernel detours, but older kernels reject them. The
 * function drops the newest flags first, until the kernel accepts the rest.
 */
static int make(struct bly_uring *ring, struct io_uring_params *params) {
        static const unsigned optional[] = {
                IORING_SETUP_DEFER_TASKRUN,                            /* Linux 6.1 */
                IORING_SETUP_SINGLE_ISSUER,                            /* 6.0 */
                IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, /* 5.19 */
                IORING_SETUP_SUBMIT_ALL,                               /* 5.18 */
        };
        unsigned flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
        int rc;

        for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
                flags |= optional[i];
        for (size_t dropped = 0;; dropped++) {
                *params = (struct io_uring_params) { .flags = flags, .cq_entries = COMPLETIONS };
                rc = io_uring_queue_init_params(ENTRIES, &ring->queues, params);
                if (rc == 0)
                        notify_checkers(&ring->queues, bly_tool_memory_begins);
                if (rc != -EINVAL || dropped == ARRAY_SIZE(optional))
                        return rc;
                flags &= ~optional[dropped];
        }
}

static bool can(const struct io_uring_probe *probe, unsigned code) {
        return code <= probe->last_op && probe->ops[code].flags & IO_URING_OP_SUPPORTED;
}

/* Returns 0, or -ENOSYS if the kernel lacks a feature or an opcode that the back end needs. */
static int examine(struct bly_uring *ring, const struct io_uring_params *params) {
        static const uint8_t others[] = { IORING_OP_NOP, IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL,
                                          IORING_OP_SEND };
        const unsigned features = IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS
                                  | IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG;
        enum { CODES = 256 };
        struct io_uring_probe *probe;
        int rc;

        if ((params->features & features) != features)
                return -ENOSYS;
        probe = bly_zalloc(sizeof(*probe) + CODES * sizeof(probe->ops[0]));
        if (probe == NULL)
                return -ENOMEM;
        rc = io_uring_register_probe(&ring->queues, probe, CODES);
        for (size_t i = 0; i < ARRAY_SIZE(others) && rc == 0; i++)
                rc = can(probe, others[i]) ? 0 : -ENOSYS;
        for (size_t i = 0; i < ARRAY_SIZE(bly_uring_needs) && rc == 0; i++)
                rc = can(probe, bly_uring_needs[i]) ? 0 : -ENOSYS;
        bly_free(probe);
        ring->quiet = params->features & IORING_FEAT_CQE_SKIP ? IOSQE_CQE_SKIP_SUCCESS : 0;
        return rc;
}

/* Submits a first entry, because a process may be allowed to make a ring but not to use it. */
static int try(struct bly_uring *ring, int wake_fd) {
        int rc;

        arm_bell(ring, wake_fd);
        rc = io_uring_submit(&ring->queues);
        return rc < 0 ? rc : 0;
}

static int uring_open(struct bly_io *io) {
        struct bly_uring *ring = bly_zalloc(sizeof(*ring));
        struct io_uring_params params;
        int saved = errno, rc;

        if (ring == NULL)
                return -ENOMEM;
        ring->outside = ring->completion_fd = -1;
        ring->known = epoll_create1(EPOLL_CLOEXEC);
        rc = ring->known >= 0 ? make(ring, &params) : -errno;
        if (rc == 0) {
                io->state = ring;
                rc = examine(ring, &params);
                if (rc == 0)
                        rc = try(ring, io->loop->inbox->wake_fd);
                /* Valgrind runs no other thread while a thread waits in io_uring_enter(). */
                if (rc == 0 && unlikely(bly_tools & BLY_TOOL_VALGRIND))
                        rc = go_outside(io);
                if (rc < 0)
                        unmake(ring);
        }
        errno = saved;
        if (rc >= 0)
                return 0;
        if (ring->known >= 0)
                close(ring->known);
        bly_free(ring);
        io->state = NULL;
        return rc;
}

/*
 * Stops the operations of abandoned tasks, whose memory the kernel uses until they are over. Waits
 * for at most 1 second, and returns the number of operations still in progress.
 */
static unsigned stop_all(struct bly_uring *ring) {
        struct __kernel_timespec timeout = { .tv_nsec = 20 * BELAY_MILLISECOND };
        belay_time end = bly_clock() + BELAY_SECOND;
        struct io_uring_cqe *first;

        bly_uring_stop_all(ring);
        while (ring->going_on > 0 && bly_clock() < end) {
                bly_uring_stop_late(ring);
                io_uring_submit_and_wait_timeout(&ring->queues, &first, 1, &timeout, NULL);
                bly_uring_take(ring, NULL);
        }
        return ring->going_on;
}

static void uring_close(struct bly_io *io) {
        struct bly_uring *ring = io->state;
        unsigned left = ring->going_on > 0 ? stop_all(ring) : 0;

        if (left > 0)
                bly_log(BELAY_LOG_WARNING,
                        "%u operation%s of abandoned tasks cannot be ended; "
                        "the system may still use their memory",
                        left, left == 1 ? "" : "s");
        unmake(ring);
        if (ring->outside >= 0) {
                close(ring->outside);
                close(ring->completion_fd);
        }
        close(ring->known);
        bly_free(ring->seats);
        bly_free(ring);
}

const struct bly_backend bly_uring_backend = {
        .name = "io_uring",
        .open = uring_open,
        .close = uring_close,
        .wait = uring_wait,
        .descriptor = uring_descriptor,
        .watch = uring_watch,
        .unwatch = uring_unwatch,
        .begin = bly_uring_begin,
        .stop = bly_uring_stop,
};

#endif
