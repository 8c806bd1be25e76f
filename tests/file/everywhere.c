/* SPDX-License-Identifier: MIT */
/*
 * Files under cancel-everywhere: no descriptor stays open, no file is incomplete, and no temporary
 * file is left.
 */
#include "everywhere/everywhere.h"

#include "place.h"

static void empty(void *arg) {
        (void) arg;
        CHECK_EQ(chdir("/"), 0);
        leave_place();
        CHECK_EQ(mkdir(place, 0700), 0);
        CHECK_EQ(chdir(place), 0);
}

/* If a request arrived while a thread worked, the next wait delivers it. */
static int end_with(int rc) {
        return rc < 0 ? rc : belay_yield();
}

/* ---- calls in sequence ---- */

static int use(int fd) {
        struct stat stat;
        char text[16];
        ssize_t rc = belay_file_write(fd, "some text", 9, 0);

        if (rc < 0)
                return (int) rc;
        CHECK_EQ(rc, 9);
        if ((rc = belay_file_sync(fd, true)) < 0 || (rc = belay_file_truncate(fd, 4)) < 0)
                return (int) rc;
        rc = belay_file_read(fd, text, sizeof(text), 0);
        if (rc < 0)
                return (int) rc;
        CHECK_EQ(rc, 4);
        rc = belay_file_stat_fd(fd, &stat);
        if (rc == 0)
                CHECK_EQ(stat.st_size, 4);
        return (int) rc;
}

static int calls(void *arg) {
        struct stat stat;
        int fd = belay_file_open(in_place("file"), O_RDWR | O_CREAT | O_EXCL, 0600), rc;

        (void) arg;
        if (fd < 0) {
                CHECK(get_file("file") == NULL);
                return fd;
        }
        rc = use(fd);
        CHECK_EQ(belay_file_close(fd), 0);
        if (rc == 0)
                rc = belay_file_rename(in_place("file"), in_place("other"));
        if (rc == 0)
                rc = belay_file_stat(in_place("other"), false, &stat);
        if (rc == 0)
                rc = belay_file_make_directory(in_place("dir"), 0700);
        if (rc == 0)
                rc = belay_file_remove(in_place("dir"));
        if (rc == 0)
                rc = belay_file_remove(in_place("other"));
        return end_with(rc);
}

/* ---- whole files ---- */

static void one_file(void *arg) {
        empty(arg);
        put_file("file", "as it was");
}

static int replaced;

static int whole(void *arg) {
        char *data;
        size_t size;
        int rc = belay_file_read_all(in_place("file"), 0, &data, &size);

        (void) arg;
        replaced = 0;
        if (rc < 0) {
                CHECK(data == NULL && size == 0);
                return rc;
        }
        CHECK_STR(data, "as it was");
        rc = belay_file_write_all(in_place("file"), "as it is now", 12, 0600);
        replaced = rc == 0;
        belay_file_free(data);
        /* This file is always read by a thread. */
        if (rc == 0)
                rc = belay_file_read_all("/proc/self/status", 0, &data, &size);
        if (rc == 0)
                belay_file_free(data);
        return end_with(rc);
}

static int is_whole(void *arg, int outcome) {
        (void) arg;
        if (count_entries(place) != 1)
                return 1;
        if (strcmp(get_file("file"), replaced ? "as it is now" : "as it was") != 0)
                return 2;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 3;
}

/* ---- trees ---- */

static void tree(void *arg) {
        char name[32];

        empty(arg);
        for (int i = 0; i < 3; i++) {
                snprintf(name, sizeof(name), "dir%d", i);
                CHECK_EQ(mkdir(in_place(name), 0700), 0);
                for (int k = 0; k < 5; k++) {
                        snprintf(name, sizeof(name), "dir%d/file%d", i, k);
                        put_file(name, "");
                }
        }
        for (int k = 0; k < 40; k++) {
                snprintf(name, sizeof(name), "file%d", k);
                put_file(name, "");
        }
}

static int count(const belay_walk_entry *entry, void *arg) {
        ++*(int *) arg;
        return entry->depth == 1 && S_ISDIR(entry->stat->st_mode) ? belay_yield() : 0;
}

static int walks(void *arg) {
        int found = 0, rc = belay_walk(place, count, &found);

        (void) arg;
        if (rc == 0)
                CHECK_EQ(found, 3 * 6 + 40);
        return end_with(rc);
}

/* ---- concurrent calls ---- */

static int replaces_one(void *arg) {
        char name[16], text[16], *data;
        int rc;

        snprintf(name, sizeof(name), "file%d", *(int *) arg);
        snprintf(text, sizeof(text), "%d", *(int *) arg);
        rc = belay_file_write_all(name, text, strlen(text), 0600);
        if (rc == 0)
                rc = belay_file_read_all(name, 10, &data, NULL);
        if (rc == 0) {
                CHECK_STR(data, text);
                belay_file_free(data);
        }
        return rc;
}

static int several(void *arg) {
        static int numbers[6];
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        for (int i = 0; i < 6; i++) {
                numbers[i] = i;
                CHECK_EQ(belay_group_spawn(&group, replaces_one, &numbers[i]), 0);
        }
        return end_with(belay_group_leave(&group, 0));
}

/* ---- next to a timer in the far future ---- */

static int sleeps_long(void *arg) {
        (void) arg;
        return belay_sleep(1000 * BELAY_HOUR);
}

/*
 * While a thread works, virtual time must not jump to the far timer, and the loop must keep waiting
 * for the thread.
 */
static int beside_sleep(void *arg) {
        belay_task *sleeper = belay_spawn(sleeps_long, NULL);
        struct stat stat;
        int rc;

        (void) arg;
        CHECK(sleeper != NULL);
        rc = belay_yield();
        for (int i = 0; i < 3 && rc == 0; i++)
                rc = belay_file_stat(place, true, &stat);
        CHECK_EQ(belay_cancel_wait(sleeper, NULL, BELAY_NEVER, NULL), 0);
        belay_release(sleeper);
        return end_with(rc);
}

static int check(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 1;
}

int main(void) {
        /* The test makes thousands of syncs, which would be slow on a disk. */
        if (access("/dev/shm", W_OK) == 0)
                make_place_in("/dev/shm");
        else
                make_place();
        EVERYWHERE(calls, NULL, empty, check, 12);
        EVERYWHERE(whole, NULL, one_file, is_whole, 5);
        EVERYWHERE(walks, NULL, tree, check, 8);
        EVERYWHERE(several, NULL, empty, check, 24);
        EVERYWHERE(beside_sleep, NULL, empty, check, 6);
        return 0;
}
