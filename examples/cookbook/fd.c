/* SPDX-License-Identifier: MIT */
/*
 * Wait for the descriptor of any library.
 */
#include <belay.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Waits until something happens in the directory that `fd`, of inotify_init1(IN_NONBLOCK), watches.
 */
static int next_change(int fd, char name[NAME_MAX + 1]) {
        char buffer[4096] __attribute__((aligned(8)));
        const struct inotify_event *event = (const struct inotify_event *) buffer;
        ssize_t got;

        for (;;) {
                int rc = belay_wait_fd(fd, BELAY_READABLE);

                if (rc < 0)
                        return rc;
                got = read(fd, buffer, sizeof(buffer));
                if (got > 0)
                        break;
                /* Another task may have read it meanwhile. */
                if (got < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
        }
        snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX, event->len > 0 ? event->name : "");
        return 0;
}

/* Closes it. Tasks that wait for it return -EBADF first. */
static void stop_watching(int fd) {
        belay_forget_fd(fd);
        close(fd);
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX";
static int watch;

static int touch(void *arg) {
        char path[64];

        (void) arg;
        snprintf(path, sizeof(path), "%s/file", directory);
        check(belay_file_write_all(path, "", 0, 0600) == 0);
        return belay_file_remove(path);
}

static int wait_once_more(void *arg) {
        char name[NAME_MAX + 1];
        int rc;

        (void) arg;
        do
                rc = next_change(watch, name);
        while (rc == 0);
        return rc;
}

static int app(void *arg) {
        char name[NAME_MAX + 1] = "";
        belay_task *task;
        int outcome;

        (void) arg;
        watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        check(watch >= 0);
        check(inotify_add_watch(watch, directory, IN_MOVED_TO) >= 0);
        task = belay_spawn(touch, NULL);
        check(next_change(watch, name) == 0);
        check(strcmp(name, "file") == 0);
        check(belay_join(task, &outcome) == 0 && outcome == 0);
        belay_release(task);

        task = belay_spawn(wait_once_more, NULL);
        check(belay_sleep(BELAY_MILLISECOND) == 0);
        stop_watching(watch);
        check(belay_join(task, &outcome) == 0 && outcome == -EBADF);
        belay_release(task);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
