/* SPDX-License-Identifier: MIT */
/*
 * Performs a system call by the back end or by a thread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "file/file.h"

enum { NOT_DONE = 1 };

struct call_job {
        struct bly_job job;
        const struct bly_op *op;
        ssize_t result;
};

/* ---- the call ---- */

int bly_file_begin(struct bly_file_call *call, const char *place, const char *what) {
        call->place = place;
        call->self = bly_waiter(place, what);
        if (call->self == NULL)
                return -EPERM;
        call->io = bly_io_of(call->self->loop);
        return call->io != NULL ? 0 : (int) bly_file_end(call, -errno);
}

ssize_t bly_file_end(const struct bly_file_call *call, ssize_t result) {
        /* For a cancellation, the delivery has already set the latest failure, with the reason. */
        if (unlikely(result < 0) && result != -ECANCELED)
                bly_set_last_failure(call->self, (int) result, NULL);
        return result;
}

int bly_file_end_at(const struct bly_file_call *call, ssize_t result, const char *what,
                    const char *path) {
        result = bly_file_end(call, result);
        if (result < 0 && result != -ECANCELED)
                bly_explain((int) result, "%s %s: %s", what, path, strerror((int) -result));
        return (int) result;
}

/* ---- in a thread ---- */

static ssize_t do_once(const struct bly_op *op) {
        const char *path = op->address;

        switch (op->kind) {
        case BLY_OP_OPEN:
                return openat(op->fd, path, op->flags, (mode_t) op->length);
        case BLY_OP_CLOSE:
                return close(op->fd);
        case BLY_OP_SYNC:
                return op->flags ? fdatasync(op->fd) : fsync(op->fd);
        case BLY_OP_STAT:
                return fstatat(op->fd, path, (struct stat *) op->other, op->flags);
        case BLY_OP_RENAME:
                return renameat(op->fd, path, op->fd, op->other);
        case BLY_OP_REMOVE:
                return unlinkat(op->fd, path, op->flags);
        case BLY_OP_MAKE_DIRECTORY:
                return mkdirat(op->fd, path, (mode_t) op->length);
        default:
                errno = ENOSYS;
                return -1;
        }
}

static void run(struct bly_job *job) {
        struct call_job *self = container_of(job, struct call_job, job);

        /* EINTR of close() is no reason to repeat it: Linux has closed the descriptor. */
        do
                self->result = do_once(self->op);
        while (self->result < 0 && errno == EINTR && self->op->kind != BLY_OP_CLOSE);
        if (self->result < 0)
                self->result = -errno;
}

/* ---- waiting for the call ---- */

static bool has_path(const struct bly_op *op) {
        return op->address != NULL && *(const char *) op->address != '\0';
}

static ssize_t do_in_thread(const struct bly_file_call *call, struct bly_op *op) {
        struct call_job job = {
                .job = {
                        .run = run,
                        .what = op->what,
                        .path = has_path(op) ? op->address : NULL,
                        .fd = op->fd,
                        .must = op->kind == BLY_OP_CLOSE,
                },
                .op = op,
        };
        int rc = bly_pool_do(call->self->loop, &job.job, call->place);

        return rc < 0 ? rc : (op->result = job.result);
}

/*
 * io_uring performs all of these operations but close() in a few threads of its own. A file system
 * that does not answer would block all of them. It performs close() without such a thread, so only
 * regular files are closed that way: close() of a terminal waits until its output is sent.
 */
static bool is_for_ring(const struct bly_file_call *call, const struct bly_op *op) {
        struct stat stat;

        return bly_performs(call->io) && op->kind == BLY_OP_CLOSE && fstat(op->fd, &stat) == 0
               && S_ISREG(stat.st_mode);
}

ssize_t bly_file_do(const struct bly_file_call *call, struct bly_op *op) {
        op->holds_time = true;
        return is_for_ring(call, op) ? bly_perform(call->io, op, call->place)
                                     : do_in_thread(call, op);
}

int bly_file_do_job(const struct bly_file_call *call, struct bly_job *job, const bool *cut) {
        int rc;

        do {
                rc = bly_pool_do(call->self->loop, job, call->place);
                if (rc == 0 && *cut && call->self->node.must_cancel)
                        return bly_settle(call->self);
        } while (rc == 0 && *cut);
        return rc;
}

/* ---- functions that several files use ---- */

int bly_file_close(const struct bly_file_call *call, int fd) {
        struct bly_op op = { .kind = BLY_OP_CLOSE, .fd = fd, .what = "close", .result = NOT_DONE };
        ssize_t rc = bly_file_do(call, &op);

        if (op.result == NOT_DONE)
                rc = close(fd) < 0 ? -errno : 0;
        /* Linux has closed the descriptor in spite of EINTR. */
        return rc == -EINTR ? 0 : (int) rc;
}

int bly_file_directory(const char *path) {
        int fd = path[0] != '/' ? open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

        return fd >= 0 ? fd : AT_FDCWD;
}

void bly_file_directory_close(int directory) {
        if (directory != AT_FDCWD)
                close(directory);
}
