/* SPDX-License-Identifier: MIT */
/*
 * Each function for files: its effect, and its error if it fails.
 */
#include "base/guarded.h"
#include "place.h"

static int opens(void *arg) {
        struct stat stat;
        int fd;

        (void) arg;
        fd = belay_file_open(in_place("new"), O_RDWR | O_CREAT | O_EXCL, 0640);
        CHECK(fd >= 0);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK_EQ(belay_file_stat_fd(fd, &stat), 0);
        CHECK(S_ISREG(stat.st_mode) && (stat.st_mode & 07777) == 0640 && stat.st_size == 0);
        CHECK_EQ(belay_file_open(in_place("new"), O_RDWR | O_CREAT | O_EXCL, 0640), -EEXIST);
        CHECK_EQ(belay_file_open(in_place("none"), O_RDONLY, 0), -ENOENT);
        CHECK_EQ(belay_file_open(in_place("new/x"), O_RDONLY, 0), -ENOTDIR);
        CHECK_EQ(belay_file_open(place, O_WRONLY, 0), -EISDIR);
        CHECK_EQ(belay_file_close(fd), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        CHECK_EQ(belay_file_close(fd), -EBADF);
        CHECK_EQ(belay_file_close(-1), -EBADF);
        return 0;
}

/* The description has the flags that the caller asked for, and no others. */
static int flags(void *arg) {
        static const int wanted[] = { O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND,
                                      O_RDWR | O_NONBLOCK };
        const int shown = O_ACCMODE | O_APPEND | O_NONBLOCK;

        (void) arg;
        put_file("flags", "as it was");
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
                int fd = belay_file_open(in_place("flags"), wanted[i], 0);

                CHECK(fd >= 0);
                CHECK_EQ(fcntl(fd, F_GETFL) & shown, wanted[i]);
                CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
                CHECK_EQ(belay_file_close(fd), 0);
        }
        CHECK_STR(get_file("flags"), "as it was");
        return 0;
}

static int moves(void *arg) {
        static char big[9 * 1024 * 1024], back[9 * 1024 * 1024 + 10];
        char text[32] = "";
        int fd = belay_file_open(in_place("bytes"), O_RDWR | O_CREAT | O_TRUNC, 0600), zero;

        (void) arg;
        CHECK(fd >= 0);
        CHECK_EQ(belay_file_write(fd, "hello, ", 7, -1), 7);
        CHECK_EQ(belay_file_write(fd, "world", 5, -1), 5);
        CHECK_EQ(belay_file_write(fd, "H", 1, 0), 1);
        CHECK_EQ(belay_file_read(fd, text, 5, -1), 0);
        CHECK_EQ(belay_file_read(fd, text, sizeof(text), 0), 12);
        CHECK_STR(text, "Hello, world");
        memset(text, 0, sizeof(text));
        CHECK_EQ(belay_file_read(fd, text, 5, 7), 5);
        CHECK_STR(text, "world");
        CHECK_EQ(belay_file_read(fd, text, 5, 10), 2);
        CHECK_EQ(belay_file_read(fd, text, 5, 100), 0);
        CHECK_EQ(belay_file_read(fd, text, 0, 0), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        CHECK_EQ(belay_file_read(fd, text, 6, -1), 6);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
        CHECK_EQ(belay_file_read(fd, text, 20, -1), 6);
        CHECK_EQ(belay_file_truncate(fd, 5), 0);
        CHECK_EQ(belay_file_read(fd, text, 20, 0), 5);
        CHECK_EQ(belay_file_sync(fd, false), 0);
        CHECK_EQ(belay_file_sync(fd, true), 0);

        /* More bytes than the library moves in one piece. */
        for (size_t i = 0; i < sizeof(big); i++)
                big[i] = (char) (i * 7 + i / 4096);
        CHECK_EQ(belay_file_write(fd, big, sizeof(big), 0), sizeof(big));
        CHECK_EQ(belay_file_read(fd, back, sizeof(back), 0), sizeof(big));
        CHECK(memcmp(big, back, sizeof(big)) == 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        memset(back, 0, sizeof(back));
        CHECK_EQ(belay_file_read(fd, back, sizeof(back), 0), sizeof(big));
        CHECK(memcmp(big, back, sizeof(big)) == 0);
        CHECK_EQ(belay_file_close(fd), 0);

        CHECK_EQ(belay_file_read(fd, text, 1, 0), -EBADF);
        CHECK_EQ(belay_file_write(fd, text, 1, 0), -EBADF);
        CHECK_EQ(belay_file_sync(fd, false), -EBADF);
        CHECK_EQ(belay_file_truncate(fd, 1), -EBADF);
        fd = belay_file_open(in_place("bytes"), O_RDONLY, 0);
        CHECK_EQ(belay_file_write(fd, text, 1, -1), -EBADF);
        CHECK_EQ(belay_file_truncate(fd, 1), -EINVAL);
        CHECK_EQ(belay_file_close(fd), 0);
        fd = belay_file_open(place, O_RDONLY, 0);
        CHECK_EQ(belay_file_read(fd, text, 1, 0), -EISDIR);
        CHECK_EQ(belay_file_close(fd), 0);
        zero = belay_file_open("/dev/full", O_RDWR, 0);
        if (zero >= 0) {
                CHECK_EQ(belay_file_write(zero, text, 1, -1), -ENOSPC);
                CHECK_EQ(belay_file_read(zero, back, 100000, -1), 100000);
                CHECK_EQ(belay_file_close(zero), 0);
        }
        return 0;
}

static int names(void *arg) {
        struct stat stat;

        (void) arg;
        CHECK_EQ(belay_file_make_directory(in_place("dir"), 0700), 0);
        CHECK_EQ(belay_file_make_directory(in_place("dir"), 0700), -EEXIST);
        CHECK_EQ(belay_file_stat(in_place("dir"), true, &stat), 0);
        CHECK(S_ISDIR(stat.st_mode) && (stat.st_mode & 07777) == 0700);
        put_file("dir/a", "four");
        CHECK_EQ(belay_file_stat(in_place("dir/a"), true, &stat), 0);
        CHECK_EQ(stat.st_size, 4);
        CHECK_EQ(stat.st_nlink, 1);
        CHECK_EQ(stat.st_uid, geteuid());
        CHECK_EQ(symlink("a", in_place("dir/link")), 0);
        CHECK_EQ(belay_file_stat(in_place("dir/link"), true, &stat), 0);
        CHECK(S_ISREG(stat.st_mode));
        CHECK_EQ(belay_file_stat(in_place("dir/link"), false, &stat), 0);
        CHECK(S_ISLNK(stat.st_mode));
        CHECK_EQ(belay_file_rename(in_place("dir/a"), in_place("dir/b")), 0);
        CHECK_EQ(belay_file_stat(in_place("dir/a"), true, &stat), -ENOENT);
        CHECK_EQ(belay_file_rename(in_place("dir/a"), in_place("dir/b")), -ENOENT);
        CHECK_STR(get_file("dir/b"), "four");
        CHECK_EQ(belay_file_remove(in_place("dir")), -ENOTEMPTY);
        CHECK_EQ(belay_file_remove(in_place("dir/link")), 0);
        CHECK_EQ(belay_file_remove(in_place("dir/b")), 0);
        CHECK_EQ(belay_file_remove(in_place("dir/b")), -ENOENT);
        CHECK_EQ(belay_file_remove(in_place("dir")), 0);
        CHECK_EQ(belay_file_stat(in_place("dir"), true, &stat), -ENOENT);
        CHECK_EQ(belay_file_stat_fd(0, &stat), fstat(0, &stat) < 0 ? -errno : 0);
        CHECK_EQ(belay_file_stat_fd(-1, &stat), -EBADF);
        CHECK_EQ(belay_file_stat_fd(AT_FDCWD, &stat), -EBADF);
        CHECK_EQ(belay_file_stat_fd(987, &stat), -EBADF);
        return 0;
}

/* belay_file_stat() must return the same data as the system's stat(). */
static int stats_alike(void *arg) {
        struct stat ours, theirs;

        (void) arg;
        put_file("alike", "some bytes");
        CHECK_EQ(belay_file_stat(in_place("alike"), true, &ours), 0);
        CHECK_EQ(stat(in_place("alike"), &theirs), 0);
        CHECK(ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino
              && ours.st_mode == theirs.st_mode && ours.st_nlink == theirs.st_nlink
              && ours.st_uid == theirs.st_uid && ours.st_gid == theirs.st_gid
              && ours.st_size == theirs.st_size && ours.st_blocks == theirs.st_blocks
              && ours.st_blksize == theirs.st_blksize
              && ours.st_mtim.tv_sec == theirs.st_mtim.tv_sec
              && ours.st_mtim.tv_nsec == theirs.st_mtim.tv_nsec
              && ours.st_ctim.tv_sec == theirs.st_ctim.tv_sec
              && ours.st_ctim.tv_nsec == theirs.st_ctim.tv_nsec);
        CHECK_EQ(belay_file_stat("/dev/null", true, &ours), 0);
        CHECK_EQ(stat("/dev/null", &theirs), 0);
        CHECK(ours.st_rdev == theirs.st_rdev && ours.st_dev == theirs.st_dev);
        return 0;
}

/* ---- the directory of relative names ---- */

static int makes_relative(void *arg) {
        *(int *) arg = belay_file_make_directory("relative", 0700);
        return 0;
}

static int moves_relative(void *arg) {
        *(int *) arg = belay_file_rename(in_place("relative"), "moved");
        return 0;
}

static int moves_back(void *arg) {
        *(int *) arg = belay_file_rename("moved", in_place("relative"));
        return 0;
}

/* Calls `fn`, and changes the current directory before the call is done. */
static int from_elsewhere(belay_fn *fn) {
        belay_task *task;
        int rc = 1;

        CHECK_EQ(chdir(place), 0);
        task = must(belay_spawn(fn, &rc));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(chdir(in_place("elsewhere")), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return rc;
}

static int relative(void *arg) {
        struct stat stat;

        (void) arg;
        CHECK_EQ(mkdir(in_place("elsewhere"), 0700), 0);
        CHECK_EQ(from_elsewhere(makes_relative), 0);
        CHECK_EQ(belay_file_stat("relative", true, &stat), -ENOENT);
        CHECK_EQ(belay_file_stat(in_place("relative"), true, &stat), 0);
        CHECK_EQ(from_elsewhere(moves_relative), 0);
        CHECK_EQ(belay_file_stat("moved", true, &stat), -ENOENT);
        CHECK_EQ(belay_file_stat(in_place("moved"), true, &stat), 0);
        CHECK_EQ(from_elsewhere(moves_back), 0);
        CHECK_EQ(belay_file_stat(in_place("moved"), true, &stat), -ENOENT);
        CHECK_EQ(belay_file_remove(in_place("relative")), 0);
        CHECK_EQ(chdir(place), 0);
        CHECK_EQ(belay_file_remove("elsewhere"), 0);
        return 0;
}

/* ---- descriptors that are no files ---- */

static int pipes(void *arg) {
        char text[8] = "";
        int ends[2];

        (void) arg;
        CHECK_EQ(pipe(ends), 0);
        CHECK_EQ(belay_file_write(ends[1], "abc", 3, -1), 3);
        CHECK_EQ(belay_file_read(ends[0], text, 3, -1), 3);
        CHECK_STR(text, "abc");
        /* The offset is ignored if the descriptor has none. */
        CHECK_EQ(belay_file_write(ends[1], "xyz", 3, 10), 3);
        CHECK_EQ(belay_file_read(ends[0], text, 3, 10), 3);
        CHECK_STR(text, "xyz");
        CHECK_EQ(belay_file_truncate(ends[1], 0), -EINVAL);
        close(ends[1]);
        CHECK_EQ(belay_file_read(ends[0], text, 3, -1), 0);
        close(ends[0]);
        return 0;
}

/* ---- whole files ---- */

static void limits(const char *path) {
        char expected[256] = "", *data;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = read(fd, expected, sizeof(expected) - 1);
        size_t size;

        CHECK(length > 1);
        close(fd);
        for (int more = 0; more < 3; more++) {
                CHECK_EQ(belay_file_read_all(path, (size_t) (length + more), &data, &size), 0);
                CHECK_EQ(size, length);
                CHECK_STR(data, expected);
                belay_file_free(data);
        }
        for (int less = 1; less < 3 && less < length; less++) {
                CHECK_EQ(belay_file_read_all(path, (size_t) (length - less), &data, &size), -EFBIG);
                CHECK(data == NULL && size == 0);
        }
        CHECK_EQ(belay_file_read_all(path, SIZE_MAX, &data, &size), 0);
        CHECK_EQ(size, length);
        belay_file_free(data);
}

static int reads_all(void *arg) {
        char *data, *expected;
        size_t size;
        int fd;

        (void) arg;
        put_file("whole", "all of it");
        CHECK_EQ(belay_file_read_all(in_place("whole"), 0, &data, &size), 0);
        CHECK_EQ(size, 9);
        CHECK_STR(data, "all of it");
        belay_file_free(data);
        CHECK_EQ(belay_file_read_all(in_place("whole"), 9, &data, NULL), 0);
        CHECK_STR(data, "all of it");
        belay_file_free(data);
        CHECK_EQ(belay_file_read_all(in_place("whole"), 8, &data, &size), -EFBIG);
        CHECK(data == NULL && size == 0);
        put_file("whole", "");
        CHECK_EQ(belay_file_read_all(in_place("whole"), 1, &data, &size), 0);
        CHECK(size == 0 && data[0] == '\0');
        belay_file_free(data);
        CHECK_EQ(belay_file_read_all(in_place("none"), 0, &data, &size), -ENOENT);
        CHECK(data == NULL);
        CHECK_EQ(belay_file_read_all(place, 0, &data, &size), -EISDIR);
        CHECK(data == NULL);

        /* The size of such a file is not known in advance. */
        CHECK_EQ(belay_file_read_all("/proc/self/maps", 0, &data, &size), 0);
        CHECK(size > 0 && strlen(data) == size && data[size - 1] == '\n');
        belay_file_free(data);
        CHECK_EQ(belay_file_read_all("/proc/self/maps", 10, &data, &size), -EFBIG);

        /* A limit that is just large enough, for a file of unknown size and for another. */
        limits("/proc/sys/kernel/ostype");
        put_file("whole", "all of it");
        limits(in_place("whole"));

        expected = malloc(300000);
        memset(expected, 'x', 300000);
        fd = open(in_place("whole"), O_WRONLY | O_TRUNC);
        CHECK_EQ(write(fd, expected, 300000), 300000);
        close(fd);
        CHECK_EQ(belay_file_read_all(in_place("whole"), 0, &data, &size), 0);
        CHECK(size == 300000 && memcmp(data, expected, size) == 0 && data[size] == '\0');
        belay_file_free(data);
        free(expected);
        return 0;
}

/* ---- outside of a task, and failures ---- */

static void outside(void) {
        struct stat stat;
        char *data, byte;
        int fd = open("/dev/null", O_RDWR);

        keep_lines();
        CHECK_EQ(belay_file_open("/dev/null", O_RDONLY, 0), -EPERM);
        CHECK_EQ(belay_file_read(fd, &byte, 1, 0), -EPERM);
        CHECK_EQ(belay_file_write(fd, &byte, 1, 0), -EPERM);
        CHECK_EQ(belay_file_sync(fd, false), -EPERM);
        CHECK_EQ(belay_file_truncate(fd, 0), -EPERM);
        CHECK_EQ(belay_file_stat("/", true, &stat), -EPERM);
        CHECK_EQ(belay_file_stat_fd(fd, &stat), -EPERM);
        CHECK_EQ(belay_file_rename("/none", "/none"), -EPERM);
        CHECK_EQ(belay_file_remove("/none"), -EPERM);
        CHECK_EQ(belay_file_make_directory("/none", 0), -EPERM);
        CHECK_EQ(belay_file_read_all("/none", 0, &data, NULL), -EPERM);
        CHECK_EQ(belay_file_write_all("/none", "", 0, 0), -EPERM);
        CHECK_EQ(belay_walk("/none", NULL, NULL), -EPERM);
        /* The descriptor is closed all the same. */
        CHECK_EQ(belay_file_close(fd), -EPERM);
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        CHECK_LINES(14, "outside of a task");
        belay_set_log(NULL, NULL);
}

/* The detail of an earlier failure must not be taken for that of this one. */
static int details(void *arg) {
        belay_failure *failure;

        (void) arg;
        CHECK_EQ(belay_fail(-ENOENT, "something else"), -ENOENT);
        CHECK_EQ(belay_file_open(in_place("none"), O_RDONLY, 0), -ENOENT);
        failure = belay_failure_take(-ENOENT);
        CHECK(belay_failure_text(failure) == NULL
              || strcmp(belay_failure_text(failure), "something else") != 0);
        belay_failure_release(failure);
        return 0;
}

/* ---- yielding ---- */

static int counts(void *arg) {
        for (;;) {
                int rc = belay_yield();

                if (rc < 0)
                        return rc;
                ++*(unsigned *) arg;
        }
}

/* Reading cached data never waits, but lets other tasks run all the same. */
static int gives_way(void *arg) {
        unsigned turns = 0;
        belay_task *other = must(belay_spawn(counts, &turns));
        char byte;
        int fd, rc = 0, reads = 0;

        (void) arg;
        put_file("one", "1");
        fd = open(in_place("one"), O_RDONLY);
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(belay_file_read(fd, &byte, 1, 0), 1);
        CHECK(turns >= 10);
        CHECK(belay_cancel(belay_self(), NULL));
        while ((rc = (int) belay_file_read(fd, &byte, 1, 0)) == 1 && reads < 1000)
                reads++;
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        close(fd);
        CHECK_EQ(belay_cancel_wait(other, NULL, BELAY_NEVER, NULL), 0);
        belay_release(other);
        return 0;
}

int main(void) {
        belay_fn *const tests[] = {
                opens,    flags, moves,     names,   stats_alike,
                relative, pipes, reads_all, details, gives_way,
        };
        unsigned fds = count_fds(), threads = first_threads();

        belay_set_memory(guarded_memory, NULL);
        umask(022);
        make_place();
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
                for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
                        CHECK_EQ(belay_run_with(tests[i], NULL, is_virtual ? VIRTUAL : NULL), 0);
                        CHECK_EQ(count_fds(), fds);
                        await_threads(threads);
                        leave_place();
                        CHECK_EQ(mkdir(place, 0700), 0);
                        CHECK_EQ(chdir(place), 0);
                }
        outside();
        return 0;
}
