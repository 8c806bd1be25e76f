/* SPDX-License-Identifier: MIT */
/*
 * The result of a file function if one of its system calls fails: that error, or 0 if the error
 * does no harm. A file that was to be replaced is the old or the new one, and no temporary file is
 * left.
 */
#define _GNU_SOURCE
#include <dirent.h>

#include "faults/shim.h"

static char place[256];

static void write_old(void) {
        int fd = REAL(open)("file", O_WRONLY | O_CREAT | O_TRUNC, 0600);

        CHECK(fd >= 0);
        CHECK_EQ(REAL(write)(fd, "old", 3), 3);
        REAL(close)(fd);
}

static void check_file(const char *expected) {
        char text[8] = "";
        int fd = REAL(open)("file", O_RDONLY, 0);
        DIR *directory;
        int count = 0;

        CHECK(fd >= 0);
        CHECK(REAL(read)(fd, text, sizeof(text) - 1) >= 0);
        REAL(close)(fd);
        CHECK_STR(text, expected);
        directory = opendir(".");
        CHECK(directory != NULL);
        while (readdir(directory) != NULL)
                count++;
        closedir(directory);
        CHECK_EQ(count, 3);
}

struct fault {
        enum function function;
        unsigned nth;
        int error, expected;
        bool replaces; /* the file is replaced all the same */
};

static void begin(const struct fault *fault) {
        for (int i = 0; i < FUNCTION_COUNT; i++)
                calls[i] = 0;
        plan.function = fault->function;
        plan.error = fault->error;
        plan.nth = fault->nth;
        reached = false;
        armed = true;
}

static void end(const struct fault *fault, int rc) {
        armed = false;
        if (rc != fault->expected || !reached)
                fprintf(stderr, "%s, call %u, %s: it returned %d\n",
                        functions[fault->function].name, fault->nth, strerror(fault->error), rc);
        CHECK(reached);
        CHECK_EQ(rc, fault->expected);
}

/* ---- replacing ---- */

static const struct fault of_replacing[] = {
        /* Opening the directory: it need not be readable. */
        { F_openat, 1, EACCES, 0, true },
        { F_openat, 1, EINTR, 0, true },
        { F_openat, 1, EMFILE, -EMFILE, false },
        { F_openat, 1, ENOTDIR, -ENOTDIR, false },
        /* The new file. */
        { F_openat, 2, EACCES, -EACCES, false },
        { F_openat, 2, EROFS, -EROFS, false },
        { F_openat, 2, ENOSPC, -ENOSPC, false },
        { F_openat, 2, EDQUOT, -EDQUOT, false },
        { F_openat, 2, EINTR, 0, true },
        { F_openat, 2, EEXIST, 0, true },
        { F_getrandom, 1, EINTR, 0, true },
        { F_getrandom, 1, ENOSYS, -ENOSYS, false },
        { F_write, 1, ENOSPC, -ENOSPC, false },
        { F_write, 1, EDQUOT, -EDQUOT, false },
        { F_write, 1, EINTR, 0, true },
        { F_write, 1, SHORT, 0, true },
        { F_fsync, 1, EIO, -EIO, false },
        { F_fsync, 1, ENOSPC, -ENOSPC, false },
        { F_fsync, 1, EINTR, 0, true },
        { F_close, 1, EIO, -EIO, false },
        { F_close, 1, EDQUOT, -EDQUOT, false },
        { F_close, 1, EINTR, 0, true },
        { F_renameat, 1, EXDEV, -EXDEV, false },
        /* Syncing the directory: the file has been replaced by then. */
        { F_fsync, 2, EIO, -EIO, true },
        { F_fsync, 2, EINVAL, 0, true },
        { F_fsync, 2, EBADF, 0, true },
        { F_fsync, 2, EROFS, 0, true },
        { F_fsync, 2, EINTR, 0, true },
        { F_close, 2, EIO, 0, true },
};

static int replace(void *arg) {
        (void) arg;
        for (size_t i = 0; i < sizeof(of_replacing) / sizeof(of_replacing[0]); i++) {
                char path[300];

                write_old();
                snprintf(path, sizeof(path), "%s/file", place);
                begin(&of_replacing[i]);
                end(&of_replacing[i], belay_file_write_all(path, "new", 3, 0600));
                check_file(of_replacing[i].replaces ? "new" : "old");
        }
        return 0;
}

/* The first failure is reported, and not that of the close after it. */
static int first_failure(void *arg) {
        static const struct fault syncing = { F_fsync, 1, ENOSPC, -ENOSPC, false };
        char path[300];

        (void) arg;
        write_old();
        snprintf(path, sizeof(path), "%s/file", place);
        begin(&syncing);
        end(&syncing, belay_file_write_all(path, "new", 3, 0600));
        check_file("old");
        return 0;
}

/* ---- opening and closing ---- */

static int open_close(void) {
        char path[300];
        int fd, rc;

        snprintf(path, sizeof(path), "%s/file", place);
        fd = belay_file_open(path, O_RDWR, 0);
        if (fd < 0)
                return fd;
        CHECK_EQ(REAL(fcntl)(fd, F_GETFL, NULL) & O_NONBLOCK, 0);
        rc = belay_file_close(fd);
        CHECK_EQ(REAL(fcntl)(fd, F_GETFD, NULL), -1);
        return rc;
}

static const struct fault of_opening[] = {
        { F_openat, 1, EINTR, 0, false },
        { F_openat, 1, EMFILE, -EMFILE, false },
        { F_openat, 1, EACCES, -EACCES, false },
        /*
         * A lease, for example, or another file under the same name. The file is then opened by a
         * call that may wait.
         */
        { F_openat, 1, EWOULDBLOCK, 0, false },
        { F_openat, 1, ENXIO, 0, false },
        { F_fstatat, 1, ENOMEM, 0, false },
        { F_fstat, 1, ENOMEM, 0, false },
};

static int open_and_close(void *arg) {
        (void) arg;
        write_old();
        for (size_t i = 0; i < sizeof(of_opening) / sizeof(of_opening[0]); i++) {
                begin(&of_opening[i]);
                end(&of_opening[i], open_close());
        }
        return 0;
}

int main(void) {
        const char *tmp = getenv("TMPDIR");

        snprintf(place, sizeof(place), "%s/belay-codes.XXXXXX", tmp != NULL ? tmp : "/tmp");
        CHECK(mkdtemp(place) != NULL);
        CHECK_EQ(chdir(place), 0);
        CHECK_EQ(belay_run(replace, NULL), 0);
        CHECK_EQ(belay_run(first_failure, NULL), 0);
        CHECK_EQ(belay_run(open_and_close, NULL), 0);
        CHECK_EQ(REAL(unlink)("file"), 0);
        CHECK_EQ(rmdir(place), 0);
        return 0;
}
