/* SPDX-License-Identifier: MIT */
/*
 * Checks whether ports are open. It checks many ports at once, each under its own timeout.
 *
 *     port_check [-n AT-ONCE] [-t SECONDS] HOST:PORT...      20 at once and 3 seconds by default
 *     port_check -t 0.5 localhost:22 example.org:https '[::1]:80'
 *
 * Exit code 0: all ports are open; 1: not all are open; 2: not all could be checked.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct checks {
        char **endpoints;
        size_t count, at_once, asked, open;
        belay_time limit;
};

struct check {
        struct checks *all;
        const char *endpoint;
};

static const char *state(int rc) {
        switch (rc) {
        case 0:
                return "open";
        case -ECONNREFUSED:
                return "closed";
        /* A firewall on the way drops or rejects the connection, or there is no such host. */
        case -ETIMEDOUT:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
        case -EACCES:
                return "filtered";
        default:
                return "unknown";
        }
}

static int check(void *arg) {
        const struct check *check = arg;
        struct checks *all = check->all;
        belay_time began = belay_now();
        belay_stream *stream;
        belay_timeout limit;
        int rc;

        belay_timeout_enter(&limit, all->limit);
        rc = belay_connect(&stream, check->endpoint, NULL);
        /* If this timeout has expired, -ECANCELED becomes -ETIMEDOUT here. */
        rc = belay_timeout_leave(&limit, rc);
        belay_close(stream, 0);
        /* If it is still -ECANCELED, another caller cancels the task, as Ctrl-C does. */
        if (rc == -ECANCELED)
                return rc;
        printf("%-8s  %8.1f ms  %s%s%s\n", state(rc),
               (double) (belay_now() - began) / (double) BELAY_MILLISECOND, check->endpoint,
               rc < 0 ? ": " : "", rc < 0 ? strerror(-rc) : "");
        fflush(stdout);
        all->asked++;
        all->open += rc == 0;
        /* A port that is not open is a result. A failure would cancel all other checks. */
        return 0;
}

static int app(void *arg) {
        struct checks *all = arg;
        struct check *each = calloc(all->count, sizeof(*each));
        belay_group group;
        int rc;

        if (each == NULL)
                return -ENOMEM;
        rc = belay_group_enter_with(&group,
                                    BELAY_OPTIONS(belay_group_options, .limit = all->at_once));
        for (size_t i = 0; i < all->count && rc == 0; i++) {
                each[i] = (struct check) { all, all->endpoints[i] };
                /* Waits while the group is full. */
                rc = belay_group_spawn(&group, check, &each[i]);
        }
        /* The members use `each`, so the group is left on every path before the free(). */
        rc = belay_group_leave(&group, rc);
        free(each);
        return rc;
}

static int usage(void) {
        fprintf(stderr, "usage: port_check [-n AT-ONCE] [-t SECONDS] HOST:PORT...\n");
        return 2;
}

int main(int argc, char **argv) {
        struct checks all = { .at_once = 20, .limit = 3 * BELAY_SECOND };
        int option, rc;

        while ((option = getopt(argc, argv, "n:t:")) != -1) {
                if (option == 'n' && atoi(optarg) > 0)
                        all.at_once = (size_t) atoi(optarg);
                else if (option == 't' && atof(optarg) > 0)
                        all.limit = (belay_time) (atof(optarg) * (double) BELAY_SECOND);
                else
                        return usage();
        }
        if (optind == argc)
                return usage();
        all.endpoints = argv + optind;
        all.count = (size_t) (argc - optind);
        rc = belay_run(app, &all);
        if (rc < 0)
                fprintf(stderr, "port_check: %s; %zu of %zu were asked\n", strerror(-rc), all.asked,
                        all.count);
        return rc < 0 ? 2 : all.open < all.count;
}
