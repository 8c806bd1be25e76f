/* SPDX-License-Identifier: MIT */
/*
 * Give a task its argument, so that it is freed in every case.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

struct mail {
        char to[64];
        char text[200];
};

static unsigned sent;

static int send_mail(void *arg) {
        const struct mail *mail = arg;
        int rc = belay_sleep(BELAY_SECOND); /* stands for the sending */

        if (rc == 0)
                printf("to %s: %s\n", mail->to, mail->text);
        sent += rc == 0;
        return rc;
}

/*
 * Sends it in the background. The task owns the mail, even if it is cancelled before its first
 * step.
 */
static int post(const char *to, const char *text) {
        struct mail *mail = malloc(sizeof(*mail));
        int rc;

        if (mail == NULL)
                return -ENOMEM;
        snprintf(mail->to, sizeof(mail->to), "%s", to);
        snprintf(mail->text, sizeof(mail->text), "%s", text);
        rc = belay_spawn_detached(
                send_mail, mail,
                BELAY_OPTIONS(belay_spawn_options, .name = "mail", .destroy = free));
        /* If it could not be started, the mail is still ours. */
        if (rc < 0)
                free(mail);
        return rc;
}

/* ---- the check ---- */

static int note_end(void *task) {
        int outcome, rc = belay_join(task, &outcome);

        return rc < 0 ? rc : outcome;
}

static int quick(void *arg) {
        (void) arg;
        return 4;
}

static int app(void *arg) {
        belay_task *task = belay_spawn(quick, NULL), *watcher;
        int outcome;

        (void) arg;
        check(post("reader", "hello") == 0);
        check(belay_sleep(2 * BELAY_SECOND) == 0 && sent == 1);

        /* A handle as the argument: the watcher has a reference of its own. */
        watcher = belay_spawn_with(
                note_end, belay_ref(task),
                BELAY_OPTIONS(belay_spawn_options, .destroy = belay_release_arg));
        belay_release(task);
        check(belay_join(watcher, &outcome) == 0 && outcome == 4);
        belay_release(watcher);

        /*
         * The shutdown cancels this task before its first step. A leak checker finds the mail if
         * the destructor does not free it.
         */
        return post("reader", "too late");
}

int main(void) {
        check(run_virtual(app) == 0);
        check(sent == 1);
        return 0;
}
