/* SPDX-License-Identifier: MIT */
/*
 * The objects of a random program, and the books about them: players, groups, items, failures and
 * memory. Each object that must not be lost has a number or is counted.
 */
#ifndef BELAY_TESTS_WORLD_H
#define BELAY_TESTS_WORLD_H

#include <errno.h>
#include <stdarg.h>

#include <belay.h>

#include "../check.h"
#include "../soak/dice.h"

enum {
        PLAYERS_MOST = 48,
        FAILURES_MOST = 512,
        LOCKS = 2,
        SEMAPHORES = 2,
        QUEUES = 3,
        PLACES = 2,
        MOVES_MOST = 6
};

/* A set of failures, by number */
struct set {
        uint64_t bits[FAILURES_MOST / 64];
};

struct world;

/* How far the start of a member got */
enum start { NO_START, STARTING, STARTED };

/*
 * A task that plays. Players wait only for players that were started after them, so that no circle
 * of waits arises.
 */
struct player {
        struct world *world;
        int number;
        struct dice dice;
        belay_task *task; /* NULL: the starter has no handle */
        /* the player's own handle, by which the director cancels it again if it refuses */
        belay_task *own;
        struct crew *crew; /* the group of which it is a member */
        enum start start;
        bool begun, ended;
        int disposed;        /* how often its argument was destroyed */
        int rc;              /* its outcome */
        struct set failures; /* the failures with which it ended */
        int scopes, depth;   /* the scopes and the moves that it is in */
        /* the first lock that it may acquire; locks are acquired in this order only */
        int locks;
        /* requests that it received, and requests that it withdrew */
        int asked, taken_back;
        bool counted; /* all requests that it received are counted in `asked` */
};

/* A group in force */
struct crew {
        struct crew *next;
        belay_group group;
        int parent; /* the number of the player that entered it */
        bool supervises;
        bool cancelled; /* the whole group was cancelled */
};

struct token {
        struct world *world;
        int destroyed, logged;
};

struct world {
        uint64_t seed;
        struct player players[PLAYERS_MOST];
        int count;
        struct crew *crews;
        struct token tokens[FAILURES_MOST];
        int failures;
        struct set seen; /* failures that were retrieved */
        bool cut;        /* a log line was too long to name all failures */
        belay_lock locks[LOCKS];
        belay_semaphore semaphores[SEMAPHORES];
        belay_queue *queues[QUEUES];
        belay_event event;
        belay_condition condition;
        int items, got, dropped;
};

/* ---- complaints ---- */

static bool verbose;

static inline void broken(const struct world *world, const char *format, ...) BELAY_PRINTF(2, 3);
static inline void broken(const struct world *world, const char *format, ...) {
        va_list arguments;

        fprintf(stderr, "seed %llu, at %.3f s: ", (unsigned long long) world->seed,
                (double) belay_now() / 1e9);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fprintf(stderr, "\nagain: build/tests/random/random %llu\n",
                (unsigned long long) world->seed);
        CHECK_END(1);
}

static inline void tell(const struct player *player, const char *format, ...) BELAY_PRINTF(2, 3);
static inline void tell(const struct player *player, const char *format, ...) {
        va_list arguments;

        if (!verbose)
                return;
        fprintf(stderr, "%8.3f %*s%d: ", (double) belay_now() / 1e9, 2 * player->scopes, "",
                player->number);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fprintf(stderr, "\n");
}

/* ---- failures ---- */

static inline bool has(const struct set *set, int number) {
        return set->bits[number / 64] >> number % 64 & 1;
}

static inline void put(struct set *set, int number) {
        set->bits[number / 64] |= (uint64_t) 1 << number % 64;
}

static inline void unite(struct set *set, const struct set *more) {
        for (size_t i = 0; i < FAILURES_MOST / 64; i++)
                set->bits[i] |= more->bits[i];
}

static inline bool includes(const struct set *set, const struct set *part) {
        for (size_t i = 0; i < FAILURES_MOST / 64; i++)
                if (part->bits[i] & ~set->bits[i])
                        return false;
        return true;
}

/* Adds a failure and all failures beneath it to the set. */
static inline void collect(const struct world *world, const belay_failure *failure,
                           struct set *set) {
        const struct token *token = belay_failure_data(failure);

        if (token != NULL)
                put(set, (int) (token - world->tokens));
        for (size_t i = 0; i < belay_failure_count(failure); i++)
                collect(world, belay_failure_at(failure, i), set);
}

/*
 * Returns the failures of the calling task's latest failure, if its code is `rc`. The latest
 * failure stays with the task.
 */
static inline struct set left_with(const struct world *world, int rc) {
        struct set set = { 0 };
        belay_failure *failure;

        if (rc < 0) {
                failure = belay_failure_take(rc);
                collect(world, failure, &set);
                belay_failure_raise(failure);
        }
        return set;
}

static inline void destroy_token(void *data) {
        ((struct token *) data)->destroyed++;
}

static inline int fail(struct player *player) {
        static const int codes[] = { -EPROTO, -EIO, -ENOENT, -ERANGE };
        struct world *world = player->world;
        int code = codes[below(&player->dice, 4)];

        if (world->failures == FAILURES_MOST)
                return 0;
        tell(player, "fails: f%d", world->failures);
        world->failures++;
        return belay_fail_data(code, &world->tokens[world->failures - 1], destroy_token, "f%d",
                               world->failures - 1);
}

/* ---- log lines ---- */

static inline void note_line(void *context, belay_log_level level, const char *line) {
        struct world *world = context;
        const char *at = strstr(line, "was not retrieved: ");

        if (verbose)
                fprintf(stderr, "         log: %s\n", line);
        if (at == NULL) {
                if (level <= BELAY_LOG_WARNING
                    && strstr(line, "still there after its cancellation") == NULL
                    && strstr(line, "which is shutting down") == NULL)
                        broken(world, "a line was logged: %s", line);
                return;
        }
        world->cut = world->cut || strlen(line) > 500 || strstr(line, "...") != NULL;
        while ((at = strstr(at, ": f")) != NULL) {
                int number = atoi(at + 3);

                if (number < 0 || number >= world->failures)
                        broken(world, "of no such failure: %s", line);
                world->tokens[number].logged++;
                at += 3;
        }
}

/* ---- memory ---- */

static long blocks;

static inline void *count_memory(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                blocks -= block != NULL;
                free(block);
                return NULL;
        }
        blocks += block == NULL;
        return realloc(block, size);
}

#endif
