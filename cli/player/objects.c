/* SPDX-License-Identifier: MIT */
/*
 * Statements about locks, semaphores, events, conditions, barriers and futures.
 */
#include "statements.h"

/* Acquires an object that a task can hold. For a condition, that is its lock. */
static int acquire(struct frame *frame, const struct argument *argument) {
        union thing *thing = thing_of(frame, argument);

        switch (argument->word->object->kind) {
        case OBJECT_SEMAPHORE:
        case OBJECT_BOUNDED:
                return belay_semaphore_acquire(&thing->semaphore);
        case OBJECT_CONDITION:
                return belay_lock_acquire(belay_condition_lock(&thing->condition));
        default:
                return belay_lock_acquire(&thing->lock);
        }
}

static int release(struct frame *frame, const struct argument *argument) {
        union thing *thing = thing_of(frame, argument);

        switch (argument->word->object->kind) {
        case OBJECT_SEMAPHORE:
        case OBJECT_BOUNDED:
                return belay_semaphore_release(&thing->semaphore);
        case OBJECT_CONDITION:
                return belay_lock_release(belay_condition_lock(&thing->condition));
        default:
                return belay_lock_release(&thing->lock);
        }
}

int play_with(struct frame *frame, const struct statement *statement) {
        const struct argument *held = &statement->arguments[0];
        int rc = acquire(frame, held), released;
        belay_failure *kept;

        if (rc < 0)
                return rc;
        say(frame, "with %s", held->word->text);
        rc = play_block(frame, &statement->body);
        /*
         * Taken before the release. Otherwise a failure of the release would be reported with the
         * detail of this one.
         */
        kept = rc < 0 ? belay_failure_take(rc) : NULL;
        released = release(frame, held);
        if (released < 0) {
                belay_failure_release(kept);
                return released;
        }
        return kept ? belay_failure_raise(kept) : rc;
}

int play_acquire(struct frame *frame, const struct statement *statement) {
        int rc = acquire(frame, &statement->arguments[0]);

        if (rc == 0)
                say(frame, "acquired %s", word_at(statement, 0));
        return rc;
}

int play_release(struct frame *frame, const struct statement *statement) {
        return release(frame, &statement->arguments[0]);
}

int play_wait_event(struct frame *frame, const struct statement *statement) {
        int rc = belay_event_wait(&thing_of(frame, &statement->arguments[0])->event);

        if (rc == 0)
                say(frame, "event %s", word_at(statement, 0));
        return rc;
}

int play_set(struct frame *frame, const struct statement *statement) {
        belay_event_set(&thing_of(frame, &statement->arguments[0])->event);
        return 0;
}

int play_clear(struct frame *frame, const struct statement *statement) {
        belay_event_clear(&thing_of(frame, &statement->arguments[0])->event);
        return 0;
}

int play_wait_cond(struct frame *frame, const struct statement *statement) {
        int rc = belay_condition_wait(&thing_of(frame, &statement->arguments[0])->condition);

        if (rc == 0)
                say(frame, "notified %s", word_at(statement, 0));
        return rc;
}

static bool is_set(void *arg) {
        const belay_event *event = arg;

        return belay_event_is_set(event);
}

int play_wait_cond_until(struct frame *frame, const struct statement *statement) {
        const struct argument *condition = &statement->arguments[0],
                              *event = &statement->arguments[1];
        int rc = belay_condition_wait_until(&thing_of(frame, condition)->condition, is_set,
                                            &thing_of(frame, event)->event);

        if (rc == 0)
                say(frame, "until %s %s", condition->word->text, event->word->text);
        return rc;
}

int play_notify(struct frame *frame, const struct statement *statement) {
        return belay_condition_notify(&thing_of(frame, &statement->arguments[0])->condition,
                                      (size_t) number_at(statement, 1));
}

int play_barrier_wait(struct frame *frame, const struct statement *statement) {
        int rc = belay_barrier_wait(&thing_of(frame, &statement->arguments[0])->barrier);

        if (rc < 0)
                return rc;
        say(frame, "passed %s", word_at(statement, 0));
        return 0;
}

int play_barrier_index(struct frame *frame, const struct statement *statement) {
        int rc = belay_barrier_wait(&thing_of(frame, &statement->arguments[0])->barrier);

        if (rc < 0)
                return rc;
        say(frame, "passed %s %d", word_at(statement, 0), rc);
        return 0;
}

int play_abort(struct frame *frame, const struct statement *statement) {
        return belay_barrier_abort(&thing_of(frame, &statement->arguments[0])->barrier);
}

int play_reset(struct frame *frame, const struct statement *statement) {
        return belay_barrier_reset(&thing_of(frame, &statement->arguments[0])->barrier);
}

int play_await_future(struct frame *frame, const struct statement *statement) {
        belay_future *future = slot_of(frame, statement->arguments[0].word)->future;
        int outcome = 0, rc = belay_await(future, &outcome);

        if (rc == 0)
                rc = outcome;
        if (rc < 0)
                return rc;
        say(frame, "future %s -> %s", word_at(statement, 0), value_of(future));
        return 0;
}

int play_set_result(struct frame *frame, const struct statement *statement) {
        return belay_future_set_value(slot_of(frame, statement->arguments[0].word)->future,
                                      (char *) word_at(statement, 1), NULL);
}

int play_set_error(struct frame *frame, const struct statement *statement) {
        return belay_future_set(slot_of(frame, statement->arguments[0].word)->future,
                                belay_fail(SCENARIO_ERROR, "%s", word_at(statement, 1)));
}

int play_cancel_future(struct frame *frame, const struct statement *statement) {
        const struct word *name = statement->arguments[0].word;
        const char *reason = statement->count > 1 ? word_at(statement, 1) : NULL;

        say(frame, "cancel_future %s -> %s", name->text,
            belay_cancel(slot_of(frame, name)->future, reason) ? "true" : "false");
        return 0;
}
