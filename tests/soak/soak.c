/* SPDX-License-Identifier: MIT */
/*
 * Opens thousands of connections and breaks, limits and cancels them at random, from a seed. In the
 * end each byte must be accounted for. Memory, descriptors and threads must be what they were.
 *
 *     soak [--minutes N] [--seed S] [--backend epoll|io_uring]
 *
 * Without --minutes it runs a short test on each back end that is available.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "soak/asides.h"
#include "soak/balance.h"
#include "soak/clients.h"
#include "soak/servers.h"

/* Rounds that one loop runs. */
enum { ROUNDS = 3 };

static char directory[80];

/* ---- a round ---- */

static void begin_round(struct round *round, struct dice dice, int loops, unsigned talks) {
        *round = (struct round) { .dice = dice, .loops = loops, .talk_count = talks };
        snprintf(round->directory, sizeof(round->directory), "%s", directory);
        pthread_mutex_init(&round->mutex, NULL);
        atomic_init(&round->busy, loops);
        for (int loop = 0; loop < loops; loop++)
                for (int kind = 0; kind < SERVERS; kind++) {
                        struct server *server = &round->servers[loop][kind];

                        server->round = round;
                        server->loop = loop;
                        server->kind = kind;
                        server->dice = dice_of(dice, (uint64_t) (1000 + 10 * loop + kind));
                        pthread_mutex_init(&server->mutex, NULL);
                }
        for (uint32_t i = 0; i < talks; i++) {
                struct dice own = dice_of(dice, 2000 + i), first = own;
                enum transport transport = one_in(&first, 6) ? one_in(&first, 2) ? PAIR : PIPE
                                                             : TCP;

                init_talk(&round->talks[i], i + 1, transport, own);
        }
}

static void end_round(struct round *round) {
        for (unsigned i = 0; i < round->talk_count; i++) {
                const struct talk *talk = &round->talks[i];

                judge(talk);
                count(&totals.broken, talk->broke_off[0] || talk->broke_off[1]);
                count(&totals.bytes, talk->ways[0].received + talk->ways[1].received);
        }
        for (int loop = 0; loop < round->loops; loop++)
                for (int kind = 0; kind < SERVERS; kind++)
                        pthread_mutex_destroy(&round->servers[loop][kind].mutex);
        pthread_mutex_destroy(&round->mutex);
}

static int start_servers(belay_group *group, struct half *half) {
        struct server *servers = half->round->servers[half->loop];
        int rc = 0;

        for (int kind = 0; kind < SERVERS && rc == 0; kind++)
                if (kind != SERVE_TCP6 || has_ipv6)
                        rc = belay_group_spawn(group,
                                               kind == ACCEPT_TCP ? accept_by_hand : keep_serving,
                                               &servers[kind]);
        return rc;
}

/* Runs one loop's part of a round. Its servers end when the clients of all loops have ended. */
static int run_half(void *arg) {
        static belay_fn *const asides[] = {
                use_files, look_up, use_datagrams, send_descriptors, wait_for_descriptors,
        };
        struct half *half = arg;
        belay_timeout limit;
        belay_group group;
        int rc;

        belay_timeout_enter(&limit, 5 * BELAY_MINUTE);
        belay_group_enter(&group);
        rc = start_servers(&group, half);
        for (size_t i = 0; i < sizeof(asides) / sizeof(asides[0]) && rc == 0; i++)
                rc = belay_group_spawn(&group, asides[i], half);
        if (rc == 0)
                rc = run_clients(half);
        atomic_fetch_sub(&half->round->busy, 1);
        if (rc == -ECANCELED)
                belay_dump(STDERR_FILENO);
        rc = belay_group_leave(&group, rc);
        rc = belay_timeout_leave(&limit, rc);
        if (rc < 0)
                wrong(NULL, "a round came to %d", rc);
        return 0;
}

/* ---- the life of a loop ---- */

struct life {
        struct round *rounds;
        int loop;
        struct dice dice;
        belay_backend backend;
        pthread_barrier_t *barrier;
};

static void *live(void *arg) {
        struct life *life = arg;
        belay_loop *loop = belay_loop_new(BELAY_OPTIONS(
                belay_loop_options, .backend = life->backend, .no_signals = life->loop > 0));

        if (loop == NULL || strcmp(belay_loop_backend(loop), soak_backend) != 0)
                wrong(NULL, "there is no such loop");
        for (int i = 0; i < ROUNDS && loop != NULL; i++) {
                struct half half = { &life->rounds[i], life->loop,
                                     dice_of(life->dice, (uint64_t) i) };
                int rc = belay_loop_run(loop, run_half, &half, NULL);

                if (rc == -EINTR) {
                        fprintf(stderr, "soak: interrupted\n");
                        _exit(130);
                }
                if (rc < 0)
                        wrong(NULL, "the loop came to %d", rc);
                if (belay_loop_count(loop) != 0)
                        wrong(NULL, "after a round there are %zu tasks", belay_loop_count(loop));
                /* No client may begin the next round before its servers have left this one. */
                pthread_barrier_wait(life->barrier);
        }
        if (loop != NULL && belay_loop_close(loop) < 0)
                wrong(NULL, "the loop could not be closed");
        return NULL;
}

static void run_lives(struct dice dice, belay_backend backend, int loops, unsigned talks) {
        struct round *rounds = malloc(ROUNDS * sizeof(*rounds));
        struct life lives[LOOPS_MOST];
        pthread_barrier_t barrier;
        pthread_t thread;
        bool has_thread;

        if (rounds == NULL) {
                perror("soak");
                exit(2);
        }
        for (int i = 0; i < ROUNDS; i++)
                begin_round(&rounds[i], dice_of(dice, (uint64_t) i), loops, talks);
        pthread_barrier_init(&barrier, NULL, (unsigned) loops);
        for (int i = 0; i < loops; i++)
                lives[i] = (struct life) { rounds, i, dice_of(dice, (uint64_t) (100 + i)), backend,
                                           &barrier };
        has_thread = loops > 1 && pthread_create(&thread, NULL, live, &lives[1]) == 0;
        live(&lives[0]);
        if (has_thread)
                pthread_join(thread, NULL);
        pthread_barrier_destroy(&barrier);
        for (int i = 0; i < ROUNDS; i++)
                end_round(&rounds[i]);
        free(rounds);
}

/* ---- the program ---- */

static void *do_nothing(void *arg) {
        return arg;
}

static void look_around(void) {
        struct addrinfo *found, hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
        struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                        .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        struct rlimit limit;
        int fd = socket(AF_INET6, SOCK_STREAM, 0);
        pthread_t thread;

        has_ipv6 = fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
        if (fd >= 0)
                close(fd);
        /*
         * The C library keeps memory from the first lookup, and a checker from the first thread.
         * Both happen here, before the memory is counted.
         */
        if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
                pthread_join(thread, NULL);
        has_localhost = getaddrinfo("localhost", "80", &hints, &found) == 0;
        if (has_localhost)
                freeaddrinfo(found);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static void say_totals(void) {
        printf("%llu connections (%llu broken off, %llu cancelled, %llu refused, "
               "%llu accepted by hand), %.1f MB, "
               "%llu servers stopped, %llu datagrams, %llu descriptors, %llu uses of files, "
               "%llu lookups, "
               "%llu waits, %.1f MB of memory at most, %u wrong\n",
               totals.connections, totals.broken, totals.cancelled, totals.refused, totals.accepts,
               (double) totals.bytes / 1e6, totals.restarts, totals.datagrams, totals.descriptors,
               totals.files, totals.lookups, totals.waits, (double) bytes_most / 1e6, wrong_count);
        fflush(stdout);
}

/* Runs loops one after the other until the time is over, at least one. */
static void soak(belay_backend backend, double minutes, int loops, unsigned talks) {
        struct balance before = take_balance();
        struct dice dice = { soak_seed };
        belay_time end = belay_now() + (belay_time) (minutes * (double) BELAY_MINUTE),
                   said = belay_now();
        char when[64];

        memset(&totals, 0, sizeof(totals));
        soak_backend = backend == BELAY_BACKEND_EPOLL ? "epoll" : "io_uring";
        printf("soak: seed %llu, %s\n", (unsigned long long) soak_seed, soak_backend);
        fflush(stdout);
        for (unsigned life = 1; life == 1 || (belay_now() < end && wrong_count == 0); life++) {
                run_lives(dice_of(dice, life), backend, loops, talks);
                snprintf(when, sizeof(when), "after loop %u", life);
                compare_balance(&before, when);
                if (belay_now() - said > 30 * BELAY_SECOND) {
                        said = belay_now();
                        say_totals();
                }
        }
        say_totals();
}

/* No line but notices may be logged. */
static void report(void *context, belay_log_level level, const char *line) {
        (void) context;
        if (level != BELAY_LOG_NOTICE)
                wrong(NULL, "%s", line);
}

static bool has_uring(void) {
        belay_loop *loop = belay_loop_new(
                BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_IO_URING));
        bool has = loop != NULL && strcmp(belay_loop_backend(loop), "io_uring") == 0;

        belay_loop_close(loop);
        return has;
}

/* Makes the directory for the Unix sockets, whose names must not be long. */
static void make_directory(void) {
        const char *place = getenv("TMPDIR");

        if (place == NULL || strlen(place) > 50)
                place = "/tmp";
        snprintf(directory, sizeof(directory), "%s/belay-soak-XXXXXX", place);
        if (mkdtemp(directory) == NULL) {
                perror(directory);
                exit(2);
        }
}

static int usage(void) {
        fprintf(stderr, "usage: soak [--minutes N] [--seed S] [--backend epoll|io_uring]\n");
        return 2;
}

int main(int argc, char **argv) {
        belay_backend only = BELAY_BACKEND_DEFAULT;
        double minutes = 0;
        bool can_uring;
        int i;

        soak_seed = 1;
        for (i = 1; i + 1 < argc; i += 2) {
                if (strcmp(argv[i], "--minutes") == 0)
                        minutes = atof(argv[i + 1]);
                else if (strcmp(argv[i], "--seed") == 0)
                        soak_seed = strtoull(argv[i + 1], NULL, 0);
                else if (strcmp(argv[i], "--backend") == 0 && strcmp(argv[i + 1], "epoll") == 0)
                        only = BELAY_BACKEND_EPOLL;
                else if (strcmp(argv[i], "--backend") == 0 && strcmp(argv[i + 1], "io_uring") == 0)
                        only = BELAY_BACKEND_IO_URING;
                else
                        return usage();
        }
        if (i < argc)
                return usage();
        this_run = (uint64_t) getpid() << 32 | (uint64_t) belay_now() % UINT32_MAX;
        make_directory();
        belay_set_memory(counted_memory, NULL);
        can_uring = has_uring();
        belay_set_log(report, NULL);
        look_around();
        make_pattern((struct dice) { soak_seed }, directory);
        if (only != BELAY_BACKEND_IO_URING)
                soak(BELAY_BACKEND_EPOLL, minutes, 2, minutes > 0 ? 1000 : 400);
        if (only != BELAY_BACKEND_EPOLL && can_uring)
                soak(BELAY_BACKEND_IO_URING, minutes, 2, minutes > 0 ? 1000 : 400);
        else if (only == BELAY_BACKEND_IO_URING)
                printf("soak: io_uring cannot be used here\n");
        unlink(pattern_path);
        if (rmdir(directory) < 0)
                wrong(NULL, "%s: %s", directory, strerror(errno));
        return wrong_count > 0;
}
