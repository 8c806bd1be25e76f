/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes until all bytes have moved.
 *
 * If the back end does not perform reads and writes, the task first makes calls that do not wait.
 * So bytes that are in memory already need no thread. Such a call counts only if bytes moved,
 * because the errors and the end of file that it reports depend on the kernel's version. A thread
 * then makes the call that decides.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file/read_write.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

/* Greatest number of bytes of a call. Between calls a thread checks for requests to stop. */
enum { PIECE = 4 * 1024 * 1024 };

/* ---- without waiting ---- */

ssize_t bly_transfer_try(const struct bly_transfer *transfer) {
        struct iovec part = { .iov_base = transfer->at, .iov_len = transfer->left };
        unsigned long low = (unsigned long) transfer->offset, high = 0;
        long call = transfer->writes ? SYS_pwritev2 : SYS_preadv2;

        if (sizeof(long) < sizeof(transfer->offset))
                high = (unsigned long) (transfer->offset >> 32);
        return syscall(call, transfer->fd, &part, 1UL, low, high, RWF_NOWAIT);
}

/*
 * Is a read of 0 bytes the end of a file? Linux 5.9 and 5.10 also return 0 if the read would have
 * to wait.
 */
static bool is_end(const struct bly_transfer *transfer) {
        int64_t position = transfer->offset >= 0 ? transfer->offset
                                                 : lseek(transfer->fd, 0, SEEK_CUR);
        struct stat stat;

        return !transfer->writes && fstat(transfer->fd, &stat) == 0 && S_ISREG(stat.st_mode)
               && position >= stat.st_size;
}

/* Moves as many bytes as move without waiting. Returns whether the transfer is complete. */
static bool move_at_once(struct bly_transfer *transfer) {
        ssize_t rc;

        while (transfer->left > 0) {
                rc = bly_transfer_try(transfer);
                if (rc > 0)
                        bly_transfer_advance(transfer, (size_t) rc);
                else if (rc == 0)
                        return is_end(transfer);
                else if (errno != EINTR)
                        return false;
        }
        return true;
}

/* ---- in a thread ---- */

static ssize_t move_once(const struct bly_transfer *transfer) {
        size_t most = transfer->once && transfer->writes ? PIPE_BUF : PIECE;
        size_t size = transfer->left < most ? transfer->left : most;
        int fd = transfer->fd;

        if (transfer->offset < 0)
                return transfer->writes ? write(fd, transfer->at, size)
                                        : read(fd, transfer->at, size);
        return transfer->writes ? pwrite(fd, transfer->at, size, transfer->offset)
                                : pread(fd, transfer->at, size, transfer->offset);
}

static void run(struct bly_job *job) {
        struct bly_transfer *transfer = container_of(job, struct bly_transfer, job);
        ssize_t rc;

        do {
                rc = move_once(transfer);
                if (rc > 0)
                        bly_transfer_advance(transfer, (size_t) rc);
                else if (rc == 0)
                        return;
                else if (errno != EINTR)
                        transfer->error = -errno;
        } while (transfer->left > 0 && transfer->error == 0 && !transfer->once
                 && (transfer->moved == 0 || !bly_job_asked(job)));
}

int bly_transfer_in_thread(const struct bly_file_call *call, struct bly_transfer *transfer) {
        return bly_pool_do(call->self->loop, &transfer->job, call->place);
}

/* ---- kinds of descriptors ---- */

static bool may_never_answer(int fd) {
        struct stat stat;

        return fstat(fd, &stat) == 0 && !S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode)
               && !S_ISDIR(stat.st_mode);
}

/*
 * Does the process have a limit on file sizes? A write beyond it sends SIGXFSZ to the thread that
 * writes, and the threads of the pool block that signal.
 */
static bool is_size_limited(void) {
        struct rlimit limit;

        return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY;
}

/* ---- whole transfers ---- */

/*
 * The functions below return 0 if as many bytes moved as possible, or if a call failed with
 * transfer->error. Otherwise they return a negative errno.
 */

static int move_in_thread(const struct bly_file_call *call, struct bly_transfer *transfer) {
        int rc = bly_io_tried_enough(call->io) ? bly_yield_before_trying(call->io, call->place) : 0;

        if (rc < 0 || move_at_once(transfer))
                return rc;
        if (!transfer->writes && may_never_answer(transfer->fd))
                return bly_move_when_ready(call, transfer);
        bly_io_refill(call->io);
        return bly_transfer_in_thread(call, transfer);
}

/*
 * A request came before any byte moved. If the transfer completes without a wait, the call succeeds
 * and the request stays pending. When the task has used up its tries (bly_io_tried_enough()), the
 * function returns -ECANCELED, so that the request is delivered in the end.
 */
static int move_all_the_same(const struct bly_file_call *call, struct bly_transfer *transfer) {
        if (bly_io_tried_enough(call->io)) {
                bly_io_refill(call->io);
                return -ECANCELED;
        }
        if (!move_at_once(transfer))
                return -ECANCELED;
        bly_undeliver(call->self);
        return 0;
}

static int move_by_back_end(const struct bly_file_call *call, struct bly_transfer *transfer) {
        while (transfer->left > 0) {
                struct bly_op op = {
                        .kind = transfer->writes ? BLY_OP_WRITE : BLY_OP_READ,
                        .what = transfer->job.what,
                        .fd = transfer->fd,
                        .address = transfer->at,
                        .length = transfer->left < PIECE ? transfer->left : PIECE,
                        .offset = transfer->offset,
                        .holds_time = true,
                };
                ssize_t rc = bly_perform(call->io, &op, call->place);

                if (unlikely(rc == -ECANCELED && transfer->moved == 0))
                        return move_all_the_same(call, transfer);
                if (rc == -EAGAIN && may_never_answer(transfer->fd))
                        return bly_move_when_ready(call, transfer);
                if (rc < 0)
                        return (int) rc;
                if (rc == 0)
                        break;
                bly_transfer_advance(transfer, (size_t) rc);
        }
        return 0;
}

/*
 * io_uring can read from a descriptor whose peer may never answer, since such an operation can be
 * stopped. But it would hold the virtual clock, and a write would raise SIGPIPE. In these cases the
 * task waits until the descriptor is ready.
 */
static int move_all(const struct bly_file_call *call, struct bly_transfer *transfer) {
        bool performs = bly_performs(call->io);

        if ((transfer->writes || (performs && call->self->loop->is_virtual))
            && may_never_answer(transfer->fd))
                return bly_move_when_ready(call, transfer);
        if (transfer->writes && is_size_limited())
                return bly_transfer_in_thread(call, transfer);
        return performs ? move_by_back_end(call, transfer) : move_in_thread(call, transfer);
}

static ssize_t move(const char *place, const char *what, struct bly_transfer *transfer) {
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, what);

        if (rc < 0)
                return rc;
        transfer->job.run = run;
        transfer->job.fd = transfer->fd;
        if (transfer->offset < 0)
                transfer->offset = -1;
        if (transfer->left > SSIZE_MAX)
                transfer->left = SSIZE_MAX;
        rc = move_all(&call, transfer);
        if (rc == 0)
                rc = transfer->error;
        if (transfer->moved == 0)
                return bly_file_end(&call, rc);
        if (rc == -ECANCELED)
                bly_undeliver(call.self);
        return (ssize_t) transfer->moved;
}

ssize_t belay_file_read_placed(const char *place, int fd, void *buffer, size_t size,
                               int64_t offset) {
        struct bly_transfer transfer = {
                .job.what = "read", .fd = fd, .at = buffer, .left = size, .offset = offset
        };

        return move(place, "belay_file_read()", &transfer);
}

ssize_t belay_file_write_placed(const char *place, int fd, const void *data, size_t size,
                                int64_t offset) {
        struct bly_transfer transfer = {
                .job.what = "write",
                .writes = true,
                .fd = fd,
                .at = (char *) data,
                .left = size,
                .offset = offset,
        };

        return move(place, "belay_file_write()", &transfer);
}
