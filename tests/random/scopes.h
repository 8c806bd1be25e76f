/* SPDX-License-Identifier: MIT */
/*
 * The moves of a player that enclose other moves: timeouts, groups, shielded regions, locks and
 * semaphores. Each passes on the result of the enclosed moves, and checks the result of leaving.
 */
#ifndef BELAY_TESTS_SCOPES_H
#define BELAY_TESTS_SCOPES_H

#include "moves.h"

static inline int play_some(struct player *player);
static inline int play(void *arg);

/* ---- timeouts ---- */

static inline void check_kept(const struct player *player, const char *what, int body,
                              const struct set *failures, int rc) {
        struct set left = left_with(player->world, rc);

        if (body < 0 && body != -ECANCELED && (rc != body || !includes(&left, failures)))
                broken(player->world,
                       "player %d failed with %d within a %s, and left it with %d or without "
                       "detail",
                       player->number, body, what, rc);
}

static inline int within_limit(struct player *player) {
        belay_time span = some_span(player);
        struct set failures;
        belay_timeout limit;
        int body, rc;

        if (belay_timeout_enter(&limit, one_in(&player->dice, 10) ? BELAY_NEVER : span) < 0)
                broken(player->world, "player %d cannot enter a limit", player->number);
        tell(player, "enters a limit of %.3f s", (double) span / 1e9);
        player->scopes++;
        body = play_some(player);
        if (one_in(&player->dice, 4) && belay_timeout_reschedule(&limit, some_span(player)) == 0
            && body >= 0)
                body = play_some(player);
        failures = left_with(player->world, body);
        player->scopes--;
        rc = belay_timeout_leave(&limit, body);
        tell(player, "leaves a limit with %d -> %d", body, rc);
        check_kept(player, "limit", body, &failures, rc);
        if (rc != body
            && !(body == -ECANCELED && rc == -ETIMEDOUT && belay_timeout_expired(&limit)))
                broken(player->world, "player %d left a limit with %d, which became %d",
                       player->number, body, rc);
        return unless(rc, -ETIMEDOUT);
}

static inline int play_on(void *player) {
        return play_some(player);
}

static inline int within_wait_for(struct player *player) {
        int rc;

        player->scopes++;
        rc = belay_wait_for(play_on, player, some_span(player));
        player->scopes--;
        tell(player, "wait_for -> %d", rc);
        return unless(rc, -ETIMEDOUT);
}

/* ---- shielded regions ---- */

static inline int within_region(struct player *player) {
        belay_time span = BELAY_MILLISECOND + some_span(player);
        belay_shield_scope region;
        struct set failures;
        int body, rc;

        if (belay_shield_enter(&region, span) < 0)
                broken(player->world, "player %d cannot enter a region", player->number);
        tell(player, "enters a region of %.3f s", (double) span / 1e9);
        player->scopes++;
        body = play_some(player);
        failures = left_with(player->world, body);
        player->scopes--;
        rc = belay_shield_leave(&region, body);
        tell(player, "leaves a region with %d -> %d", body, rc);
        if (rc != body)
                broken(player->world, "player %d left a region with %d, which became %d",
                       player->number, body, rc);
        check_kept(player, "region", body, &failures, rc);
        return rc;
}

/* ---- groups ---- */

static inline void dispose(void *arg) {
        ((struct player *) arg)->disposed++;
}

static inline struct player *new_player(struct player *parent, struct crew *crew) {
        struct world *world = parent->world;
        struct player *player = &world->players[world->count];

        if (world->count == PLAYERS_MOST)
                return NULL;
        *player = (struct player) {
                .world = world,
                .number = world->count++,
                .dice = dice_of(parent->dice, (uint64_t) world->count),
                .crew = crew,
                .counted = crew == NULL,
        };
        return player;
}

static inline int start_root(struct player *parent) {
        struct player *player = new_player(parent, NULL);

        if (player == NULL)
                return 0;
        tell(parent, "starts %d", player->number);
        player->task = belay_spawn_with(play, player,
                                        BELAY_OPTIONS(belay_spawn_options, .destroy = dispose,
                                                      .eager = one_in(&parent->dice, 5)));
        CHECK(player->task != NULL);
        return 0;
}

/*
 * Returns a group in force. It may be another task's group, which that task may leave while the
 * caller waits for room.
 */
static inline struct crew *some_crew(struct player *player) {
        struct crew *crew = player->world->crews;

        for (uint64_t skip = below(&player->dice, 4); crew != NULL && skip > 0; skip--)
                crew = crew->next;
        return crew;
}

static inline int start_member(struct player *parent, struct crew *crew) {
        struct player *player = crew != NULL ? new_player(parent, crew) : NULL;
        belay_spawn_options *options = BELAY_OPTIONS(belay_spawn_options, .destroy = dispose,
                                                     .last = one_in(&parent->dice, 6),
                                                     .eager = one_in(&parent->dice, 6));
        bool has_handle = !one_in(&parent->dice, 4), waits = one_in(&parent->dice, 3);
        int rc;

        if (player == NULL)
                return 0;
        tell(parent, "starts member %d of %d's group", player->number, crew->parent);
        player->start = waits ? STARTING : NO_START;
        rc = waits ? belay_group_start(&crew->group, play, player, options,
                                       has_handle ? &player->task : NULL)
                   : belay_group_spawn_with(&crew->group, play, player, options,
                                            has_handle ? &player->task : NULL);
        tell(parent, "started %d -> %d", player->number, rc);
        if (rc == -EDEADLK || rc == -ENOMEM || (rc < 0 && player->task != NULL)
            || (rc == 0 && waits && player->start != STARTED))
                broken(parent->world, "player %d started %d with %d", parent->number,
                       player->number, rc);
        if (rc == -ECANCELED && belay_cancelling(belay_self()) == 0)
                broken(parent->world,
                       "player %d got -ECANCELED by a start, and no request is counted",
                       parent->number);
        if (!waits && rc < 0 && player->begun)
                broken(parent->world, "player %d did not start %d, and it ran", parent->number,
                       player->number);
        return rc == -EPERM || rc == -EPIPE || rc == -ESHUTDOWN ? 0 : rc;
}

/*
 * Returns the failures of those members that the group reports. It does not report members that
 * failed before they were ready.
 */
static inline struct set failures_of(const struct world *world, const struct crew *crew) {
        struct set failures = { 0 };

        for (int i = 0; i < world->count; i++) {
                const struct player *player = &world->players[i];

                if (player->crew == crew && player->ended && player->rc < 0
                    && player->rc != -ECANCELED && player->start != STARTING)
                        unite(&failures, &player->failures);
        }
        return failures;
}

static inline void check_left(struct player *player, struct crew *crew, int body,
                              const struct set *of_body, int rc) {
        struct world *world = player->world;
        struct set left = left_with(world, rc), members = failures_of(world, crew), none = { 0 };

        for (int i = 0; i < world->count; i++)
                if (world->players[i].crew == crew && world->players[i].begun
                    && !world->players[i].ended)
                        broken(world, "player %d left a group in which %d runs", player->number, i);
        if (belay_group_count(&crew->group) != 0)
                broken(world, "player %d left a group that is not empty", player->number);
        if (!includes(&left, of_body))
                broken(world, "player %d left a group with %d -> %d, and lost its body's failure",
                       player->number, body, rc);
        if (!crew->supervises && !includes(&left, &members))
                broken(world, "player %d left a group with %d -> %d, and lost a member's failure",
                       player->number, body, rc);
        if (!crew->supervises && !includes(&none, &members) && (rc >= 0 || rc == -ECANCELED))
                broken(world, "player %d left a group in which one failed with %d", player->number,
                       rc);
        if (body < 0 && body != -ECANCELED && (rc >= 0 || rc == -ECANCELED))
                broken(world, "player %d left a group with %d -> %d", player->number, body, rc);
        if (rc == -ECANCELED && belay_cancelling(belay_self()) == 0)
                broken(world,
                       "player %d left a group with %d -> -ECANCELED, and no request is counted",
                       player->number, body);
}

static inline int within_group(struct player *player) {
        struct world *world = player->world;
        struct crew *crew = calloc(1, sizeof(*crew)), **link;
        struct set of_body;
        int body = 0, rc;

        CHECK(crew != NULL);
        crew->parent = player->number;
        crew->supervises = one_in(&player->dice, 4);
        rc = belay_group_enter_with(
                &crew->group,
                BELAY_OPTIONS(belay_group_options, .supervise = crew->supervises,
                              .limit = one_in(&player->dice, 2) ? 0 : 1 + below(&player->dice, 3)));
        if (rc < 0)
                broken(world, "player %d cannot enter a group", player->number);
        tell(player, "enters a group%s", crew->supervises ? " that supervises" : "");
        crew->next = world->crews;
        world->crews = crew;
        player->scopes++;
        for (uint64_t i = below(&player->dice, 4); i > 0 && body >= 0; i--)
                body = start_member(player, crew);
        if (body >= 0)
                body = play_some(player);
        of_body = left_with(world, body);
        for (link = &world->crews; *link != crew;)
                link = &(*link)->next;
        *link = crew->next;
        player->scopes--;
        tell(player, "leaves a group with %d", body);
        rc = belay_group_leave(&crew->group, body);
        tell(player, "left a group with %d -> %d", body, rc);
        check_left(player, crew, body, &of_body, rc);
        for (int i = 0; i < world->count; i++)
                if (world->players[i].crew == crew)
                        world->players[i].crew = NULL;
        free(crew);
        return rc;
}

static inline int cancel_group(struct player *player) {
        struct crew *crew = some_crew(player);

        if (crew != NULL) {
                tell(player, "cancels %d's group", crew->parent);
                crew->cancelled = true;
                belay_group_cancel(&crew->group);
        }
        return 0;
}

/* ---- locks and semaphores ---- */

static inline int within_lock(struct player *player) {
        struct world *world = player->world;
        int before = player->locks, rc;

        if (before == LOCKS)
                return 0;
        player->locks = before + 1;
        rc = waited(player, "lock", belay_lock_acquire(&world->locks[before]));
        if (rc == 0) {
                rc = play_some(player);
                if (!belay_lock_held(&world->locks[before]))
                        broken(world, "player %d lost lock %d", player->number, before);
                CHECK_EQ(belay_lock_release(&world->locks[before]), 0);
        }
        player->locks = before;
        return rc;
}

static inline int within_place(struct player *player) {
        belay_semaphore *semaphore = &player->world->semaphores[below(&player->dice, SEMAPHORES)];
        int rc = waited(player, "semaphore", belay_semaphore_acquire(semaphore));

        if (rc < 0)
                return rc;
        rc = play_some(player);
        if (belay_semaphore_release(semaphore) < 0)
                broken(player->world, "player %d has a place too many", player->number);
        return rc;
}

/* ---- handled failures ---- */

/*
 * Handles the failure of the enclosed moves, and play goes on. The player may ignore a
 * cancellation. Outside of all scopes it may also withdraw the request.
 */
static inline int within_handler(struct player *player) {
        int rc = play_some(player);
        struct set failures = left_with(player->world, rc);

        if (rc >= 0)
                return rc;
        if (rc == -ECANCELED) {
                if (!one_in(&player->dice, 3))
                        return rc;
                tell(player, "swallows a cancellation");
                if (player->scopes == 0 && belay_cancelling(belay_self()) > 0
                    && one_in(&player->dice, 2)) {
                        belay_uncancel(belay_self());
                        player->taken_back++;
                }
                return 0;
        }
        tell(player, "handles %d", rc);
        unite(&player->world->seen, &failures);
        return 0;
}

/* ---- the play of a player ---- */

enum { DEPTH_MOST = 5 };

static inline int move(struct player *player) {
        if (player->depth < DEPTH_MOST)
                switch (below(&player->dice, 20)) {
                case 0:
                        return within_limit(player);
                case 1:
                case 2:
                        return within_group(player);
                case 3:
                        return within_region(player);
                case 4:
                        return within_lock(player);
                case 5:
                        return within_place(player);
                case 6:
                        return within_handler(player);
                case 7:
                        return within_wait_for(player);
                case 8:
                        return start_root(player);
                case 9:
                        return start_member(player, some_crew(player));
                case 10:
                        return cancel_group(player);
                }
        return simple_move(player);
}

static inline int play_some(struct player *player) {
        int rc = 0;

        player->depth++;
        for (uint64_t i = below(&player->dice, MOVES_MOST); i > 0 && rc >= 0; i--)
                rc = move(player);
        player->depth--;
        return rc;
}

static inline int play(void *arg) {
        struct player *player = arg;
        struct world *world = player->world;
        int rc = 0;

        player->begun = true;
        player->own = belay_ref(belay_self());
        tell(player, "begins");
        if (player->start == STARTING && !one_in(&player->dice, 4)) {
                rc = play_some(player);
                if (rc >= 0 && belay_ready() == 0)
                        player->start = STARTED;
        }
        if (rc >= 0)
                rc = within_handler(player);
        if (rc >= 0)
                rc = play_some(player);
        player->failures = left_with(world, rc);
        player->rc = rc;
        player->ended = true;
        tell(player, "ends with %d, requests %d", rc, belay_cancelling(belay_self()));
        if (player->counted && belay_cancelling(belay_self()) != player->asked - player->taken_back)
                broken(world, "player %d was asked %d times and took %d back: %d are counted",
                       player->number, player->asked, player->taken_back,
                       belay_cancelling(belay_self()));
        return rc;
}

#endif
