/* SPDX-License-Identifier: MIT */
/*
 * The walk over a tree: its order, the entries that it skips, and that no change of the tree leads
 * it outside.
 */
#include "base/guarded.h"
#include "place.h"

/* the visited entries, each as a line "depth path\n" */
static char told[1024 * 1024];
static size_t told_size;

static int note(const belay_walk_entry *entry, void *arg) {
        CHECK_EQ(entry->size, sizeof(*entry));
        const char *name = strrchr(entry->path, '/');
        const char *path = entry->path;

        (void) arg;
        if (strncmp(path, place, strlen(place)) == 0)
                path += strlen(place) + 1;
        CHECK_STR(entry->name, name + 1);
        told_size += (size_t) snprintf(told + told_size, sizeof(told) - told_size, "%d %s%s\n",
                                       entry->depth, path, entry->error != 0 ? " !" : "");
        CHECK(told_size < sizeof(told));
        return 0;
}

static const char *walked(const char *root, belay_walk_fn *fn, void *arg, int expected) {
        told_size = 0;
        told[0] = '\0';
        CHECK_EQ(belay_walk(root, fn, arg), expected);
        return told;
}

static void put_directory(const char *name) {
        CHECK_EQ(mkdir(in_place(name), 0700), 0);
}

static int order(void *arg) {
        static const char *const names[] = { "b", "a", "c", "a.b", "ab", "Z" };
        static const char expected[] =
                "1 Z\n1 a\n2 a/Z\n2 a/a\n2 a/a.b\n2 a/ab\n2 a/b\n3 a/b/x\n2 a/c\n"
                "1 a.b\n1 ab\n1 b\n1 c\n";
        char path[300];

        (void) arg;
        CHECK_STR(walked(place, note, NULL, 0), "");
        for (int i = 0; i < 6; i++) {
                if (names[i][0] == 'a' && names[i][1] == '\0')
                        put_directory("a");
                else
                        put_file(names[i], "");
        }
        for (int i = 0; i < 6; i++) {
                snprintf(path, sizeof(path), "a/%s", names[i]);
                if (names[i][0] == 'b')
                        put_directory(path);
                else
                        put_file(path, "");
        }
        put_file("a/b/x", "");
        CHECK_STR(walked(place, note, NULL, 0), expected);
        snprintf(path, sizeof(path), "%s/", place);
        CHECK_STR(walked(path, note, NULL, 0), expected);
        CHECK_STR(walked("a/b", note, NULL, 0), "1 a/b/x\n");
        CHECK_STR(walked("./a/b/", note, NULL, 0), "1 ./a/b/x\n");
        return 0;
}

/* Only "." and ".." themselves are no entries. */
static int dots(void *arg) {
        static const char *const names[] = { "...", "..a", ".a", ".aa", ".b", "a", "a." };
        char expected[256] = "";

        (void) arg;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                put_file(names[i], "");
                strcat(strcat(strcat(expected, "1 "), names[i]), "\n");
        }
        CHECK_STR(walked(place, note, NULL, 0), expected);
        return 0;
}

/* Numbers of entries around those that are examined at once. The last entry is a directory. */
static int batches(void *arg) {
        static const int counts[] = { 1, 2, 31, 32, 33, 63, 64, 65, 97 };
        static char expected[4096];

        (void) arg;
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                char root[16], path[64];

                snprintf(root, sizeof(root), "%d", counts[i]);
                put_directory(root);
                expected[0] = '\0';
                for (int k = 0; k < counts[i]; k++) {
                        snprintf(path, sizeof(path), "%d/%03d", counts[i], k);
                        if (k + 1 < counts[i])
                                put_file(path, "");
                        else
                                put_directory(path);
                        strcat(strcat(strcat(expected, "1 "), path), "\n");
                }
                strcat(path, "/x");
                put_file(path, "");
                strcat(strcat(strcat(expected, "2 "), path), "\n");
                CHECK_STR(walked(root, note, NULL, 0), expected);
        }
        return 0;
}

/* ---- results of the callback ---- */

static int passes_b(const belay_walk_entry *entry, void *arg) {
        int rc = note(entry, arg);

        return strcmp(entry->name, "b") == 0 ? BELAY_WALK_PASS : rc;
}

static int stops_at_b(const belay_walk_entry *entry, void *arg) {
        note(entry, NULL);
        return strcmp(entry->name, "b") == 0 ? *(int *) arg : 0;
}

static int waits(const belay_walk_entry *entry, void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        return rc < 0 ? rc : note(entry, arg);
}

static int says(void *arg) {
        int rc;

        (void) arg;
        put_directory("a");
        put_directory("b");
        put_file("b/x", "");
        put_file("c", "");
        CHECK_STR(walked(place, passes_b, NULL, 0), "1 a\n1 b\n1 c\n");
        rc = -EXDEV;
        CHECK_STR(walked(place, stops_at_b, &rc, rc), "1 a\n1 b\n");
        rc = 17;
        CHECK_STR(walked(place, stops_at_b, &rc, rc), "1 a\n1 b\n");
        CHECK_STR(walked(place, waits, NULL, 0), "1 a\n1 b\n2 b/x\n1 c\n");
        return 0;
}

/* ---- kinds of entries ---- */

static int checks(const belay_walk_entry *entry, void *arg) {
        struct stat stat;

        CHECK_EQ(lstat(entry->path, &stat), 0);
        CHECK_EQ(stat.st_ino, entry->stat->st_ino);
        CHECK_EQ(stat.st_mode, entry->stat->st_mode);
        CHECK_EQ(stat.st_size, entry->stat->st_size);
        CHECK_EQ(entry->error, 0);
        ++*(unsigned *) arg;
        return 0;
}

/* Links are visited and not followed, but the root may be a link. */
static int kinds(void *arg) {
        unsigned count = 0;

        (void) arg;
        put_directory("dir");
        put_file("dir/file", "some bytes");
        CHECK_EQ(symlink("dir", in_place("link")), 0);
        CHECK_EQ(symlink("none", in_place("dangling")), 0);
        CHECK_EQ(symlink(".", in_place("dir/self")), 0);
        CHECK_EQ(mkfifo(in_place("fifo"), 0600), 0);
        CHECK_EQ(belay_walk(place, checks, &count), 0);
        CHECK_EQ(count, 6);
        CHECK_STR(walked(in_place("link"), note, NULL, 0), "1 link/file\n1 link/self\n");
        return 0;
}

static int errors(void *arg) {
        (void) arg;
        put_file("file", "");
        CHECK_EQ(symlink("none", in_place("dangling")), 0);
        CHECK_STR(walked(in_place("none"), note, NULL, -ENOENT), "");
        CHECK_STR(walked(in_place("file"), note, NULL, -ENOTDIR), "");
        CHECK_STR(walked(in_place("dangling"), note, NULL, -ENOENT), "");
        CHECK_STR(walked("", note, NULL, -ENOENT), "");
        return 0;
}

/* ---- many entries ---- */

enum { MANY = 3000 };

static int is_next(const belay_walk_entry *entry, void *arg) {
        char name[32];

        snprintf(name, sizeof(name), "a name that is rather long %04u", (*(unsigned *) arg)++ + 0u);
        CHECK_STR(entry->name, name);
        return 0;
}

/* More entries than the first buffer has room for, and more than one batch. */
static int many(void *arg) {
        unsigned count = 0;
        char name[64];

        (void) arg;
        for (unsigned i = 0; i < MANY; i++) {
                snprintf(name, sizeof(name), "a name that is rather long %04u", (i * 7919) % MANY);
                put_file(name, "");
        }
        CHECK_EQ(belay_walk(place, is_next, &count), 0);
        CHECK_EQ(count, MANY);
        return 0;
}

/* ---- deep trees ---- */

enum { DEEP = 300 };

static unsigned deepest, most_open;

static int goes_down(const belay_walk_entry *entry, void *arg) {
        unsigned open = count_fds();

        ++*(unsigned *) arg;
        if ((unsigned) entry->depth > deepest)
                deepest = (unsigned) entry->depth;
        if (open > most_open)
                most_open = open;
        return 0;
}

/* Deeper than paths may be long. On the way back, each level has more entries. */
static int deep(void *arg) {
        unsigned count = 0, fds;
        struct stat stat;

        (void) arg;
        CHECK_EQ(belay_file_stat(place, true, &stat), 0);
        fds = count_fds();
        for (int i = 0; i < DEEP; i++) {
                CHECK_EQ(mkdir("a directory with a long name", 0700), 0);
                CHECK_EQ(mkdir("z", 0700), 0);
                CHECK_EQ(chdir("a directory with a long name"), 0);
        }
        CHECK_EQ(chdir(place), 0);
        deepest = most_open = 0;
        CHECK_EQ(belay_walk(".", goes_down, &count), 0);
        CHECK_EQ(count, 2 * DEEP);
        CHECK_EQ(deepest, DEEP);
        CHECK(most_open > fds && most_open < fds + 24);
        CHECK_EQ(count_fds(), fds);
        return 0;
}

/* ---- changes during the walk ---- */

static int removes_next(const belay_walk_entry *entry, void *arg) {
        int rc = note(entry, arg);

        if (strcmp(entry->name, "a") == 0) {
                CHECK_EQ(rmdir(in_place("a")), 0);
                CHECK_EQ(rmdir(in_place("b")), 0);
                CHECK_EQ(unlink(in_place("c")), 0);
                /*
                 * The entry was examined with the others, so it is visited. The walk must not enter
                 * it.
                 */
                CHECK_EQ(rename(in_place("d"), in_place("elsewhere")), 0);
                CHECK_EQ(symlink("/", in_place("d")), 0);
        }
        return rc;
}

static int vanishes(void *arg) {
        (void) arg;
        put_directory("a");
        put_directory("b");
        put_file("c", "");
        put_directory("d");
        put_file("d/inside", "");
        put_file("e", "");
        CHECK_STR(walked(place, removes_next, NULL, 0), "1 a\n1 b\n1 c\n1 d\n1 e\n");
        return 0;
}

static int removes_later(const belay_walk_entry *entry, void *arg) {
        unsigned *count = arg;

        if ((*count)++ == 0)
                CHECK_EQ(unlink(in_place("f35")), 0);
        CHECK(strcmp(entry->name, "f35") != 0);
        return 0;
}

/* The entry was listed with the others, and is removed before it is examined. */
static int vanishes_later(void *arg) {
        unsigned count = 0;
        char name[16];

        (void) arg;
        for (int i = 0; i < 40; i++) {
                snprintf(name, sizeof(name), "f%02d", i);
                put_file(name, "");
        }
        CHECK_EQ(belay_walk(place, removes_later, &count), 0);
        CHECK_EQ(count, 39);
        return 0;
}

static int swaps_on_the_way(const belay_walk_entry *entry, void *arg) {
        ++*(unsigned *) arg;
        if (entry->depth == 30 && strcmp(entry->name, "a") == 0) {
                /*
                 * Replaces a directory on the way back, whose descriptor the walk has closed by
                 * then.
                 */
                CHECK_EQ(rename(in_place("a/a/a/a"), in_place("moved")), 0);
                put_directory("a/a/a/a");
                put_directory("a/a/a/a/b39");
                put_directory("a/a/a/a/b39/trap");
        }
        CHECK(strcmp(entry->name, "trap") != 0);
        return 0;
}

/*
 * Each level has more than one batch, so the walk must read on when it returns to that level. The
 * directory on the way back is not the same any more.
 */
static int swapped(void *arg) {
        unsigned count = 0;

        (void) arg;
        for (int i = 0; i < 30; i++) {
                CHECK_EQ(mkdir("a", 0700), 0);
                for (int k = 0; k < 40; k++) {
                        char name[16];

                        snprintf(name, sizeof(name), "b%02d", k);
                        close(open(name, O_WRONLY | O_CREAT, 0600));
                }
                CHECK_EQ(chdir("a"), 0);
        }
        CHECK_EQ(chdir(place), 0);
        CHECK_EQ(belay_walk(place, swaps_on_the_way, &count), 0);
        /*
         * All entries of the deepest levels, which were still open, and of the first ones; one
         * batch of each level in between.
         */
        CHECK(count < 30 * 41 && count > 30 * 32);
        return 0;
}

/* ---- unreadable directories ---- */

enum { LOCKED = 20 };

/* At the deepest level, locks a directory on the way back. */
static int locks(const belay_walk_entry *entry, void *arg) {
        if (entry->depth == LOCKED && strcmp(entry->name, "d") == 0)
                CHECK_EQ(chmod(in_place("d/d"), 0), 0);
        if (entry->error != 0) {
                CHECK_EQ(entry->error, -EACCES);
                note(entry, arg);
        }
        return 0;
}

/*
 * Each level has more than one batch, so the walk must read on. It cannot reopen the levels that it
 * has closed.
 */
static void locked_on_the_way(void) {
        char name[16];

        for (int i = 0; i < LOCKED; i++) {
                CHECK_EQ(mkdir("d", 0700), 0);
                for (int k = 0; k < 40; k++) {
                        snprintf(name, sizeof(name), "f%02d", k);
                        close(open(name, O_WRONLY | O_CREAT, 0600));
                }
                CHECK_EQ(chdir("d"), 0);
        }
        for (int i = 0; i < LOCKED; i++)
                CHECK_EQ(chdir(".."), 0);
        CHECK_STR(walked(place, locks, NULL, 0), "4 d/d/d/d !\n3 d/d/d !\n2 d/d !\n");
        CHECK_EQ(chmod(in_place("d/d"), 0700), 0);
}

static int unreadable(void *arg) {
        (void) arg;
        /*
         * root may read everything, so the test runs as another user. That user may not be able to
         * use the absolute path.
         */
        strcpy(place, ".");
        if (geteuid() == 0) {
                CHECK_EQ(chmod(place, 0777), 0);
                CHECK_EQ(seteuid(65534), 0);
        }
        put_directory("a");
        put_directory("b");
        put_file("b/hidden", "");
        put_directory("c");
        put_file("c/x", "");
        CHECK_EQ(chmod(in_place("b"), 0), 0);
        CHECK_EQ(chmod(in_place("c"), 0400), 0);
        CHECK_STR(walked(place, note, NULL, 0), "1 a\n1 b\n1 b !\n1 c\n2 c/x !\n");
        CHECK_STR(walked(in_place("b"), note, NULL, -EACCES), "");
        CHECK_EQ(chmod(in_place("b"), 0700), 0);
        CHECK_EQ(chmod(in_place("c"), 0700), 0);
        locked_on_the_way();
        return 0;
}

/* In a process of its own, which changes its user. */
static int unreadable_alone(void *arg) {
        return belay_run_with(unreadable, arg, VIRTUAL);
}

/* ---- cancelled ---- */

static int walks(void *arg) {
        *(int *) arg = belay_walk(place, waits, NULL);
        return *(int *) arg;
}

static int cancelled(void *arg) {
        belay_task *task;
        int rc = 1;

        (void) arg;
        told_size = 0;
        put_directory("a");
        put_directory("a/b");
        put_file("a/b/c", "");
        task = must(belay_spawn(walks, &rc));
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND / 2), 0);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_STR(told, "1 a\n");
        belay_release(task);
        return 0;
}

int main(void) {
        belay_fn *const tests[] = {
                order, dots, batches,  says,           kinds,   errors,
                many,  deep, vanishes, vanishes_later, swapped, cancelled,
        };
        unsigned fds = count_fds(), threads = first_threads();
        static struct child child;

        belay_set_memory(guarded_memory, NULL);
        make_place();
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
                RUN_VIRTUAL(tests[i]);
                CHECK_EQ(count_fds(), fds);
                await_threads(threads);
                leave_place();
                CHECK_EQ(mkdir(place, 0700), 0);
                CHECK_EQ(chdir(place), 0);
        }
        in_child(&child, unreadable_alone, NULL);
        CHECK_CHILD(&child, 0);
        return 0;
}
