/* SPDX-License-Identifier: MIT */
/*
 * The moves of a player that do not enclose other moves. A player waits, locks, puts and gets
 * items, cancels other players and waits for them.
 */
#ifndef BELAY_TESTS_MOVES_H
#define BELAY_TESTS_MOVES_H

#include "world.h"

/*
 * Checks the verdict of a wait. -ECANCELED requires that a request for the caller is counted.
 * Deadlocks and misuse cannot occur in these programs.
 */
static inline int waited(const struct player *player, const char *what, int rc) {
        tell(player, "%s -> %d", what, rc);
        if (rc == -ECANCELED && belay_cancelling(belay_self()) == 0)
                broken(player->world, "player %d got -ECANCELED by %s, and no request is counted",
                       player->number, what);
        if (rc == -EDEADLK || rc == -EPERM || rc == -ENOMEM)
                broken(player->world, "player %d got %d by %s", player->number, rc, what);
        return rc;
}

/* Turns a code that programs expect into success. */
static inline int unless(int rc, int expected) {
        return rc == expected ? 0 : rc;
}

static inline belay_time some_span(struct player *player) {
        static const belay_time spans[] = {
                0, 1, BELAY_MILLISECOND, BELAY_SECOND / 2, BELAY_SECOND, 3 * BELAY_SECOND
        };

        return spans[below(&player->dice, 6)];
}

/* ---- other players ---- */

/* Returns a player that was started after this one, or NULL if it has no handle. */
static inline struct player *younger(struct player *player) {
        struct world *world = player->world;
        struct player *other;

        if (player->number + 1 >= world->count)
                return NULL;
        other = &world->players[player->number + 1
                                + (int) below(&player->dice,
                                              (uint64_t) (world->count - player->number - 1))];
        return other->task != NULL ? other : NULL;
}

static inline struct player *anybody(struct player *player) {
        struct player *other =
                &player->world->players[below(&player->dice, (uint64_t) player->world->count)];

        return other->task != NULL ? other : NULL;
}

static inline int ask(struct player *player) {
        struct player *other = one_in(&player->dice, 3) ? player : anybody(player);
        bool asked;

        if (other == NULL || other->task == NULL)
                return 0;
        asked = belay_cancel(other->task, one_in(&player->dice, 2) ? "chance" : NULL);
        tell(player, "cancels %d -> %d", other->number, asked);
        other->asked += asked;
        return 0;
}

/*
 * Checks a wait that reported the failure of another player. The caller's latest failure must then
 * include the failures of that player.
 */
static inline void check_end(struct player *player, const struct player *other, int rc,
                             int outcome) {
        struct set left;

        if (outcome >= 0 || outcome == -ECANCELED)
                return;
        unite(&player->world->seen, &other->failures);
        if (rc != 0)
                return;
        left = left_with(player->world, outcome);
        if (!other->ended || other->rc != outcome || !includes(&left, &other->failures))
                broken(player->world, "player %d waited for %d and lost its failure",
                       player->number, other->number);
}

static inline int wait_for_one(struct player *player) {
        struct player *other = younger(player);
        int outcome = 0, rc;

        if (other == NULL)
                return 0;
        switch (below(&player->dice, 6)) {
        case 0:
                rc = waited(player, "join", belay_join(other->task, &outcome));
                break;
        case 1:
                rc = waited(player, "shield", belay_shield(other->task, &outcome));
                break;
        case 2:
                other->counted = false;
                rc = waited(player, "await", belay_await(other->task, &outcome));
                break;
        case 3:
                other->counted = false;
                rc = unless(waited(player, "await_for",
                                   belay_await_for(other->task, some_span(player), &outcome)),
                            -ETIMEDOUT);
                break;
        case 4:
                other->asked += !belay_done(other->task);
                rc = unless(
                        waited(player, "cancel_wait",
                               belay_cancel_wait(other->task, "chance", BELAY_SECOND, &outcome)),
                        -ETIMEDOUT);
                break;
        default:
                other->counted = false;
                rc = unless(waited(player, "force_cancel",
                                   belay_force_cancel(other->task, 3, BELAY_SECOND / 2)),
                            -ETIMEDOUT);
                return rc > 0 ? 0 : rc;
        }
        if (belay_done(other->task))
                check_end(player, other, rc, outcome);
        return rc;
}

static inline int wait_for_several(struct player *player) {
        belay_task *tasks[4], *ended;
        struct player *others[4];
        belay_as_completed each;
        size_t count = 0, winner;
        int outcome = 0, rc;

        for (int i = 0; i < 4; i++)
                if ((others[count] = younger(player)) != NULL) {
                        tasks[count] = others[count]->task;
                        count++;
                }
        if (count == 0)
                return 0;
        switch (below(&player->dice, 5)) {
        case 0:
                rc = waited(player, "wait",
                            belay_wait(tasks, count, (belay_wait_mode) below(&player->dice, 3),
                                       some_span(player)));
                return rc < 0 ? rc : 0;
        case 1:
                rc = belay_as_completed_begin(&each, tasks, count, some_span(player));
                while (rc == 0
                       && (rc = waited(player, "as_completed",
                                       belay_as_completed_next(&each, &ended)))
                                  > 0)
                        rc = belay_done(ended) ? 0 : -EBADF;
                belay_as_completed_end(&each);
                return unless(rc, -ETIMEDOUT);
        case 2:
                for (size_t i = 0; i < count; i++)
                        others[i]->counted = false;
                rc = waited(player, "race", belay_race(tasks, count, &winner, &outcome));
                if (rc == 0 && outcome >= 0
                    && (winner >= count || belay_result(tasks[winner]) != outcome))
                        broken(player->world, "player %d holds a race that nobody won",
                               player->number);
                for (size_t i = 0; i < count && rc == 0; i++)
                        unite(&player->world->seen, &others[i]->failures);
                for (size_t i = 0; i < count; i++)
                        if (!belay_done(tasks[i]))
                                broken(player->world, "player %d left a race while %d runs",
                                       player->number, others[i]->number);
                return rc;
        case 3:
                for (size_t i = 0; i < count; i++)
                        others[i]->counted = false;
                rc = waited(player, "gather", belay_gather(tasks, count, &outcome));
                for (size_t i = 0; i < count && outcome < 0; i++)
                        if (belay_done(tasks[i]) && others[i]->rc == outcome)
                                unite(&player->world->seen, &others[i]->failures);
                for (size_t i = 0; i < count && rc == 0 && outcome >= 0; i++)
                        if (!belay_done(tasks[i]))
                                broken(player->world, "player %d gathered %d, which runs",
                                       player->number, others[i]->number);
                return rc;
        default:
                for (size_t i = 0; i < count; i++)
                        others[i]->counted = false;
                return waited(player, "gather_collect", belay_gather_collect(tasks, count));
        }
}

/* ---- items ---- */

static inline void drop_item(void *item) {
        struct world *world = *(struct world **) item;

        world->dropped++;
        free(item);
}

static inline int hand_over(struct player *player) {
        struct world *world = player->world;
        belay_queue *queue = world->queues[below(&player->dice, QUEUES)];
        struct world **item = malloc(sizeof(*item));
        bool tries = one_in(&player->dice, 2);
        int rc;

        CHECK(item != NULL);
        *item = world;
        rc = tries ? belay_queue_try_put(queue, item)
                   : waited(player, "put", belay_queue_put(queue, item));
        if (rc == 0)
                world->items++;
        else
                free(item);
        return tries || rc == -ESHUTDOWN ? 0 : rc;
}

static inline int take_over(struct player *player) {
        belay_queue *queue = player->world->queues[below(&player->dice, QUEUES)];
        bool tries = one_in(&player->dice, 2);
        void *item = NULL;
        int rc = tries ? belay_queue_try_get(queue, &item)
                       : waited(player, "get", belay_queue_get(queue, &item));

        if (rc == 0) {
                player->world->got++;
                free(item);
        } else if (item != NULL) {
                broken(player->world, "player %d got an item and %d", player->number, rc);
        }
        return tries || rc == -ESHUTDOWN ? 0 : rc;
}

/* ---- the choice of a move ---- */

static inline int wait_for_notice(struct player *player) {
        struct world *world = player->world;
        belay_lock *lock = belay_condition_lock(&world->condition);
        int rc = waited(player, "condition's lock", belay_lock_acquire(lock));

        if (rc < 0)
                return rc;
        if (one_in(&player->dice, 2))
                CHECK_EQ(belay_condition_notify(&world->condition, 1 + below(&player->dice, 2)), 0);
        else
                rc = waited(player, "condition", belay_condition_wait(&world->condition));
        if (!belay_lock_held(lock))
                broken(world, "player %d waited for a condition and lost its lock", player->number);
        CHECK_EQ(belay_lock_release(lock), 0);
        return rc;
}

static inline int simple_move(struct player *player) {
        struct world *world = player->world;

        switch (below(&player->dice, 12)) {
        case 0:
        case 1:
                return waited(player, "sleep", belay_sleep(some_span(player)));
        case 2:
                return waited(player, "yield", belay_yield());
        case 3:
                return ask(player);
        case 4:
        case 5:
                return wait_for_one(player);
        case 6:
                return wait_for_several(player);
        case 7:
                return hand_over(player);
        case 8:
                return take_over(player);
        case 9:
                if (one_in(&player->dice, 2))
                        return waited(player, "event", belay_event_wait(&world->event));
                belay_event_set(&world->event);
                if (one_in(&player->dice, 2))
                        belay_event_clear(&world->event);
                return 0;
        case 10:
                /*
                 * Players acquire locks in a fixed order, and the condition's lock is the last one.
                 */
                return wait_for_notice(player);
        default:
                if (one_in(&player->dice, 30))
                        belay_queue_shutdown(world->queues[0], one_in(&player->dice, 2));
                return fail(player);
        }
}

#endif
