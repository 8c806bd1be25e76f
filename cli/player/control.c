/* SPDX-License-Identifier: MIT */
/*
 * Statements that control the flow: return, raise, repeat and try. Also the few statements that
 * only log, let time pass or interrupt main.
 */
#include "statements.h"

int play_log(struct frame *frame, const struct statement *statement) {
        say(frame, "log %s", word_at(statement, 0));
        return 0;
}

int play_busy(struct frame *frame, const struct statement *statement) {
        (void) frame;
        return belay_advance(number_at(statement, 0));
}

int play_return(struct frame *frame, const struct statement *statement) {
        frame->value = statement->arguments[0].word;
        return RETURNING;
}

int play_raise(struct frame *frame, const struct statement *statement) {
        (void) statement;
        return belay_failure_raise(belay_failure_ref(frame->handling));
}

int play_raise_error(struct frame *frame, const struct statement *statement) {
        (void) frame;
        return belay_fail(SCENARIO_ERROR, "%s", word_at(statement, 0));
}

int play_raise_cancelled(struct frame *frame, const struct statement *statement) {
        (void) frame;
        if (statement->count == 0)
                return belay_fail(-ECANCELED, NULL);
        return belay_fail(-ECANCELED, "%s", word_at(statement, 0));
}

int play_repeat(struct frame *frame, const struct statement *statement) {
        int rc = 0;

        for (int64_t i = 0; i < number_at(statement, 0) && rc == 0; i++) {
                rc = play_block(frame, &statement->body);
                /*
                 * An empty block takes no step, so the limit on steps would never end a long
                 * repetition of it.
                 */
                if (!statement->body.first)
                        break;
        }
        return rc;
}

/* Takes the failure at once, because it must outlast all actions of the handler. */
static int play_handlers(struct frame *frame, const struct statement *statement, int rc) {
        const belay_failure *outer = frame->handling;
        belay_failure *failure = belay_failure_take(rc);
        const struct clause *clause = statement->clauses;
        struct text name = { 0 };

        while (clause && !failure_is(failure, clause->kind))
                clause = clause->next;
        if (!clause)
                return belay_failure_raise(failure);
        name_failure(failure, &name);
        say(frame, "caught %s", name.data);
        text_free(&name);
        frame->handling = failure;
        rc = play_block(frame, &clause->body);
        frame->handling = outer;
        belay_failure_release(failure);
        return rc;
}

/*
 * A failure in the `finally` block replaces the failure or `return` that was under way. A `return`
 * in it does not, as in the reference player.
 */
static int play_finally(struct frame *frame, const struct statement *statement, int rc) {
        belay_failure *kept = rc < 0 ? belay_failure_take(rc) : NULL;
        struct word *value = frame->value;
        int inner;

        say(frame, "finally");
        inner = play_block(frame, statement->finally);
        if (inner < 0) {
                belay_failure_release(kept);
                return inner;
        }
        frame->value = value;
        return kept ? belay_failure_raise(kept) : rc;
}

int play_try(struct frame *frame, const struct statement *statement) {
        int rc = play_block(frame, &statement->body);

        if (rc < 0 && !frame->player->giving_up)
                rc = play_handlers(frame, statement, rc);
        if (statement->finally && !frame->player->giving_up)
                rc = play_finally(frame, statement, rc);
        return rc;
}

int play_interrupt(struct frame *frame, const struct statement *statement) {
        if (belay_interrupt(NULL) < 0)
                return give_up(frame->player, statement->line,
                               "only the first interrupt, while main runs, is told");
        say(frame, "interrupt");
        return 0;
}
