/* SPDX-License-Identifier: MIT */
/*
 * Replacing a file: the old or the new file is there as a whole, and no temporary file is left.
 */
#include "place.h"

#include <limits.h>

static int replaces(void *arg) {
        struct stat stat;
        int old;

        (void) arg;
        CHECK_EQ(belay_file_write_all(in_place("file"), "one", 3, 0640), 0);
        CHECK_STR(get_file("file"), "one");
        CHECK_EQ(lstat(in_place("file"), &stat), 0);
        CHECK_EQ(stat.st_mode & 07777, 0640);
        old = open(in_place("file"), O_RDONLY);
        CHECK_EQ(belay_file_write_all("file", "another", 7, 0400), 0);
        CHECK_STR(get_file("file"), "another");
        CHECK_EQ(lstat(in_place("file"), &stat), 0);
        CHECK_EQ(stat.st_mode & 07777, 0400);
        /* A descriptor of the old file is still valid. */
        CHECK_EQ(fstat(old, &stat), 0);
        CHECK(stat.st_size == 3 && stat.st_nlink == 0);
        close(old);
        CHECK_EQ(belay_file_write_all("./file", NULL, 0, 0777), 0);
        CHECK_EQ(lstat(in_place("file"), &stat), 0);
        CHECK(stat.st_size == 0 && (stat.st_mode & 07777) == 0755);
        CHECK_EQ(count_entries(place), 1);
        return 0;
}

/* Sizes around those of the pieces in which the file is written. */
static int pieces(void *arg) {
        enum { PIECE = 1024 * 1024 };
        static const size_t sizes[] = { 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5 };
        char *data = malloc(3 * PIECE + 5), *back = malloc(3 * PIECE + 6);

        (void) arg;
        for (size_t i = 0; i < 3 * PIECE + 5; i++)
                data[i] = (char) (i * 7 + i / 4096);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                int fd;

                CHECK_EQ(belay_file_write_all(in_place("file"), data, sizes[i], 0600), 0);
                fd = open(in_place("file"), O_RDONLY | O_CLOEXEC);
                CHECK_EQ(read(fd, back, 3 * PIECE + 6), sizes[i]);
                CHECK(memcmp(back, data, sizes[i]) == 0);
                close(fd);
        }
        CHECK_EQ(count_entries(place), 1);
        free(data);
        free(back);
        return 0;
}

/* A directory that may be searched and changed, but not read. root may read everything. */
static int in_unreadable(void *arg) {
        (void) arg;
        strcpy(place, ".");
        CHECK_EQ(mkdir("closed", 0700), 0);
        if (geteuid() == 0) {
                CHECK_EQ(chown("closed", 65534, 65534), 0);
                CHECK_EQ(chmod(".", 0755), 0);
                CHECK_EQ(seteuid(65534), 0);
        }
        CHECK_EQ(chmod("closed", 0300), 0);
        CHECK_EQ(belay_file_write_all("closed/file", "one", 3, 0600), 0);
        CHECK_EQ(belay_file_write_all("closed/file", "other", 5, 0600), 0);
        CHECK_STR(get_file("closed/file"), "other");
        CHECK_EQ(chmod("closed", 0100), 0);
        CHECK_EQ(belay_file_write_all("closed/file", "third", 5, 0600), -EACCES);
        CHECK_EQ(chmod("closed", 0700), 0);
        CHECK_STR(get_file("closed/file"), "other");
        CHECK_EQ(count_entries("closed"), 1);
        return 0;
}

/* In a process of its own, which changes its user. */
static int unreadable_alone(void *arg) {
        return belay_run_with(in_unreadable, arg, VIRTUAL);
}

/* Names of the greatest length. */
static int long_names(void *arg) {
        char name[258];

        (void) arg;
        memset(name, 'n', 255);
        name[255] = '\0';
        CHECK_EQ(belay_file_write_all(name, "x", 1, 0600), 0);
        memset(name, 'n', 256);
        name[256] = '\0';
        CHECK_EQ(belay_file_write_all(name, "x", 1, 0600), -ENAMETOOLONG);
        CHECK_EQ(count_entries(place), 1);
        return 0;
}

/* Paths of the greatest length. */
static int long_directories(void *arg) {
        char path[PATH_MAX + 8];

        (void) arg;
        memset(path, '/', sizeof(path));
        path[0] = '.';
        strcpy(path + PATH_MAX - 1, "file");
        CHECK_EQ(belay_file_write_all(path, "x", 1, 0600), 0);
        CHECK_STR(get_file("file"), "x");
        strcpy(path + PATH_MAX - 1, "/file");
        CHECK_EQ(belay_file_write_all(path, "y", 1, 0600), -ENAMETOOLONG);
        CHECK_STR(get_file("file"), "x");
        CHECK_EQ(count_entries(place), 1);
        return 0;
}

static int fails(void *arg) {
        struct rlimit limit, small;
        char *big = calloc(1, 100000);

        (void) arg;
        put_file("file", "as it was");
        CHECK_EQ(belay_file_write_all(in_place("none/file"), "x", 1, 0600), -ENOENT);
        CHECK_EQ(belay_file_write_all(in_place("file/file"), "x", 1, 0600), -ENOTDIR);
        CHECK_EQ(belay_file_write_all("", "x", 1, 0600), -ENOENT);
        CHECK_EQ(belay_file_write_all("..", "x", 1, 0600), -EISDIR);
        CHECK_EQ(belay_file_write_all("./", "x", 1, 0600), -EISDIR);
        CHECK_EQ(belay_file_write_all(in_place("file/"), "x", 1, 0600), -EISDIR);
        /* Only the rename finds out that the name is a directory. */
        CHECK_EQ(mkdir(in_place("dir"), 0700), 0);
        CHECK_EQ(belay_file_write_all(in_place("dir"), "x", 1, 0600), -EISDIR);
        CHECK_EQ(count_entries(place), 2);

        /* The file exceeds the size limit in the middle of the write. */
        CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
        small = limit;
        small.rlim_cur = 50000;
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
        CHECK_EQ(belay_file_write_all(in_place("file"), big, 100000, 0600), -EFBIG);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        CHECK_STR(get_file("file"), "as it was");
        CHECK_EQ(count_entries(place), 2);
        free(big);
        return 0;
}

/* ---- cancelled ---- */

enum { BIG = 64 * 1024 * 1024 };

struct writer {
        char *data;
        int rc;
};

static int writes(void *arg) {
        struct writer *writer = arg;

        return writer->rc = belay_file_write_all(in_place("file"), writer->data, BIG, 0600);
}

/* The temporary file exists next to the old one, so the job has begun. */
static void await_beginning(void) {
        while (count_entries(place) < 2)
                usleep(100);
}

static unsigned stopped;

/*
 * The request arrives in the middle or too late. If it is too late, the new file is complete, and
 * the request stays pending.
 */
static int is_cancelled(void *arg) {
        struct writer writer = { .data = calloc(1, BIG), .rc = 1 };
        belay_task *task;
        int outcome;

        (void) arg;
        put_file("file", "as it was");
        task = must(belay_spawn(writes, &writer));
        CHECK_EQ(belay_yield(), 0);
        await_beginning();
        CHECK(belay_cancel(task, "stop"));
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(count_entries(place), 1);
        if (writer.rc == -ECANCELED) {
                stopped++;
                CHECK_STR(belay_failure_text(belay_failure_of(task)), "stop");
                CHECK_STR(get_file("file"), "as it was");
        } else {
                struct stat stat;

                CHECK_EQ(writer.rc, 0);
                CHECK_EQ(lstat(in_place("file"), &stat), 0);
                CHECK_EQ(stat.st_size, BIG);
        }
        belay_release(task);
        free(writer.data);
        return 0;
}

/* The request is withdrawn, so the file is replaced. */
static int is_taken_back(void *arg) {
        struct writer writer = { .data = calloc(1, BIG), .rc = 1 };
        struct stat stat;
        belay_task *task;
        int outcome;

        (void) arg;
        put_file("file", "as it was");
        task = must(belay_spawn(writes, &writer));
        CHECK_EQ(belay_yield(), 0);
        await_beginning();
        CHECK(belay_cancel(task, "stop"));
        CHECK_EQ(belay_uncancel(task), 0);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(writer.rc, 0);
        CHECK_EQ(lstat(in_place("file"), &stat), 0);
        CHECK_EQ(stat.st_size, BIG);
        CHECK_EQ(count_entries(place), 1);
        belay_release(task);
        free(writer.data);
        return 0;
}

static int before(void *arg) {
        (void) arg;
        put_file("file", "as it was");
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(belay_file_write_all(in_place("file"), "x", 1, 0600), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_STR(get_file("file"), "as it was");
        CHECK_EQ(count_entries(place), 1);
        return 0;
}

int main(void) {
        belay_fn *const tests[] = { replaces, pieces,       long_names,    long_directories,
                                    fails,    is_cancelled, is_taken_back, before };
        unsigned fds = count_fds(), threads = first_threads();
        static struct child child;

        signal(SIGXFSZ, SIG_IGN);
        umask(022);
        make_place();
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
                RUN_VIRTUAL(tests[i]);
                CHECK_EQ(count_fds(), fds);
                await_threads(threads);
                leave_place();
                CHECK_EQ(mkdir(place, 0700), 0);
                CHECK_EQ(chdir(place), 0);
        }
        in_child(&child, unreadable_alone, NULL);
        CHECK_CHILD(&child, 0);
        for (int i = 0; i < 20 && stopped == 0; i++)
                RUN_VIRTUAL(is_cancelled);
        CHECK(stopped > 0);
        return 0;
}
