/* SPDX-License-Identifier: MIT */
/*
 * Statements about queues. The items are words, which the scenario owns.
 */
#include "statements.h"

static belay_queue *queue_of(const struct frame *frame, const struct statement *statement) {
        return thing_of(frame, &statement->arguments[0])->queue;
}

static int say_put(struct frame *frame, const struct statement *statement, int rc) {
        if (rc == 0)
                say(frame, "put %s %s", word_at(statement, 0), word_at(statement, 1));
        return rc;
}

static int say_got(struct frame *frame, const struct statement *statement, int rc,
                   const char *item) {
        if (rc == 0)
                say(frame, "got %s %s", word_at(statement, 0), item);
        return rc;
}

int play_put(struct frame *frame, const struct statement *statement) {
        int rc = belay_queue_put(queue_of(frame, statement), (char *) word_at(statement, 1));

        return say_put(frame, statement, rc);
}

int play_try_put(struct frame *frame, const struct statement *statement) {
        int rc = belay_queue_try_put(queue_of(frame, statement), (char *) word_at(statement, 1));

        return say_put(frame, statement, rc);
}

int play_get(struct frame *frame, const struct statement *statement) {
        void *item = NULL;
        int rc = belay_queue_get(queue_of(frame, statement), &item);

        return say_got(frame, statement, rc, item);
}

int play_try_get(struct frame *frame, const struct statement *statement) {
        void *item = NULL;
        int rc = belay_queue_try_get(queue_of(frame, statement), &item);

        return say_got(frame, statement, rc, item);
}

int play_task_done(struct frame *frame, const struct statement *statement) {
        return belay_queue_task_done(queue_of(frame, statement));
}

int play_join(struct frame *frame, const struct statement *statement) {
        int rc = belay_queue_join(queue_of(frame, statement));

        if (rc == 0)
                say(frame, "joined %s", word_at(statement, 0));
        return rc;
}

int play_shutdown(struct frame *frame, const struct statement *statement) {
        belay_queue_shutdown(queue_of(frame, statement), statement->count > 1);
        return 0;
}
