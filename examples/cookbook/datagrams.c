/* SPDX-License-Identifier: MIT */
/*
 * Ask by datagrams, again if no answer comes.
 */
#include <belay.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

struct message {
        uint32_t number; /* an answer has that of its question */
        char text[60];
};

/* Sends a question, up to five times, and returns 0 with its answer. */
static int ask(belay_datagrams *socket, const struct message *question, struct message *answer,
               belay_time patience) {
        ssize_t rc = -ETIMEDOUT;

        for (int i = 0; i < 5 && rc == -ETIMEDOUT; i++) {
                belay_timeout limit;

                rc = belay_timeout_enter(&limit, patience);
                if (rc < 0)
                        break;
                rc = belay_send(socket, question, sizeof(*question), NULL);
                while (rc >= 0) {
                        rc = belay_receive(socket, answer, sizeof(*answer), NULL);
                        /* Anything else is an answer to an earlier question that came late. */
                        if (rc == sizeof(*answer) && answer->number == question->number)
                                break;
                }
                rc = belay_timeout_leave(&limit, (int) rc);
        }
        return rc < 0 ? (int) rc : 0;
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", server_at[64], client_at[64];
static unsigned questions;

static int server(void *socket) {
        struct message message;
        belay_address from;
        ssize_t rc;

        while ((rc = belay_receive(socket, &message, sizeof(message), &from)) >= 0) {
                struct message late = { .number = message.number - 1 };

                /* The first one is lost. The second one gets a late answer first. */
                if (questions++ == 0)
                        continue;
                check(belay_send(socket, &late, sizeof(late), &from) == sizeof(late));
                snprintf(message.text, sizeof(message.text), "fine");
                check(belay_send(socket, &message, sizeof(message), &from) == sizeof(message));
        }
        return (int) rc;
}

static int app(void *arg) {
        struct message question = { 7, "how are you?" }, answer;
        belay_datagrams *there, *here;
        belay_task *task;

        (void) arg;
        check(belay_datagrams_open(&there, server_at, NULL) == 0);
        check(strcmp(belay_datagrams_endpoint(there), server_at) == 0);
        check(belay_datagrams_fd(there) >= 0);
        check(belay_datagrams_open(&here, client_at, server_at) == 0);
        task = belay_spawn(server, there);
        check(ask(here, &question, &answer, BELAY_SECOND) == 0);
        check(questions == 2 && strcmp(answer.text, "fine") == 0);
        check(belay_cancel_wait(task, "enough", BELAY_NEVER, NULL) == 0);
        check(ask(here, &question, &answer, BELAY_SECOND) == -ETIMEDOUT);
        belay_release(task);
        belay_datagrams_close(here);
        belay_datagrams_close(there);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(server_at, sizeof(server_at), "unix:%s/server", directory);
        snprintf(client_at, sizeof(client_at), "unix:%s/client", directory);
        check(run_virtual(app) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
