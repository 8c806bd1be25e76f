/* SPDX-License-Identifier: MIT */
/*
 * The functions for names and descriptors that make one system call each.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "file/file.h"

/* ---- names ---- */

static ssize_t do_at(const struct bly_file_call *call, struct bly_op *op, const char *path) {
        ssize_t rc;

        op->address = path;
        op->fd = bly_file_directory(path);
        rc = bly_file_do(call, op);
        bly_file_directory_close(op->fd);
        return rc;
}

int belay_file_stat_placed(const char *place, const char *path, bool follow, struct stat *result) {
        struct bly_op op = {
                .kind = BLY_OP_STAT,
                .what = "stat",
                .flags = follow ? 0 : AT_SYMLINK_NOFOLLOW,
                .other = result,
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_stat()");

        return rc < 0 ? rc : bly_file_end_at(&call, do_at(&call, &op, path), op.what, path);
}

int belay_file_rename_placed(const char *place, const char *from, const char *to) {
        struct bly_op op = {
                .kind = BLY_OP_RENAME, .what = "rename", .address = from, .other = to
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_rename()");

        if (rc < 0)
                return rc;
        op.fd = bly_file_directory(from[0] != '/' ? from : to);
        rc = (int) bly_file_do(&call, &op);
        bly_file_directory_close(op.fd);
        return bly_file_end_at(&call, rc, op.what, from);
}

/*
 * unlinkat() fails for a directory with EISDIR or EPERM, so the function then tries again with
 * AT_REMOVEDIR. ENOTDIR shows that the name is no directory, and the first error stands.
 */
int belay_file_remove_placed(const char *place, const char *path) {
        struct bly_op op = { .kind = BLY_OP_REMOVE, .what = "remove" };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_remove()"), as_directory;

        if (rc < 0)
                return rc;
        rc = (int) do_at(&call, &op, path);
        if (rc == -EISDIR || rc == -EPERM) {
                op.flags = AT_REMOVEDIR;
                as_directory = (int) do_at(&call, &op, path);
                if (as_directory != -ENOTDIR)
                        rc = as_directory;
        }
        return bly_file_end_at(&call, rc, op.what, path);
}

int belay_file_make_directory_placed(const char *place, const char *path, mode_t mode) {
        struct bly_op op = { .kind = BLY_OP_MAKE_DIRECTORY,
                             .what = "make directory",
                             .length = mode };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_make_directory()");

        return rc < 0 ? rc : bly_file_end_at(&call, do_at(&call, &op, path), op.what, path);
}

/* ---- descriptors ---- */

int belay_file_close_placed(const char *place, int fd) {
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_close()");

        if (rc < 0) {
                close(fd);
                return rc;
        }
        return (int) bly_file_end(&call, bly_file_close(&call, fd));
}

int belay_file_sync_placed(const char *place, int fd, bool data_only) {
        struct bly_op op = { .kind = BLY_OP_SYNC, .what = "sync", .fd = fd, .flags = data_only };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_sync()");

        return rc < 0 ? rc : (int) bly_file_end(&call, bly_file_do(&call, &op));
}

int belay_file_stat_fd_placed(const char *place, int fd, struct stat *result) {
        struct bly_op op = {
                .kind = BLY_OP_STAT,
                .what = "stat",
                .fd = fd,
                .address = "",
                .flags = AT_EMPTY_PATH,
                .other = result,
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_stat_fd()");

        if (rc < 0)
                return rc;
        /* AT_FDCWD, which is negative, would stand for the current directory. */
        return (int) bly_file_end(&call, fd < 0 ? -EBADF : bly_file_do(&call, &op));
}

struct truncation {
        struct bly_job job;
        off_t size;
        int result;
};

static void run_truncation(struct bly_job *job) {
        struct truncation *self = container_of(job, struct truncation, job);

        do
                self->result = ftruncate(job->fd, self->size) < 0 ? -errno : 0;
        while (self->result == -EINTR);
}

int belay_file_truncate_placed(const char *place, int fd, int64_t size) {
        struct truncation truncation = {
                .job = { .run = run_truncation, .what = "truncate", .fd = fd },
                .size = size,
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_truncate()");

        if (rc < 0)
                return rc;
        rc = bly_pool_do(call.self->loop, &truncation.job, place);
        return (int) bly_file_end(&call, rc < 0 ? rc : truncation.result);
}
