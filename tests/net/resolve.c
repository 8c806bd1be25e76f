/* SPDX-License-Identifier: MIT */
/*
 * Lookups of names with a getaddrinfo() of the test: the results, and lookups whose tasks have
 * stopped waiting for them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>

#include "everywhere/everywhere.h"
#include "net/net.h"
#include "testing/balance.h"

#include "../thread/threads.h"
#include "plain.h"

/* ---- the lookup ---- */

/* A lookup of a name that begins with "held" posts `begun`, and waits for `go`. */
static sem_t begun, go;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned calls, at_once, most_at_once, alive;

static int answer(const char *node) {
        static const struct {
                const char *node;
                int error, system_error;
        } answers[] = {
                { "none", EAI_NONAME, ENOENT },
                { "again", EAI_AGAIN, EACCES },
                { "fail", EAI_FAIL, EACCES },
                { "memory", EAI_MEMORY, 0 },
                { "service", EAI_SERVICE, 0 },
                { "family", EAI_FAMILY, 0 },
                { "system", EAI_SYSTEM, EACCES },
                { "unsaid", EAI_SYSTEM, 0 },
                { "refused", EAI_SYSTEM, ECONNREFUSED },
                { "unreachable", EAI_SYSTEM, ENETUNREACH },
                { "late", EAI_SYSTEM, ETIMEDOUT },
                { "missing", EAI_SYSTEM, ENOENT },
                { "short", EAI_NONAME, EMFILE },
                { "short-again", EAI_AGAIN, ENFILE },
                { "short-fail", EAI_FAIL, ENOMEM },
                { "short-service", EAI_SERVICE, EMFILE },
                { "bad\033", EAI_SYSTEM, EACCES },
                { "short-system", EAI_SYSTEM, ENOBUFS },
        };

        errno = 0;

        for (size_t i = 0; node != NULL && i < sizeof(answers) / sizeof(answers[0]); i++)
                if (strcmp(node, answers[i].node) == 0) {
                        errno = answers[i].system_error;
                        return answers[i].error;
                }
        return 0;
}

static struct addrinfo *make_info(const char *address, uint16_t port, struct addrinfo *next) {
        struct info {
                struct addrinfo info;
                struct sockaddr_in6 address;
        } *info = calloc(1, sizeof(*info));
        struct sockaddr_in *in = (struct sockaddr_in *) &info->address;

        info->info.ai_next = next;
        info->info.ai_addr = (struct sockaddr *) &info->address;
        if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons(port);
                info->info.ai_addrlen = sizeof(*in);
        } else {
                CHECK_EQ(inet_pton(AF_INET6, address, &info->address.sin6_addr), 1);
                info->address.sin6_family = AF_INET6;
                info->address.sin6_port = htons(port);
                info->info.ai_addrlen = sizeof(info->address);
        }
        info->info.ai_family = info->address.sin6_family;
        return &info->info;
}

static void hold(void) {
        sem_post(&begun);
        while (sem_wait(&go) != 0)
                ;
}

static void count(unsigned *counter, int by) {
        pthread_mutex_lock(&mutex);
        *counter += (unsigned) by;
        if (at_once > most_at_once)
                most_at_once = at_once;
        pthread_mutex_unlock(&mutex);
}

static unsigned counted(const unsigned *counter) {
        unsigned value;

        pthread_mutex_lock(&mutex);
        value = *counter;
        pthread_mutex_unlock(&mutex);
        return value;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
        uint16_t port = strcmp(service, "http") == 0 ? 80 : (uint16_t) atoi(service);
        int error;

        CHECK(belay_loop_self() == NULL);
        count(&calls, 1);
        count(&at_once, 1);
        CHECK(hints->ai_socktype == SOCK_STREAM || hints->ai_socktype == SOCK_DGRAM);
        if (node != NULL && strncmp(node, "held", 4) == 0)
                hold();
        count(&at_once, -1);
        error = answer(node);
        if (error != 0)
                return error;
        count(&alive, 1);
        *found = make_info("10.0.0.3", port,
                           make_info("2001:db8::7", port, make_info("10.0.0.1", port, NULL)));
        return 0;
}

void freeaddrinfo(struct addrinfo *info) {
        count(&alive, -1);
        while (info != NULL) {
                struct addrinfo *next = info->ai_next;

                free(info);
                info = next;
        }
}

/*
 * Waits until the lookups that went on alone have ended, and checks that they have freed their
 * results.
 */
static void await_all(unsigned threads) {
        await_threads(threads);
        CHECK_EQ(counted(&alive), 0);
}

/* ---- results ---- */

static void check_text(const belay_address *address, const char *expected) {
        const struct sockaddr *generic = (const struct sockaddr *) &address->address;
        char text[BELAY_ADDRESS_TEXT];

        CHECK_STR(belay_address_text(generic, address->length, text, sizeof(text)), expected);
}

static int finds(void *arg) {
        belay_address *found;
        size_t size;

        (void) arg;
        CHECK_EQ(belay_resolve("example.org:http", SOCK_STREAM, &found, &size), 0);
        CHECK_EQ(size, 3);
        check_text(&found[0], "10.0.0.3:80");
        check_text(&found[1], "[2001:db8::7]:80");
        check_text(&found[2], "10.0.0.1:80");
        CHECK_EQ(found[1].type, SOCK_STREAM);
        belay_addresses_free(found, size);
        CHECK_EQ(belay_resolve("127.0.0.1:http", SOCK_DGRAM, &found, &size), 0);
        CHECK(size == 3 && found[2].type == SOCK_DGRAM);
        belay_addresses_free(found, size);

        /* A service name alone. */
        CHECK_EQ(belay_resolve(":http", SOCK_STREAM, &found, &size), 0);
        CHECK_EQ(size, 2);
        check_text(&found[0], "[::1]:80");
        check_text(&found[1], "127.0.0.1:80");
        belay_addresses_free(found, size);
        CHECK_EQ(bly_resolve(belay_loop_self(), "*:http", SOCK_STREAM, true, &found, &size,
                             "here:1"),
                 0);
        check_text(&found[0], "[::]:80");
        check_text(&found[1], "0.0.0.0:80");
        belay_addresses_free(found, size);

        /* A literal address needs no lookup. */
        calls = 0;
        CHECK_EQ(belay_resolve("127.0.0.1:80", SOCK_STREAM, &found, &size), 0);
        belay_addresses_free(found, size);
        CHECK_EQ(belay_resolve("*:80", SOCK_STREAM, &found, &size), 0);
        belay_addresses_free(found, size);
        CHECK_EQ(calls, 0);
        return 0;
}

static int errors(void *arg) {
        static const struct {
                const char *endpoint;
                int code;
        } cases[] = {
                { "none:80", -ENOENT },
                { "service:80", -ENOENT },
                { "again:80", -EAGAIN },
                { "fail:80", -EAGAIN },
                { "memory:80", -ENOMEM },
                { "family:80", -EINVAL },
                { "system:80", -EACCES },
                { "unsaid:80", -EAGAIN },
                { "127.0.0.1", -EINVAL },
                /*
                 * Errors of the connection to the name server must not look like errors of the
                 * host.
                 */
                { "refused:80", -EAGAIN },
                { "unreachable:80", -EAGAIN },
                { "late:80", -EAGAIN },
                { "missing:80", -EAGAIN },
                /* Whatever getaddrinfo() returns, a shortage says nothing about the name. */
                { "short:80", -EMFILE },
                { "short-again:80", -ENFILE },
                { "short-fail:80", -ENOMEM },
                { "short-service:80", -EMFILE },
                { "short-system:80", -ENOBUFS },
        };
        static const struct {
                const char *endpoint, *text;
                int code;
        } texts[] = {
                { "none:80", "unknown host \"none\"", 0 },
                { "service:nonesuch", "unknown service \"nonesuch\"", 0 },
                { "again:80", "host \"again\" could not be looked up: ", 0 },
                { "short:80", "host \"short\" could not be looked up: ", 1 },
                { "system:80", "host \"system\" could not be looked up: ", 1 },
                { "bad\033:80", "host \"bad?\" could not be looked up: ", 1 },
        };
        char text[256], formatted[256];
        belay_failure *failure;
        belay_address *found;
        size_t size;

        (void) arg;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CHECK_EQ(belay_resolve(cases[i].endpoint, SOCK_STREAM, &found, &size),
                         cases[i].code);
                CHECK(found == NULL && size == 0);
        }
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                int rc = belay_resolve(texts[i].endpoint, SOCK_STREAM, &found, &size);

                failure = belay_failure_take(rc);
                snprintf(text, sizeof(text), "%s%s", texts[i].text,
                         texts[i].code != 0 ? strerror(-rc) : "");
                if (strncmp(texts[i].endpoint, "again", 5) == 0)
                        snprintf(text, sizeof(text), "%s%s", texts[i].text,
                                 gai_strerror(EAI_AGAIN));
                CHECK_STR(belay_failure_text(failure), text);
                /* The formatted failure does not add the system's text for the code. */
                belay_failure_format(failure, formatted, sizeof(formatted));
                CHECK_STR(formatted, text);
                belay_failure_release(failure);
        }
        return 0;
}

/* If the C library could not open its files, getaddrinfo() is not called. */
static int short_of_descriptors(void *arg) {
        belay_address *found;
        size_t size;

        (void) arg;
        begin_io();
        calls = 0;
        for (int more = 1; more >= 0; more--) {
                limit_descriptors((unsigned) more);
                CHECK_EQ(belay_resolve("example.org:80", SOCK_STREAM, &found, &size), -EMFILE);
                unlimit_descriptors();
        }
        CHECK_EQ(calls, 0);
        CHECK_EQ(belay_resolve("example.org:80", SOCK_STREAM, &found, &size), 0);
        belay_addresses_free(found, size);
        return 0;
}

/* ---- cancelled ---- */

struct asker {
        const char *endpoint;
        int rc, then;
        belay_address *found;
        size_t size;
};

static int asks(void *arg) {
        struct asker *asker = arg;

        asker->rc = belay_resolve(asker->endpoint, SOCK_STREAM, &asker->found, &asker->size);
        /* A cancellation keeps its own reason. */
        if (asker->rc == -ECANCELED) {
                belay_failure *failure = belay_failure_take(-ECANCELED);

                CHECK_STR(belay_failure_text(failure), NULL);
                belay_failure_release(failure);
        }
        if (asker->rc == 0)
                belay_addresses_free(asker->found, asker->size);
        asker->then = belay_yield();
        return asker->rc < 0 ? asker->rc : asker->then;
}

static void await_begun(unsigned number) {
        for (unsigned i = 0; i < number; i++)
                while (sem_wait(&begun) != 0)
                        ;
}

static void let_go(unsigned number) {
        for (unsigned i = 0; i < number; i++)
                sem_post(&go);
}

/* The call returns at once. The lookup goes on without its task, and frees its result itself. */
static int left_alone(void *arg) {
        struct asker asker = { .endpoint = "held:80" };
        belay_task *task = must(belay_spawn(asks, &asker));

        CHECK_EQ(belay_yield(), 0);
        await_begun(1);
        CHECK_EQ(belay_loop_self()->expected, 1);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(asker.rc, -ECANCELED);
        CHECK_EQ(asker.then, 0);
        CHECK_EQ(belay_loop_self()->expected, 0);
        belay_release(task);
        /* While the loop runs, or after it. */
        if (arg == NULL) {
                let_go(1);
                while (counted(&at_once) > 0)
                        usleep(100);
        }
        return 0;
}

enum { AT_ONCE = 8, MORE = 5 };

/* Only AT_ONCE lookups run at a time. Others wait in a queue, and can be cancelled there. */
static int in_line(void *arg) {
        struct asker askers[AT_ONCE + MORE];
        belay_task *tasks[AT_ONCE + MORE];
        struct stat stat;
        unsigned before = counted(&calls);

        (void) arg;
        for (int i = 0; i < AT_ONCE + MORE; i++) {
                askers[i] = (struct asker) { .endpoint = "held:80", .rc = 1 };
                tasks[i] = must(belay_spawn(asks, &askers[i]));
        }
        CHECK_EQ(belay_yield(), 0);
        await_begun(AT_ONCE);
        CHECK_EQ(counted(&calls) - before, AT_ONCE);
        CHECK_EQ(belay_cancel_wait(tasks[AT_ONCE + MORE - 1], NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(askers[AT_ONCE + MORE - 1].rc, -ECANCELED);
        /* Jobs for files need not wait for lookups. */
        CHECK_EQ(belay_file_stat("/", true, &stat), 0);
        let_go(AT_ONCE + MORE - 1);
        for (int i = 0; i < AT_ONCE + MORE; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                belay_release(tasks[i]);
                if (i < AT_ONCE + MORE - 1)
                        CHECK_EQ(askers[i].rc, 0);
        }
        await_begun(MORE - 1);
        CHECK_EQ(counted(&calls) - before, AT_ONCE + MORE - 1);
        CHECK(counted(&most_at_once) <= AT_ONCE);
        return 0;
}

/*
 * The lookup has ended when the request arrives. The call returns its result, and the request stays
 * pending.
 */
static int just_found(void *arg) {
        struct asker asker = { .endpoint = "held:80" };
        belay_task *task = must(belay_spawn(asks, &asker));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        await_begun(1);
        let_go(1);
        while (!bly_needs_attention(belay_loop_self()))
                usleep(100);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(asker.rc, 0);
        CHECK_EQ(asker.then, -ECANCELED);
        belay_release(task);
        return 0;
}

static int pending_before(void *arg) {
        struct asker asker = { .endpoint = "held:80" };

        (void) arg;
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(asks(&asker), -ECANCELED);
        CHECK_EQ(asker.then, 0);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return 0;
}

/* ---- a lookup whose task the shutdown abandons ---- */

static int asks_shielded(void *arg) {
        belay_shield_scope shield;
        struct asker asker = { .endpoint = "held:80" };

        (void) arg;
        CHECK_EQ(belay_shield_enter(&shield, BELAY_NEVER), 0);
        return belay_shield_leave(&shield, asks(&asker));
}

static int leaves_it(void *arg) {
        belay_release(must(belay_spawn(asks_shielded, arg)));
        CHECK_EQ(belay_yield(), 0);
        await_begun(1);
        return 0;
}

static int is_given_up(void *arg) {
        unsigned threads = count_threads();

        keep_lines();
        CHECK_EQ(belay_run_with(
                         leaves_it, arg,
                         BELAY_OPTIONS(belay_loop_options, .shutdown_limit = BELAY_MILLISECOND)),
                 -ETIMEDOUT);
        CHECK_LINES(1, "lookup, held:80");
        let_go(1);
        await_threads(threads);
        return 0;
}

/* ---- cancelled everywhere ---- */

static int looks_up(void *arg) {
        belay_address *found;
        size_t size;
        int rc = 0;

        (void) arg;
        for (int i = 0; i < 3 && rc == 0; i++) {
                rc = belay_resolve(i == 1 ? "none:80" : "name:80", SOCK_STREAM, &found, &size);
                if (rc == -ENOENT && i == 1)
                        rc = 0;
                else if (rc == 0)
                        belay_addresses_free(found, size);
        }
        return rc < 0 ? rc : belay_yield();
}

static int two(void *arg) {
        belay_group group;

        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, looks_up, arg), 0);
        CHECK_EQ(belay_group_spawn(&group, looks_up, arg), 0);
        return belay_group_leave(&group, 0);
}

static int check(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 1;
}

int main(void) {
        unsigned threads = first_threads();
        static struct child child;
        struct bly_balance before, after;
        int without;

        sem_init(&begun, 0, 0);
        sem_init(&go, 0, 0);
        RUN_VIRTUAL(finds);
        CHECK_EQ(belay_run(finds, NULL), 0);
        RUN_VIRTUAL(errors);
        RUN_VIRTUAL(short_of_descriptors);
        await_all(threads);
        RUN_VIRTUAL(left_alone);
        CHECK_EQ(belay_run(left_alone, NULL), 0);
        await_all(threads);
        CHECK_EQ(bly_balance_begin(), 0);
        bly_balance_take(&before);
        CHECK_EQ(belay_run(left_alone, &without), 0);
        bly_balance_take(&after);
        /* The memory that the lookup still uses is not counted: the lookup itself frees it. */
        CHECK(!bly_balance_tilted(&before, &after));
        CHECK_EQ(bly_balance_end(), 0);
        CHECK_EQ(counted(&at_once), 1);
        CHECK_EQ(count_threads(), threads + 1);
        let_go(1);
        await_all(threads);
        RUN_VIRTUAL(in_line);
        CHECK_EQ(belay_run(in_line, NULL), 0);
        RUN_VIRTUAL(just_found);
        RUN_VIRTUAL(pending_before);
        await_all(threads);
        in_child(&child, is_given_up, NULL);
        CHECK_CHILD(&child, 0);
        EVERYWHERE(looks_up, NULL, NULL, check, 3);
        EVERYWHERE(two, NULL, NULL, check, 6);
        await_all(threads);
        return 0;
}
