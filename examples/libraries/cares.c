/* SPDX-License-Identifier: MIT */
/*
 * Looks up all names at once with c-ares. Each lookup has a timeout.
 *
 *     cares [-s SERVER:PORT] [-t SECONDS] NAME...     default: the system's servers, 2 seconds
 *
 * Exit code 0: all names were found; 1: not all.
 *
 * Each lookup has a channel of its own. c-ares cannot cancel a single query of a channel, but it
 * can cancel a channel with all of its queries.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <belay.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* ---- waiting for c-ares ---- */

/*
 * The number of sockets of a channel. It excludes the last socket for which c-ares has bits,
 * because the macros of c-ares cannot shift that far.
 */
enum { SOCKETS = ARES_GETSOCK_MAXNUM - 1 };

/* A socket of a channel, and the events for which c-ares waits. */
struct wanted {
        int fd, events;
};

static int wait_for_one(void *arg) {
        const struct wanted *wanted = arg;

        return belay_wait_fd(wanted->fd, wanted->events);
}

/*
 * Waits for the first of several sockets, for at most a span. Returns 0 with the events of each
 * socket in `came`.
 */
static int wait_for_sockets(struct wanted *wanted, size_t count, belay_time span, int *came) {
        belay_task *tasks[SOCKETS];
        size_t started = 0;
        int rc = 0;

        for (; started < count && rc == 0; started += rc == 0) {
                tasks[started] = belay_spawn(wait_for_one, &wanted[started]);
                rc = tasks[started] != NULL ? 0 : -errno;
        }
        if (rc == 0)
                rc = started > 0 ? belay_wait(tasks, started, BELAY_WAIT_FIRST, span)
                                 : belay_sleep(span);
        /*
         * No task may wait when this returns, whatever the result, because c-ares may then close
         * any of the sockets.
         */
        for (size_t i = 0; i < started; i++) {
                int ended = belay_cancel_wait(tasks[i], NULL, BELAY_NEVER, &came[i]);

                if (rc >= 0 && (ended < 0 || (came[i] < 0 && came[i] != -ECANCELED)))
                        rc = ended < 0 ? ended : came[i];
                belay_release(tasks[i]);
        }
        return rc < 0 ? rc : 0;
}

/* Performs one round: waits for the channel's sockets and lets c-ares process the events. */
static int go_on(ares_channel channel) {
        ares_socket_t sockets[SOCKETS];
        int bits = ares_getsock(channel, sockets, SOCKETS), rc;
        struct wanted wanted[SOCKETS];
        belay_time span = BELAY_NEVER;
        struct timeval space, *next = ares_timeout(channel, NULL, &space);
        int came[SOCKETS];
        size_t count = 0;

        for (int i = 0; i < SOCKETS; i++) {
                int events = (ARES_GETSOCK_READABLE(bits, i) ? BELAY_READABLE : 0)
                             | (ARES_GETSOCK_WRITABLE(bits, i) ? BELAY_WRITABLE : 0);

                if (events != 0)
                        wanted[count++] = (struct wanted) { sockets[i], events };
        }
        if (next != NULL)
                span = next->tv_sec * BELAY_SECOND + next->tv_usec * BELAY_MICROSECOND;
        rc = wait_for_sockets(wanted, count, span, came);
        for (size_t i = 0; i < count && rc == 0; i++)
                if (came[i] > 0)
                        ares_process_fd(channel,
                                        came[i] & BELAY_READABLE ? wanted[i].fd : ARES_SOCKET_BAD,
                                        came[i] & BELAY_WRITABLE ? wanted[i].fd : ARES_SOCKET_BAD);
        /* c-ares sends queries again whose time has passed, perhaps to another server. */
        if (rc == 0)
                ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        return rc;
}

/* ---- a lookup ---- */

struct lookup {
        const char *name, *server;
        belay_time limit;
        bool ended;
        int status; /* status code of c-ares */
        struct ares_addrinfo *found;
        int rc; /* verdict of the lookup */
};

/*
 * c-ares calls this when a lookup ends. If the lookup is cancelled, ares_cancel() or ares_destroy()
 * calls it.
 */
static void note(void *arg, int status, int timeouts, struct ares_addrinfo *found) {
        struct lookup *lookup = arg;

        (void) timeouts;
        lookup->ended = true;
        lookup->status = status;
        lookup->found = found;
}

static int ask(struct lookup *lookup) {
        struct ares_options options = { .timeout = 500, .tries = 4 };
        struct ares_addrinfo_hints hints = {
                .ai_family = AF_INET,
                .ai_socktype = SOCK_STREAM,
                .ai_flags = ARES_AI_NOSORT,
        };
        ares_channel channel;
        int rc = 0;

        if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
            != ARES_SUCCESS)
                return -ENOMEM;
        if (lookup->server != NULL
            && ares_set_servers_ports_csv(channel, lookup->server) != ARES_SUCCESS)
                rc = -EINVAL;
        if (rc == 0)
                ares_getaddrinfo(channel, lookup->name, NULL, &hints, note, lookup);
        while (rc == 0 && !lookup->ended)
                rc = go_on(channel);
        /* If the lookup has not ended, it ends here. After that, c-ares no longer uses `lookup`. */
        ares_cancel(channel);
        ares_destroy(channel);
        if (rc == 0 && lookup->status != ARES_SUCCESS)
                rc = belay_fail(-ENOENT, "%s", ares_strerror(lookup->status));
        return rc;
}

/* A failed lookup is a result. It must not cancel the others. */
static int look_up(void *arg) {
        struct lookup *lookup = arg;
        belay_timeout limit;

        belay_timeout_enter(&limit, lookup->limit);
        lookup->rc = belay_timeout_leave(&limit, ask(lookup));
        return lookup->rc == -ECANCELED ? -ECANCELED : 0;
}

/* ---- the program ---- */

static void print(const struct lookup *lookup) {
        const struct ares_addrinfo_node *node = lookup->rc == 0 ? lookup->found->nodes : NULL;
        char text[INET_ADDRSTRLEN];

        printf("%s", lookup->name);
        if (lookup->rc < 0)
                printf(" %s", lookup->rc == -ENOENT ? ares_strerror(lookup->status)
                                                    : strerror(-lookup->rc));
        for (; node != NULL; node = node->ai_next) {
                const struct sockaddr_in *address = (const void *) node->ai_addr;

                printf(" %s", inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)));
        }
        printf("\n");
}

struct lookups {
        struct lookup *each;
        size_t count, not_found;
};

static int app(void *arg) {
        struct lookups *all = arg;
        belay_group group;
        int rc = belay_group_enter(&group);

        for (size_t i = 0; i < all->count && rc == 0; i++)
                rc = belay_group_spawn(&group, look_up, &all->each[i]);
        rc = belay_group_leave(&group, rc);
        for (size_t i = 0; i < all->count; i++) {
                if (rc == 0)
                        print(&all->each[i]);
                if (all->each[i].found != NULL)
                        ares_freeaddrinfo(all->each[i].found);
                all->not_found += all->each[i].rc < 0;
        }
        return rc;
}

int main(int argc, char **argv) {
        const char *server = NULL;
        double seconds = 2;
        struct lookups all = { 0 };
        int option, rc;

        while ((option = getopt(argc, argv, "s:t:")) != -1) {
                if (option == 's')
                        server = optarg;
                else if (option == 't')
                        seconds = strtod(optarg, NULL);
                else
                        return 2;
        }
        all.count = (size_t) (argc - optind);
        all.each = calloc(all.count + 1, sizeof(*all.each));
        if (all.each == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
                return 2;
        for (size_t i = 0; i < all.count; i++)
                all.each[i] = (struct lookup) {
                        .name = argv[optind + (int) i],
                        .server = server,
                        .limit = (belay_time) (seconds * BELAY_SECOND),
                };
        rc = belay_run(app, &all);
        if (rc < 0)
                fprintf(stderr, "cares: %s\n", strerror(-rc));
        ares_library_cleanup();
        free(all.each);
        return rc < 0 || all.not_found > 0;
}
