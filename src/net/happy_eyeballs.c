/* SPDX-License-Identifier: MIT */
/*
 * Connecting to the first of several addresses that answers (RFC 8305).
 *
 * The attempts are a race of tasks, one for each address. An attempt begins when the one before it
 * has failed, or after the stagger span.
 */
#include <stdio.h>

#include "net/bind.h"
#include "net/connect.h"
#include "net/endpoint.h"
#include "net/net.h"
#include "net/shortage.h"

#include <belay/cancel.h>
#include <belay/many.h>
#include <belay/sync.h>

struct stagger;

struct attempt {
        struct stagger *all;
        const belay_address *address;
        belay_event turn;     /* set when the attempt may begin */
        belay_stream *stream; /* its connection; NULL: none */
};

struct stagger {
        const struct bly_connect *how;
        int error; /* error of the last attempt that failed, or a shortage */
        size_t count;
        belay_task **tasks;
        struct attempt attempts[];
};

/* ---- an attempt ---- */

static void begin(void *arg) {
        struct attempt *attempt = arg;

        belay_event_set(&attempt->turn);
}

/*
 * Lets the next attempt begin after the stagger span. Returns the timer's ticket. Returns 0 if
 * there is no next attempt, or if the span is BELAY_NEVER. Without memory for the timer, the next
 * attempt begins at once, and the function returns 0 too.
 */
static belay_ticket begin_later(const struct bly_connect *how, struct attempt *next) {
        belay_ticket ticket;

        if (next == NULL || how->stagger == BELAY_NEVER)
                return 0;
        ticket = belay_later(how->stagger, begin, next);
        if (ticket == 0)
                begin(next);
        return ticket;
}

/*
 * Records the error of an attempt. A shortage takes precedence: an address that could not be tried
 * might have answered, so the errors of other addresses do not explain the failure.
 */
static void note_error(struct stagger *all, int rc) {
        if (bly_is_shortage(rc) || !bly_is_shortage(all->error))
                all->error = rc;
}

static int attempt(void *arg) {
        struct attempt *self = arg;
        struct stagger *all = self->all;
        struct attempt *next = self + 1 < all->attempts + all->count ? self + 1 : NULL;
        belay_ticket ticket = 0;
        int rc;

        rc = belay_event_wait_placed(all->how->place, &self->turn);
        if (rc == 0) {
                ticket = begin_later(all->how, next);
                rc = bly_connect_one(all->how, self->address, &self->stream);
                belay_timer_cancel(ticket);
        }
        if (rc == 0) {
                /* With a pending request the task would end cancelled, though it is connected. */
                while (belay_uncancel(belay_self()) > 0)
                        ;
                return 0;
        }
        if (next != NULL)
                begin(next);
        if (rc != -ECANCELED)
                note_error(all, rc);
        return rc;
}

/* ---- all of them ---- */

static struct stagger *make(const struct bly_connect *how, const belay_address *addresses,
                            size_t count) {
        struct stagger *all = bly_zalloc(
                sizeof(*all) + count * (sizeof(all->attempts[0]) + sizeof(all->tasks[0])));

        if (all == NULL)
                return NULL;
        all->how = how;
        all->count = count;
        all->tasks = (belay_task **) &all->attempts[count];
        for (size_t i = 0; i < count; i++) {
                all->attempts[i].all = all;
                all->attempts[i].address = &addresses[i];
        }
        begin(&all->attempts[0]);
        return all;
}

/* No attempt takes its first step before all are spawned. */
static int start(struct stagger *all) {
        belay_spawn_options options = { .size = sizeof(options), .name = "connect" };

        for (size_t i = 0; i < all->count; i++) {
                all->tasks[i] = belay_spawn_with_placed(all->how->place, attempt, &all->attempts[i],
                                                        &options);
                if (all->tasks[i] == NULL)
                        return -errno;
        }
        return 0;
}

/*
 * Releases the tasks. If no race took place, they are cancelled before their first step. Otherwise
 * all have ended, and the function retrieves their outcomes so that no failure is logged.
 */
static void release(struct stagger *all) {
        for (size_t i = 0; i < all->count; i++) {
                if (all->tasks[i] == NULL)
                        continue;
                if (!belay_done(all->tasks[i]))
                        belay_cancel_placed(all->how->place, all->tasks[i], NULL);
                else
                        (void) belay_result_placed(all->how->place, all->tasks[i]);
                belay_release(all->tasks[i]);
        }
        bly_free(all);
}

/* Returns one connection, that of the winner if there is one, and aborts the others. NULL: none. */
static belay_stream *take(struct stagger *all, size_t winner) {
        belay_stream *taken = winner < all->count ? all->attempts[winner].stream : NULL;

        for (size_t i = 0; i < all->count; i++) {
                belay_stream *stream = all->attempts[i].stream;

                if (taken == NULL)
                        taken = stream;
                else if (stream != taken)
                        belay_abort(stream);
        }
        return taken;
}

static void explain(belay_failure *failure, const struct stagger *all) {
        char quoted[BLY_QUOTED], text[BLY_QUOTED + 128];

        failure->code = all->error;
        snprintf(text, sizeof(text), "connect to %s: %s",
                 bly_endpoint_quote(quoted, all->how->endpoint), strerror(-all->error));
        bly_text_release(failure->text);
        failure->text = bly_text_new(text);
        failure->says_all = true;
}

/* Returns the failure if no address answered. Its detail has those of the attempts beneath it. */
static int fail(struct stagger *all, belay_task *self, int first) {
        belay_failure *failure = bly_take_last_failure(self, first);
        int rc;

        /* All attempts were cancelled. If this task was too, the yield delivers its request. */
        if (all->error == 0) {
                belay_failure_release(failure);
                rc = belay_yield_placed(all->how->place);
                return rc < 0 ? rc : -ECONNABORTED;
        }
        /* No other code has a reference to the failure yet, so it may be changed. */
        if (failure != NULL)
                explain(failure, all);
        bly_set_last_failure(self, all->error, failure);
        return all->error;
}

static int race(struct stagger *all, belay_stream **stream) {
        belay_task *self = bly_current();
        size_t winner = all->count;
        int outcome = 0,
            rc = belay_race_placed(all->how->place, all->tasks, all->count, &winner, &outcome);

        *stream = take(all, winner);
        if (*stream == NULL)
                return rc < 0 ? rc : fail(all, self, outcome);
        /* The connection was made when the request was delivered, so the request stays pending. */
        if (rc == -ECANCELED)
                bly_undeliver(self);
        return 0;
}

/*
 * Connects to the only address of an endpoint. The detail of that failure has the address only. If
 * the endpoint is a name, the function adds the name.
 */
static int connect_alone(const struct bly_connect *how, const belay_address *address,
                         belay_stream **stream) {
        int rc = bly_connect_one(how, address, stream);
        char quoted[BLY_QUOTED], text[BELAY_ADDRESS_TEXT];

        if (rc == 0 || rc == -ECANCELED || how->local != NULL)
                return rc;
        bly_address_text(bly_sockaddr(address), address->length, text, sizeof(text));
        if (strcmp(text, how->endpoint) == 0)
                return rc;
        return bly_explain(rc, "connect to %s (%s): %s", bly_endpoint_quote(quoted, how->endpoint),
                           text, strerror(-rc));
}

int bly_connect_any(const struct bly_connect *how, const belay_address *addresses, size_t count,
                    belay_stream **stream) {
        struct stagger *all;
        int rc;

        if (count == 1)
                return connect_alone(how, addresses, stream);
        *stream = NULL;
        all = make(how, addresses, count);
        if (all == NULL)
                return -ENOMEM;
        rc = start(all);
        if (rc == 0)
                rc = race(all, stream);
        release(all);
        return rc;
}
