/* SPDX-License-Identifier: MIT */
/*
 * Opens files. An open may wait without a limit: for the peer of a FIFO, a serial line, or the
 * holder of a lease.
 *
 * A first job, in one of the pool's few threads for files, opens files that open at once. It checks
 * the type of the file, and opens it with O_NONBLOCK. If that would wait, a second job opens the
 * file in a thread that no other job needs. The second job owns all that it uses, so a task that is
 * cancelled leaves it running. A descriptor that it gets later is closed.
 *
 * io_uring is not used: it opens files in a few threads of its own, and an open that waits would
 * hold up all others.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "file/file.h"

enum { MEMORY_DEVICES = 1 }; /* major number of /dev/null, /dev/zero and similar */

struct opening {
        struct bly_job job;
        int directory, flags;
        mode_t mode;
        bool would_wait;
        int result;
};

/* The job of an open that may wait, and all that the job owns. */
struct patient {
        struct bly_job job;
        int directory, flags;
        mode_t mode;
        int result;
        char path[];
};

static int open_it(int directory, const char *path, int flags, mode_t mode) {
        int fd;

        do
                fd = openat(directory, path, flags, mode);
        while (fd < 0 && errno == EINTR);
        return fd < 0 ? -errno : fd;
}

/* ---- an open that does not wait ---- */

/* Do the flags make sure that the open waits for no other process? */
static bool never_waits(int flags) {
        return (flags & (O_NONBLOCK | O_PATH | O_DIRECTORY)) != 0
               || (~flags & (O_CREAT | O_EXCL)) == 0;
}

static bool opens_at_once(const struct stat *stat) {
        return S_ISREG(stat->st_mode) || S_ISDIR(stat->st_mode)
               || (S_ISCHR(stat->st_mode) && major(stat->st_rdev) == MEMORY_DEVICES);
}

/*
 * Keeps the descriptor of a file that opens at once, and clears O_NONBLOCK, which only the open
 * needed.
 */
static int keep(struct opening *self, int fd) {
        struct stat stat;

        if (fstat(fd, &stat) == 0 && opens_at_once(&stat)) {
                (void) fcntl(fd, F_SETFL, self->flags);
                return fd;
        }
        /* The name came to stand for another file after fstatat(). */
        close(fd);
        self->would_wait = true;
        return -1;
}

static void open_at_once(struct bly_job *job) {
        struct opening *self = container_of(job, struct opening, job);
        struct stat stat;
        int fd;

        self->would_wait = false;
        if (never_waits(self->flags)) {
                self->result = open_it(self->directory, job->path, self->flags, self->mode);
                return;
        }
        self->would_wait = fstatat(self->directory, job->path, &stat, 0) == 0
                           && !opens_at_once(&stat);
        if (self->would_wait)
                return;
        fd = open_it(self->directory, job->path, self->flags | O_NONBLOCK, self->mode);
        /*
         * EWOULDBLOCK means a lease. ENXIO means that the name came to stand for a FIFO after
         * fstatat().
         */
        self->would_wait = fd == -EWOULDBLOCK || fd == -ENXIO;
        self->result = fd >= 0 ? keep(self, fd) : fd;
}

/* ---- an open that may wait ---- */

static void open_patiently(struct bly_job *job) {
        struct patient *self = container_of(job, struct patient, job);

        self->result = open_it(self->directory, self->path, self->flags, self->mode);
}

static void dispose(struct bly_job *job) {
        struct patient *self = container_of(job, struct patient, job);

        if (self->result >= 0)
                close(self->result);
        bly_file_directory_close(self->directory);
        free(self);
}

/*
 * Makes the second job, which owns `directory` from then on. The job does not use O_TRUNC: it may
 * go on after its task was cancelled, and must not truncate a file then.
 */
static struct patient *new_patient(const struct opening *opening, int directory) {
        size_t size = strlen(opening->job.path) + 1;
        struct patient *self = malloc(sizeof(*self) + size);

        if (self == NULL)
                return NULL;
        *self = (struct patient) {
                .job = {
                        .run = open_patiently,
                        .dispose = dispose,
                        .what = "open",
                        .path = opening->job.path,
                        .endless = true,
                },
                .directory = directory,
                .flags = opening->flags & ~O_TRUNC,
                .mode = opening->mode,
                .result = -1,
        };
        memcpy(self->path, opening->job.path, size);
        return self;
}

static int copy_directory(int directory, int *copy) {
        *copy = directory == AT_FDCWD ? AT_FDCWD : fcntl(directory, F_DUPFD_CLOEXEC, 0);
        return directory != AT_FDCWD && *copy < 0 ? -errno : 0;
}

/* Opens a file with the second job. Returns the descriptor, or a negative errno. */
static int be_patient(const struct bly_file_call *call, const struct opening *opening) {
        struct patient *self;
        int directory, rc = copy_directory(opening->directory, &directory);

        if (rc < 0)
                return rc;
        self = new_patient(opening, directory);
        if (self == NULL) {
                bly_file_directory_close(directory);
                return -ENOMEM;
        }
        rc = bly_pool_do(call->self->loop, &self->job, call->place);
        if (rc < 0)
                return rc;
        rc = self->result;
        self->result = -1;
        dispose(&self->job);
        return rc;
}

/* Did the second job wait for a lease on a regular file that is still to be truncated? */
static bool is_to_be_cut(int fd, int flags) {
        struct stat stat;

        return (flags & O_TRUNC) != 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* ---- the task ---- */

static int open_in_threads(const struct bly_file_call *call, struct opening *self) {
        for (;;) {
                int rc = bly_pool_do(call->self->loop, &self->job, call->place);

                if (rc < 0)
                        return rc;
                if (!self->would_wait)
                        return self->result;
                rc = be_patient(call, self);
                if (rc < 0 || !is_to_be_cut(rc, self->flags))
                        return rc;
                close(rc);
        }
}

int belay_file_open_placed(const char *place, const char *path, int flags, mode_t mode) {
        struct opening self = {
                .job = { .run = open_at_once, .what = "open", .path = path },
                .flags = flags | O_CLOEXEC,
                .mode = mode,
        };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_file_open()");

        if (rc < 0)
                return rc;
        self.directory = bly_file_directory(path);
        rc = open_in_threads(&call, &self);
        bly_file_directory_close(self.directory);
        return bly_file_end_at(&call, rc, self.job.what, path);
}
