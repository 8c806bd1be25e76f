/* SPDX-License-Identifier: MIT */
/*
 * The details of failures: the file, and the step that failed.
 */
#include "place.h"

static const char *said(int code) {
        static char text[1024];
        belay_failure *failure = belay_failure_take(code);

        belay_failure_format(failure, text, sizeof(text));
        belay_failure_release(failure);
        return text;
}

static void check(int rc, int expected, const char *format, const char *path) {
        char text[1024], *at;

        CHECK_EQ(rc, expected);
        snprintf(text, sizeof(text), format, path);
        at = text + strlen(text);
        snprintf(at, sizeof(text) - (size_t) (at - text), ": %s", strerror(-expected));
        CHECK_STR(said(expected), text);
}

static int explains(void *arg) {
        struct rlimit limit, small;
        struct stat status;
        const char *path;
        char big[20000] = "", *data;

        (void) arg;
        path = in_place("none/file");
        check(belay_file_write_all(path, "x", 1, 0600), -ENOENT,
              "replace %s: opening its directory", path);
        check(belay_file_read_all(path, 0, &data, NULL), -ENOENT, "read %s", path);
        check(belay_file_open(path, O_RDONLY, 0), -ENOENT, "open %s", path);
        check(belay_file_stat(path, true, &status), -ENOENT, "stat %s", path);
        check(belay_file_rename(path, "other"), -ENOENT, "rename %s", path);
        check(belay_file_remove(path), -ENOENT, "remove %s", path);
        check(belay_file_make_directory(path, 0700), -ENOENT, "make directory %s", path);
        CHECK_EQ(mkdir(in_place("dir"), 0700), 0);
        path = in_place("dir");
        check(belay_file_write_all(path, "x", 1, 0600), -EISDIR,
              "replace %s: giving its name to the new file", path);
        check(belay_file_read_all(path, 0, &data, NULL), -EISDIR, "read %s", path);
        put_file("file", "as it was");
        path = in_place("file");
        check(belay_file_read_all(path, 3, &data, NULL), -EFBIG, "read %s", path);
        if (geteuid() != 0) {
                CHECK_EQ(chmod(in_place("dir"), 0500), 0);
                check(belay_file_write_all("dir/file", "x", 1, 0600), -EACCES,
                      "replace %s: making a file beside it", "dir/file");
                CHECK_EQ(chmod(in_place("dir"), 0700), 0);
        } else {
                check(belay_file_write_all("/proc/file", "x", 1, 0600), -ENOENT,
                      "replace %s: making a file beside it", "/proc/file");
        }
        CHECK_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
        small = limit;
        small.rlim_cur = 10000;
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
        check(belay_file_write_all(path, big, sizeof(big), 0600), -EFBIG,
              "replace %s: writing a file beside it", path);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);

        /* A cancellation keeps its own reason. */
        CHECK(belay_cancel(belay_self(), "enough"));
        CHECK_EQ(belay_file_write_all(path, "x", 1, 0600), -ECANCELED);
        CHECK(strstr(said(-ECANCELED), "replace") == NULL);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return 0;
}

int main(void) {
        signal(SIGXFSZ, SIG_IGN);
        make_place();
        RUN_VIRTUAL(explains);
        leave_place();
        return 0;
}
