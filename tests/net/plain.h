/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of the network: unused addresses of each family, plain sockets for the peer,
 * and the count of open descriptors.
 */
#ifndef BELAY_TESTS_PLAIN_H
#define BELAY_TESTS_PLAIN_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/help.h"

/* ---- families ---- */

enum kind { IPV4, IPV6, UNIX_PATH, UNIX_ABSTRACT, KINDS };

static const char *const kind_names[] = { "IPv4", "IPv6", "a Unix socket's file",
                                          "an abstract Unix socket" };

static inline bool is_unix(enum kind kind) {
        return kind == UNIX_PATH || kind == UNIX_ABSTRACT;
}

static inline bool has_ipv6(void) {
        struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool has = fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0;

        if (fd >= 0)
                close(fd);
        return has;
}

/* Lets the loop open its own descriptors, so that they are not counted as the test's. */
static inline void begin_io(void) {
        belay_stream *one, *other;

        CHECK_EQ(belay_stream_pair(&one, &other), 0);
        belay_abort(one);
        belay_abort(other);
}

/* A main function with its family. */
struct main_of {
        belay_fn *fn;
        enum kind kind;
};

static inline int run_main_of(void *arg) {
        struct main_of *self = arg;

        begin_io();
        return self->fn(&self->kind);
}

/*
 * Runs `fn` as the main task for each family that the system has. Its argument points to the
 * family.
 */
static inline void run_kinds(belay_fn *fn, const char *name, const belay_loop_options *options) {
        for (int i = 0; i < KINDS; i++) {
                struct main_of main_of = { fn, (enum kind) i };

                if (i == IPV6 && !has_ipv6())
                        continue;
                printf("%s, %s\n", name, kind_names[i]);
                CHECK_EQ(belay_run_with(run_main_of, &main_of, options), 0);
        }
}

#define RUN_KINDS(fn)         run_kinds(fn, #fn, NULL)
#define RUN_KINDS_VIRTUAL(fn) run_kinds(fn, #fn, VIRTUAL)

/* Returns an unused path. */
static inline const char *fresh_path(void) {
        static char path[100];
        static int number;
        const char *directory = getenv("TMPDIR");

        CHECK((size_t) snprintf(path, sizeof(path), "%s/%d-%d.sock",
                                directory != NULL ? directory : "/tmp", (int) getpid(), number++)
              < sizeof(path));
        return path;
}

/* Returns an endpoint of this family that is not in use. */
static inline const char *fresh_endpoint(enum kind kind) {
        static char text[128];
        static int number;

        switch (kind) {
        case IPV4:
                return "127.0.0.1:0";
        case IPV6:
                return "[::1]:0";
        case UNIX_PATH:
                snprintf(text, sizeof(text), "unix:%s", fresh_path());
                return text;
        default:
                snprintf(text, sizeof(text), "unix:@belay-test-%d-%d", (int) getpid(), number++);
                return text;
        }
}

/* Returns such an endpoint as an address. */
static inline belay_address fresh_address(enum kind kind, int type) {
        belay_address address = { .type = type }, *found;
        size_t count;

        CHECK_EQ(belay_resolve(fresh_endpoint(kind), type, &found, &count), 0);
        CHECK_EQ(count, 1);
        address = *found;
        belay_addresses_free(found, count);
        return address;
}

static inline struct sockaddr *sockaddr_of(belay_address *address) {
        return (struct sockaddr *) (void *) address->address;
}

static inline int family_of(belay_address *address) {
        return sockaddr_of(address)->sa_family;
}

/* Returns the path of a Unix socket's address, or NULL if it has none. */
static inline const char *path_of(belay_address *address) {
        const struct sockaddr_un *un = (const struct sockaddr_un *) (const void *) address->address;
        bool has_path = un->sun_family == AF_UNIX && address->length > sizeof(sa_family_t)
                        && un->sun_path[0] != '\0';

        return has_path ? un->sun_path : NULL;
}

static inline const char *text_of(const belay_address *address) {
        static char text[BELAY_ADDRESS_TEXT];
        const struct sockaddr *generic = (const struct sockaddr *) (const void *) address->address;

        return belay_address_text(generic, address->length, text, sizeof(text));
}

/* ---- plain sockets ---- */

/* Returns a socket that is bound to an unused address, and stores that address. */
static inline int bound_socket(enum kind kind, int type, belay_address *address) {
        int fd;

        *address = fresh_address(kind, type);
        fd = socket(family_of(address), type | SOCK_CLOEXEC, 0);
        CHECK(fd >= 0);
        CHECK_EQ(bind(fd, sockaddr_of(address), address->length), 0);
        address->length = sizeof(address->address);
        CHECK_EQ(getsockname(fd, sockaddr_of(address), &address->length), 0);
        return fd;
}

static inline int listening_socket(enum kind kind, int backlog, belay_address *address) {
        int fd = bound_socket(kind, SOCK_STREAM, address);

        CHECK_EQ(listen(fd, backlog), 0);
        return fd;
}

static inline void close_bound(int fd, belay_address *address) {
        close(fd);
        if (path_of(address) != NULL)
                CHECK_EQ(unlink(path_of(address)), 0);
}

/* Returns an address at which there was a socket, and is none any more. */
static inline belay_address deserted_address(enum kind kind, int type) {
        belay_address address;

        close_bound(bound_socket(kind, type, &address), &address);
        return address;
}

/* ---- datagrams ---- */

static inline belay_datagrams *opened(const char *local, const char *remote) {
        belay_datagrams *socket;

        CHECK_EQ(belay_datagrams_open(&socket, local, remote), 0);
        CHECK(socket != NULL);
        return socket;
}

static inline belay_address address_of(const belay_datagrams *socket) {
        belay_address address = { .type = SOCK_DGRAM }, *found;
        size_t count;

        CHECK_EQ(belay_resolve(belay_datagrams_endpoint(socket), SOCK_DGRAM, &found, &count), 0);
        CHECK_EQ(count, 1);
        address = *found;
        belay_addresses_free(found, count);
        return address;
}

/* ---- open descriptors ---- */

static inline int open_count(void) {
        DIR *directory = opendir("/proc/self/fd");
        int count = -1; /* excludes the directory's own descriptor */

        CHECK(directory != NULL);
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
                count += entry->d_name[0] != '.';
        closedir(directory);
        return count;
}

static inline bool is_there(const char *path) {
        struct stat stat;

        return lstat(path, &stat) == 0;
}

static rlim_t descriptors_limit;

/* Allows only `more` further descriptors to be opened from here on. */
static inline void limit_descriptors(unsigned more) {
        struct rlimit limit;
        int next = dup(0);

        CHECK(next >= 0);
        close(next);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        descriptors_limit = limit.rlim_cur;
        limit.rlim_cur = (rlim_t) next + more;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static inline void unlimit_descriptors(void) {
        struct rlimit limit;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = descriptors_limit;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- tasks ---- */

static inline void let_run(void) {
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_yield(), 0);
}

/* Waits for the end of the task, and checks its outcome. */
static inline void end_of(belay_task *task, int expected) {
        int outcome = 1;

        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, expected);
        belay_release(task);
}

#endif
