/* SPDX-License-Identifier: MIT */
/*
 * Replaces a file: writes a new file in the same directory, syncs it, and gives it the old file's
 * name.
 *
 * A single job does all of it, so that the thread removes the new file if any step fails. A request
 * can stop the job until the new file has its name.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "file/file.h"

enum { PIECE = 1024 * 1024, NAMES_MOST = 100 };

struct replacement {
        struct bly_job job;
        int from; /* directory from which the path is resolved */
        const char *data;
        size_t size;
        mode_t mode;
        bool cut; /* a request stopped the job, which has undone its work */
        int result;
        const char *step; /* name of the current step, or of the failed one */

        /* Used by the thread alone. */
        int directory, fd;
        char name[32]; /* name of the new file until the rename, then empty */
};

/* ---- in the thread ---- */

static int open_in(int directory, const char *name, int flags, mode_t mode) {
        int fd;

        do
                fd = openat(directory, name, flags | O_CLOEXEC, mode);
        while (fd < 0 && errno == EINTR);
        return fd;
}

static int sync_it(int fd) {
        int rc;

        do
                rc = fsync(fd);
        while (rc < 0 && errno == EINTR);
        return rc < 0 ? -errno : 0;
}

/* Opens the directory of the file, and stores the name of the file in that directory. */
static int open_directory(struct replacement *self, const char **name) {
        const char *path = self->job.path, *slash = strrchr(path, '/');
        size_t length = slash != NULL ? (size_t) (slash - path) + 1 : 0;
        char directory[PATH_MAX];

        *name = path + length;
        if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
                return *path == '\0' ? -ENOENT : -EISDIR;
        if (length >= sizeof(directory))
                return -ENAMETOOLONG;
        memcpy(directory, path, length);
        strcpy(directory + length, length == 0 ? "." : "");
        self->directory = open_in(self->from, directory, O_RDONLY | O_DIRECTORY, 0);
        /* A directory that may be searched but not read opens only with O_PATH, without a sync. */
        if (self->directory < 0 && errno == EACCES)
                self->directory = open_in(self->from, directory, O_PATH | O_DIRECTORY, 0);
        return self->directory < 0 ? -errno : 0;
}

static int create(struct replacement *self) {
        uint64_t number;

        for (int i = 0; i < NAMES_MOST; i++) {
                if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                snprintf(self->name, sizeof(self->name), ".belay-%016llx",
                         (unsigned long long) number);
                self->fd = open_in(self->directory, self->name,
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, self->mode);
                if (self->fd >= 0)
                        return 0;
                self->name[0] = '\0';
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

static int fill(struct replacement *self) {
        const char *at = self->data;
        size_t left = self->size;

        while (left > 0) {
                ssize_t rc = write(self->fd, at, left < PIECE ? left : PIECE);

                if (rc < 0 && errno == EINTR)
                        continue;
                if (rc < 0)
                        return -errno;
                at += rc;
                left -= (size_t) rc;
                if (bly_job_asked(&self->job))
                        return -ECANCELED;
        }
        return 0;
}

static int sync_and_close(struct replacement *self) {
        int rc = sync_it(self->fd);

        if (close(self->fd) < 0 && errno != EINTR && rc == 0)
                rc = -errno;
        self->fd = -1;
        return rc;
}

static int take_name(struct replacement *self, const char *name) {
        int rc;

        if (bly_job_asked(&self->job))
                return -ECANCELED;
        if (renameat(self->directory, self->name, self->directory, name) < 0)
                return -errno;
        self->name[0] = '\0';
        /* Some file systems cannot sync directories, and O_PATH descriptors cannot be synced. */
        rc = sync_it(self->directory);
        return rc == -EINVAL || rc == -EBADF || rc == -EROFS ? 0 : rc;
}

static void clean_up(struct replacement *self) {
        if (self->fd >= 0)
                close(self->fd);
        if (self->name[0] != '\0')
                unlinkat(self->directory, self->name, 0);
        if (self->directory >= 0)
                close(self->directory);
}

static void run(struct bly_job *job) {
        struct replacement *self = container_of(job, struct replacement, job);
        const char *name;
        int rc;

        self->directory = self->fd = -1;
        self->name[0] = '\0';
        self->step = "opening its directory";
        rc = open_directory(self, &name);
        if (rc == 0) {
                self->step = "making a file beside it";
                rc = create(self);
        }
        if (rc == 0) {
                self->step = "writing a file beside it";
                rc = fill(self);
        }
        if (rc == 0) {
                self->step = "syncing a file beside it";
                rc = sync_and_close(self);
        }
        if (rc == 0) {
                self->step = "giving its name to the new file";
                rc = take_name(self, name);
        }
        clean_up(self);
        self->cut = rc == -ECANCELED;
        self->result = rc;
}

/* ---- the task ---- */

int belay_file_write_all_placed(const char *place, const char *path, const void *data, size_t size,
                                mode_t mode) {
        struct replacement self = {
                .job = { .run = run, .what = "replace", .path = path },
                .data = data,
                .size = size,
                .mode = mode,
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_write_all()");

        if (rc < 0)
                return rc;
        self.from = bly_file_directory(path);
        rc = bly_file_do_job(&call, &self.job, &self.cut);
        bly_file_directory_close(self.from);
        rc = (int) bly_file_end(&call, rc < 0 ? rc : self.result);
        if (rc < 0 && rc != -ECANCELED)
                bly_explain(rc, "replace %s: %s%s%s", path, self.step != NULL ? self.step : "",
                            self.step != NULL ? ": " : "", strerror(-rc));
        return rc;
}
