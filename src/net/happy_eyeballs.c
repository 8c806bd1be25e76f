/* SPDX-License-Identifier: MIT */
/*
 * Connecting to the first of several addresses that answers: a race of tasks, one for each address, of which each
 * begins when the one before it has failed, or has had its time (RFC 8305).
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
        belay_event turn;               /* it may begin */
        belay_stream *stream;           /* what it came to */
};

struct stagger {
        const struct bly_connect *how;
        int error;                      /* of the last that failed; but what the system is short of is told first */
        size_t count;
        belay_task **tasks;
        struct attempt attempts[];
};

/* ---- an attempt ---- */

static void begin(void *arg) {
        struct attempt *attempt = arg;

        belay_event_set(&attempt->turn);
}

/* The next one begins when this one has had its time. 0: there is none, or none by the clock. */
static belay_ticket begin_later(const struct bly_connect *how, struct attempt *next) {
        belay_ticket ticket;

        if (next == NULL || how->stagger == BELAY_NEVER)
                return 0;
        ticket = belay_later(how->stagger, begin, next);
        if (ticket == 0)
                begin(next);
        return ticket;
}

/* An address that could not be tried says nothing of the peer, so the others' answers do not either. */
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
                /* It stands, though it was asked to end: what becomes of it is not for this task to say. */
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

static struct stagger *make(const struct bly_connect *how, const belay_address *addresses, size_t count) {
        struct stagger *all = bly_zalloc(sizeof(*all) + count * (sizeof(all->attempts[0]) + sizeof(all->tasks[0])));

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

/* None takes its first step before all are there. */
static int start(struct stagger *all) {
        belay_spawn_options options = { .size = sizeof(options), .name = "connect" };

        for (size_t i = 0; i < all->count; i++) {
                all->tasks[i] = belay_spawn_with_placed(all->how->place, attempt, &all->attempts[i], &options);
                if (all->tasks[i] == NULL)
                        return -errno;
        }
        return 0;
}

/* Those that could not be raced never begin; the others have ended, and whoever wanted to know how has seen it. */
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

/* One connection is kept, that of the winner if there is one. */
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
        snprintf(text, sizeof(text), "connect to %s: %s", bly_endpoint_quote(quoted, all->how->endpoint),
                 strerror(-all->error));
        bly_text_release(failure->text);
        failure->text = bly_text_new(text);
        failure->says_all = true;
}

/* None answered. The detail has all of them beneath it. */
static int fail(struct stagger *all, belay_task *self, int first) {
        belay_failure *failure = bly_take_last_failure(self, first);
        int rc;

        /* They were cancelled with us, and our own request is still to be delivered. */
        if (all->error == 0) {
                belay_failure_release(failure);
                rc = belay_yield_placed(all->how->place);
                return rc < 0 ? rc : -ECONNABORTED;
        }
        /* Nobody else has seen it yet. */
        if (failure != NULL)
                explain(failure, all);
        bly_set_last_failure(self, all->error, failure);
        return all->error;
}

static int race(struct stagger *all, belay_stream **stream) {
        belay_task *self = bly_current();
        size_t winner = all->count;
        int outcome = 0, rc = belay_race_placed(all->how->place, all->tasks, all->count, &winner, &outcome);

        *stream = take(all, winner);
        if (*stream == NULL)
                return rc < 0 ? rc : fail(all, self, outcome);
        /* It stood when the request was delivered. */
        if (rc == -ECANCELED)
                bly_undeliver(self);
        return 0;
}

/* The text of a name's only address does not tell the name. */
static int connect_alone(const struct bly_connect *how, const belay_address *address, belay_stream **stream) {
        int rc = bly_connect_one(how, address, stream);
        char quoted[BLY_QUOTED], text[BELAY_ADDRESS_TEXT];

        if (rc == 0 || rc == -ECANCELED || how->local != NULL)
                return rc;
        bly_address_text(bly_sockaddr(address), address->length, text, sizeof(text));
        if (strcmp(text, how->endpoint) == 0)
                return rc;
        return bly_explain(rc, "connect to %s (%s): %s", bly_endpoint_quote(quoted, how->endpoint), text, strerror(-rc));
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
