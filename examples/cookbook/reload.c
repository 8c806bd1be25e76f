/* SPDX-License-Identifier: MIT */
/*
 * Reload the configuration on SIGHUP.
 */
#include <belay.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Blocks SIGHUP, so that it comes by the descriptor alone. Call it in main() before there are
 * threads.
 */
static int open_hangups(void) {
        sigset_t hangup;

        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &hangup, NULL) < 0)
                return -errno;
        return signalfd(-1, &hangup, SFD_NONBLOCK | SFD_CLOEXEC);
}

/*
 * Calls reload(arg) after each SIGHUP until the task is cancelled. Signals that come meanwhile
 * merge.
 */
static int reload_on_hangup(int hangups, belay_fn *reload, void *arg) {
        struct signalfd_siginfo info;
        int rc;

        while ((rc = belay_wait_fd(hangups, BELAY_READABLE)) >= 0) {
                if (read(hangups, &info, sizeof(info)) < 0)
                        continue;
                rc = reload(arg);
                if (rc == -ECANCELED)
                        break;
                /* A bad file is no reason to stop: the old configuration stays in force. */
                if (rc < 0)
                        fprintf(stderr, "reload: %s\n", strerror(-rc));
        }
        return rc;
}

/* ---- the check ---- */

static int hangups;
static unsigned reloads;
static belay_event reloaded;

static int reload(void *arg) {
        (void) arg;
        reloads++;
        belay_event_set(&reloaded);
        return 0;
}

static int watch(void *arg) {
        return reload_on_hangup(hangups, reload, arg);
}

static int app(void *arg) {
        belay_task *task = belay_spawn(watch, NULL);
        int outcome;

        (void) arg;
        for (unsigned i = 1; i <= 3; i++) {
                check(kill(getpid(), SIGHUP) == 0);
                check(belay_event_wait(&reloaded) == 0);
                check(reloads == i);
                belay_event_clear(&reloaded);
        }
        check(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome) == 0);
        check(outcome == -ECANCELED);
        belay_release(task);
        return 0;
}

int main(void) {
        hangups = open_hangups();
        check(hangups >= 0);
        check(belay_run(app, NULL) == 0);
        close(hangups);
        return 0;
}
