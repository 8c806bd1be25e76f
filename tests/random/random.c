/* SPDX-License-Identifier: MIT */
/*
 * Plays random programs. From a seed, tasks enter scopes, wait for each other, exchange items and
 * cancel each other on a virtual clock.
 *
 * After each program all of these must be accounted for: outcomes, failures and their details,
 * requests, locks, semaphore units, items and memory.
 *
 *     random [SEED]
 *
 * Without a seed it plays the seeds 1 to 500. BELAY_RANDOM sets their number and the first of them
 * (BELAY_RANDOM=5000, BELAY_RANDOM=5000,100001). With a seed it plays this seed and prints each
 * event.
 */
#include "scopes.h"

enum { ROOTS = 4, ROUNDS_MOST = 5000 };

static void open_world(struct world *world, uint64_t seed) {
        static const size_t capacities[QUEUES] = { 0, 1, 3 };

        *world = (struct world) { .seed = seed };
        for (int i = 0; i < FAILURES_MOST; i++)
                world->tokens[i].world = world;
        for (int i = 0; i < SEMAPHORES; i++)
                belay_semaphore_init_bounded(&world->semaphores[i], PLACES);
        for (int i = 0; i < QUEUES; i++) {
                world->queues[i] = belay_queue_new_with(BELAY_OPTIONS(
                        belay_queue_options, .capacity = capacities[i], .destroy = drop_item));
                CHECK(world->queues[i] != NULL);
        }
        belay_condition_init(&world->condition, NULL);
}

static bool all_ended(const struct world *world) {
        for (int i = 0; i < world->count; i++)
                if ((world->players[i].task != NULL && !belay_done(world->players[i].task))
                    || (world->players[i].begun && !world->players[i].ended))
                        return false;
        return true;
}

/*
 * Lets the players play, and after 20 s cancels all of them again and again until they have ended.
 */
static int direct(void *arg) {
        struct world *world = arg;
        struct player director = { .world = world,
                                   .number = -1,
                                   .dice = dice_of((struct dice) { world->seed }, 1) };

        for (int i = 0; i < ROOTS; i++)
                start_root(&director);
        CHECK_EQ(belay_sleep(20 * BELAY_SECOND), 0);
        for (int round = 0; !all_ended(world); round++) {
                if (round == ROUNDS_MOST)
                        broken(world, "not all have ended");
                for (int i = 0; i < world->count; i++) {
                        struct player *player = &world->players[i];

                        player->asked += belay_cancel(
                                player->own != NULL ? player->own : player->task, "the end");
                }
                CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        }
        return 0;
}

/*
 * Releases the handles of a player. If its number is even, its outcome is retrieved first. Failures
 * that are not retrieved must be logged.
 */
static void look_at(struct world *world, struct player *player) {
        int rc;

        belay_release(player->own);
        if (player->task == NULL)
                return;
        if (player->number % 2 == 0) {
                rc = belay_result(player->task);
                if (player->begun && rc != player->rc && !(rc == -ECANCELED && player->rc >= 0))
                        broken(world, "player %d ended with %d, and its handle says %d",
                               player->number, player->rc, rc);
                if (rc < 0)
                        collect(world, belay_failure_of(player->task), &world->seen);
                if (rc < 0 && rc != -ECANCELED && !includes(&world->seen, &player->failures))
                        broken(world, "player %d ended with %d, and without its detail",
                               player->number, rc);
        }
        belay_release(player->task);
}

static void close_world(struct world *world) {
        for (int i = 0; i < world->count; i++)
                look_at(world, &world->players[i]);
        for (int i = 0; i < world->count; i++)
                if (world->players[i].begun
                    && (!world->players[i].ended || world->players[i].disposed != 1))
                        broken(world, "player %d began, and its argument was disposed of %d times",
                               i, world->players[i].disposed);
        for (int i = 0; i < LOCKS; i++)
                if (belay_lock_held(&world->locks[i]))
                        broken(world, "lock %d is held", i);
        if (belay_lock_held(belay_condition_lock(&world->condition)))
                broken(world, "the condition's lock is held");
        for (int i = 0; i < SEMAPHORES; i++)
                if (belay_semaphore_value(&world->semaphores[i]) != PLACES)
                        broken(world, "semaphore %d has %zu places", i,
                               belay_semaphore_value(&world->semaphores[i]));
        for (int i = 0; i < QUEUES; i++)
                if (belay_queue_free(world->queues[i]) < 0)
                        broken(world, "queue %d is waited on", i);
        if (world->items != world->got + world->dropped)
                broken(world, "%d items were put, %d got and %d dropped", world->items, world->got,
                       world->dropped);
        for (int i = 0; i < world->failures; i++) {
                const struct token *token = &world->tokens[i];

                if (token->destroyed != 1)
                        broken(world, "failure f%d was destroyed %d times", i, token->destroyed);
                if (!has(&world->seen, i) && token->logged == 0 && !world->cut)
                        broken(world, "failure f%d was neither looked at nor logged", i);
                if (token->logged > 1)
                        broken(world, "failure f%d was logged %d times", i, token->logged);
        }
}

static void play_seed(uint64_t seed) {
        static struct world world;
        long before = blocks;
        int rc;

        open_world(&world, seed);
        belay_set_log(note_line, &world);
        rc = belay_run_with(direct, &world,
                            BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                          .seed = seed % 3 == 0 ? seed : 0));
        if (rc != 0)
                broken(&world, "the loop ended with %d", rc);
        close_world(&world);
        belay_set_log(NULL, NULL);
        if (blocks != before)
                broken(&world, "%ld blocks of memory more than before", blocks - before);
}

int main(int argc, char **argv) {
        const char *asked = getenv("BELAY_RANDOM"),
                   *first_of = asked != NULL ? strchr(asked, ',') : NULL;
        uint64_t count = asked != NULL ? strtoull(asked, NULL, 10) : 500,
                 first = first_of != NULL ? strtoull(first_of + 1, NULL, 10) : 1;

        belay_set_memory(count_memory, NULL);
        if (argc > 1) {
                verbose = true;
                play_seed(strtoull(argv[1], NULL, 10));
                return 0;
        }
        for (uint64_t seed = first; seed < first + count; seed++)
                play_seed(seed);
        printf("%llu programs\n", (unsigned long long) count);
        return 0;
}
