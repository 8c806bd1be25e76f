/* SPDX-License-Identifier: MIT */
/*
 * Each allocation fails in turn, alone or with all that follow. Nothing is left, and no other
 * thread allocates memory.
 */
#include <sys/socket.h>

#include "place.h"

static size_t live, calls, fails_at;
static bool fails_on; /* all later calls fail, too */
static pthread_t loop_thread;

static void *memory(void *context, void *block, size_t size) {
        (void) context;
        CHECK(pthread_equal(pthread_self(), loop_thread));
        if (size == 0) {
                live -= block != NULL;
                free(block);
                return NULL;
        }
        calls++;
        if (fails_at != 0 && (fails_on ? calls >= fails_at : calls == fails_at))
                return NULL;
        live += block == NULL;
        return realloc(block, size);
}

#define CHECK_RC(rc) CHECK((rc) >= 0 || (rc) == -ENOMEM)

static int count(const belay_walk_entry *entry, void *arg) {
        CHECK_EQ(entry->error, 0);
        ++*(unsigned *) arg;
        return 0;
}

static int looks_up(const char *endpoint) {
        belay_address *found;
        size_t size;
        int rc = belay_resolve(endpoint, SOCK_STREAM, &found, &size);

        CHECK((rc == 0) == (found != NULL));
        belay_addresses_free(found, size);
        return rc;
}

static bool started;

/* Each function that allocates memory. */
static int all(void *arg) {
        unsigned found = 0;
        char *data;
        int rc;

        (void) arg;
        started = true;
        calls = 0;
        rc = belay_file_read_all(in_place("file"), 0, &data, NULL);
        CHECK_RC(rc);
        CHECK((rc == 0) == (data != NULL));
        belay_file_free(data);
        rc = belay_file_read_all("/proc/self/maps", 0, &data, NULL);
        CHECK_RC(rc);
        belay_file_free(data);
        rc = belay_walk(place, count, &found);
        CHECK_RC(rc);
        CHECK(rc < 0 || found == 201);
        rc = belay_file_write_all(in_place("file"), "as it was", 9, 0600);
        CHECK_RC(rc);
        rc = looks_up("127.0.0.1:80");
        CHECK_RC(rc);
        rc = looks_up("localhost:80");
        CHECK(rc == 0 || rc == -ENOMEM || rc == -ENOENT || rc == -EAGAIN);
        fails_at = 0;
        return 0;
}

static void put_tree(void) {
        char name[100];

        put_file("file", "as it was");
        for (int i = 0; i < 20; i++) {
                for (int k = 0; k < 9; k++) {
                        snprintf(name, sizeof(name),
                                 "a name so long that there is no room for all of them at first %d",
                                 k);
                        close(open(name, O_WRONLY | O_CREAT, 0600));
                }
                CHECK_EQ(mkdir("d", 0700), 0);
                CHECK_EQ(chdir("d"), 0);
        }
        CHECK_EQ(chdir(place), 0);
}

int main(void) {
        unsigned fds = count_fds();
        size_t last;

        loop_thread = pthread_self();
        belay_set_memory(memory, NULL);
        make_place();
        put_tree();
        for (int on = 0; on < 2; on++) {
                fails_on = on;
                last = 1;
                for (size_t at = 1; at <= last; at++) {
                        belay_loop *loop = belay_loop_new(VIRTUAL);
                        int outcome, rc;

                        CHECK(loop != NULL);
                        fails_at = 0;
                        CHECK_EQ(belay_loop_run(loop, all, NULL, &outcome), 0);
                        last = calls;
                        fails_at = at;
                        started = false;
                        rc = belay_loop_run(loop, all, NULL, &outcome);
                        fails_at = 0;
                        /*
                         * With a memory checker the main task's record is allocated, and that may
                         * fail.
                         */
                        CHECK(rc == 0 || (rc == -ENOMEM && !started));
                        CHECK_STR(get_file("file"), "as it was");
                        belay_loop_close(loop);
                        CHECK_EQ(live, 0);
                        CHECK_EQ(count_fds(), fds);
                }
        }
        return 0;
}
