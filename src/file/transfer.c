/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing, until all of it has moved.
 *
 * Where the back end does not do it, it is tried without waiting first: what is in memory already takes no thread.
 * The thread has the last word on all but bytes that moved: what a try says of errors and of a file's end depends on
 * the kernel's version.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file/file.h"

#ifndef RWF_NOWAIT
#  define RWF_NOWAIT 0x8
#endif

/* A thread looks so often whether it had better stop. */
enum { PIECE = 4 * 1024 * 1024 };

struct transfer {
        struct bly_job job;
        bool writes;
        int fd;
        char *at;
        size_t left;
        int64_t offset;                 /* -1: the descriptor's own */
        size_t moved;
        int error;
};

static void advance(struct transfer *transfer, size_t size) {
        transfer->at += size;
        transfer->left -= size;
        transfer->moved += size;
        if (transfer->offset >= 0)
                transfer->offset += (int64_t) size;
}

/* ---- without waiting ---- */

static ssize_t try_once(const struct transfer *transfer) {
        struct iovec part = { .iov_base = transfer->at, .iov_len = transfer->left };
        unsigned long low = (unsigned long) transfer->offset, high = 0;
        long call = transfer->writes ? SYS_pwritev2 : SYS_preadv2;

        if (sizeof(long) < sizeof(transfer->offset))
                high = (unsigned long) (transfer->offset >> 32);
        return syscall(call, transfer->fd, &part, 1UL, low, high, RWF_NOWAIT);
}

/* Linux 5.9 and 5.10 also say 0 of what they would have to wait for. */
static bool is_end(const struct transfer *transfer) {
        int64_t position = transfer->offset >= 0 ? transfer->offset : lseek(transfer->fd, 0, SEEK_CUR);
        struct stat stat;

        return !transfer->writes && fstat(transfer->fd, &stat) == 0 && S_ISREG(stat.st_mode)
               && position >= stat.st_size;
}

/* Is there nothing left to do? */
static bool move_at_once(struct transfer *transfer) {
        ssize_t rc;

        while (transfer->left > 0) {
                rc = try_once(transfer);
                if (rc > 0)
                        advance(transfer, (size_t) rc);
                else if (rc == 0)
                        return is_end(transfer);
                else if (errno != EINTR)
                        return false;
        }
        return true;
}

/* ---- in a thread ---- */

static ssize_t move_once(const struct transfer *transfer) {
        size_t size = transfer->left < PIECE ? transfer->left : PIECE;
        int fd = transfer->fd;

        if (transfer->offset < 0)
                return transfer->writes ? write(fd, transfer->at, size) : read(fd, transfer->at, size);
        return transfer->writes ? pwrite(fd, transfer->at, size, transfer->offset)
                                : pread(fd, transfer->at, size, transfer->offset);
}

static void run(struct bly_job *job) {
        struct transfer *transfer = container_of(job, struct transfer, job);
        ssize_t rc;

        do {
                rc = move_once(transfer);
                if (rc > 0)
                        advance(transfer, (size_t) rc);
                else if (rc == 0)
                        return;
                else if (errno != EINTR)
                        transfer->error = -errno;
        } while (transfer->left > 0 && transfer->error == 0 && (transfer->moved == 0 || !bly_job_asked(job)));
}

/* ---- all of it ---- */

/* 0: it was moved as far as it goes, or it failed with transfer->error; or why it was not. */
static int move_in_thread(const struct bly_file_call *call, struct transfer *transfer) {
        int rc = bly_io_tried_enough(call->io) ? bly_give_way_before_trying(call->io, call->place) : 0;

        if (rc < 0 || move_at_once(transfer))
                return rc;
        bly_io_refill(call->io);
        return bly_pool_do(call->self->loop, &transfer->job, call->place);
}

static int move_by_back_end(const struct bly_file_call *call, struct transfer *transfer) {
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

                /* Nothing was begun, but what is in memory needs no wait. */
                if (rc == -ECANCELED && transfer->moved == 0 && move_at_once(transfer)) {
                        bly_undeliver(call->self);
                        return 0;
                }
                if (rc < 0)
                        return (int) rc;
                if (rc == 0)
                        break;
                advance(transfer, (size_t) rc);
        }
        return 0;
}

static ssize_t move(const char *place, const char *what, struct transfer *transfer) {
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
        rc = bly_performs(call.io) ? move_by_back_end(&call, transfer) : move_in_thread(&call, transfer);
        if (rc == 0)
                rc = transfer->error;
        if (transfer->moved == 0)
                return bly_file_end(&call, rc);
        if (rc == -ECANCELED)
                bly_undeliver(call.self);
        return (ssize_t) transfer->moved;
}

ssize_t belay_file_read_placed(const char *place, int fd, void *buffer, size_t size, int64_t offset) {
        struct transfer transfer = { .job.what = "read", .fd = fd, .at = buffer, .left = size, .offset = offset };

        return move(place, "belay_file_read()", &transfer);
}

ssize_t belay_file_write_placed(const char *place, int fd, const void *data, size_t size, int64_t offset) {
        struct transfer transfer = {
                .job.what = "write",
                .writes = true,
                .fd = fd,
                .at = (char *) data,
                .left = size,
                .offset = offset,
        };

        return move(place, "belay_file_write()", &transfer);
}
