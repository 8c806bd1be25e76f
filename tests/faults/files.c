/* SPDX-License-Identifier: MIT */
/*
 * Faults in files that are opened, read, written, replaced and walked over, by threads and by the
 * ring. A file that is replaced is the old or the new one, whatever fails, and no temporary file is
 * left.
 */
#define _GNU_SOURCE
#include "faults/scenes.h"

/* ---- one file ---- */

enum { SIZE = 20000 };

static void remove_file(const char *name) {
        REAL(unlink)(scratch_path(name));
}

static void prepare_files(void) {
        remove_file("one");
        remove_file("other");
}

/* Reads the current contents with the real system calls. */
static ssize_t contents_of(const char *name, char *buffer, size_t size) {
        int fd = REAL(open)(scratch_path(name), O_RDONLY, 0);
        ssize_t got;

        if (fd < 0)
                return -1;
        got = REAL(pread)(fd, buffer, size, 0);
        REAL(close)(fd);
        return got;
}

/* Checks that the bytes that were moved are in their place. */
static int write_and_read(int fd) {
        static char block[SIZE], found[SIZE];
        ssize_t moved, written;

        fill(block, SIZE, 0);
        written = belay_file_write(fd, block, SIZE, 0);
        if (written < 0)
                return (int) written;
        CHECK_EQ(REAL(pread)(fd, found, SIZE, 0), written);
        check_filled(found, (size_t) written, 0);
        if (written < SIZE) {
                moved = belay_file_write(fd, block + written, (size_t) (SIZE - written), written);
                if (moved < 0)
                        return (int) moved;
                CHECK_EQ(moved, SIZE - written);
        }
        memset(found, 0, sizeof(found));
        moved = belay_file_read(fd, found, SIZE, -1);
        if (moved >= 0) {
                check_filled(found, (size_t) moved, 0);
                CHECK_EQ(REAL(lseek)(fd, 0, SEEK_CUR), moved);
                moved = belay_file_read(fd, found + moved, SIZE, moved);
        }
        return moved < 0 ? (int) moved : 0;
}

static int look(int fd) {
        struct stat stat;
        int rc = belay_file_sync(fd, false);

        if (rc == 0)
                rc = belay_file_sync(fd, true);
        if (rc == 0)
                rc = belay_file_truncate(fd, 1000);
        if (rc == 0)
                rc = belay_file_stat_fd(fd, &stat);
        CHECK(rc < 0 || stat.st_size == 1000);
        return rc;
}

static int use_file(void *arg) {
        struct stat stat;
        int fd = belay_file_open(scratch_path("one"), O_RDWR | O_CREAT, 0600), rc, closed;

        (void) arg;
        if (fd < 0)
                return fd;
        rc = write_and_read(fd);
        if (rc == 0)
                rc = look(fd);
        closed = belay_file_close(fd);
        CHECK_EQ(REAL(fcntl)(fd, F_GETFD, NULL), -1);
        if (rc == 0)
                rc = closed;
        if (rc == 0)
                rc = belay_file_rename(scratch_path("one"), scratch_path("other"));
        if (rc == 0)
                rc = belay_file_stat(scratch_path("other"), true, &stat);
        if (rc == 0)
                rc = belay_file_remove(scratch_path("other"));
        prepare_files();
        return rc;
}

static int one_file(void) {
        return run_loop(use_file, NULL);
}

/* Relative names are resolved from the task's current directory. */
static int in_directory(void *arg) {
        int rc = belay_file_make_directory("made", 0700), removed;
        struct stat stat;

        (void) arg;
        if (rc < 0)
                return rc;
        rc = belay_file_stat("made", false, &stat);
        CHECK(rc < 0 || S_ISDIR(stat.st_mode));
        removed = belay_file_remove("made");
        if (removed < 0)
                CHECK_EQ(REAL(unlinkat)(AT_FDCWD, "made", AT_REMOVEDIR), 0);
        return rc < 0 ? rc : removed;
}

static int directory(void) {
        char before[256];
        int rc;

        CHECK(getcwd(before, sizeof(before)) != NULL);
        CHECK_EQ(chdir(scratch), 0);
        rc = run_loop(in_directory, NULL);
        CHECK_EQ(chdir(before), 0);
        return rc;
}

/* ---- whole files ---- */

static const char old_text[] = "the old one";
static char new_text[30000];

static void prepare_whole(void) {
        int fd;

        prepare_files();
        fd = REAL(open)(scratch_path("whole"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        CHECK_EQ(REAL(write)(fd, old_text, sizeof(old_text)), sizeof(old_text));
        REAL(close)(fd);
        fill(new_text, sizeof(new_text), 0);
}

static int replace(void *arg) {
        static char found[sizeof(new_text) + 1];
        size_t size = 1;
        char *data = NULL;
        ssize_t there;
        int rc;

        (void) arg;
        rc = belay_file_write_all(scratch_path("whole"), new_text, sizeof(new_text), 0600);
        there = contents_of("whole", found, sizeof(found));
        if (there == (ssize_t) sizeof(new_text))
                check_filled(found, sizeof(new_text), 0);
        else
                CHECK(there == (ssize_t) sizeof(old_text) && strcmp(found, old_text) == 0);
        CHECK(rc < 0 || there == (ssize_t) sizeof(new_text));
        if (rc < 0)
                return rc;
        rc = belay_file_read_all(scratch_path("whole"), 0, &data, &size);
        if (rc == 0) {
                CHECK_EQ(size, sizeof(new_text));
                CHECK_EQ(data[size], '\0');
                check_filled(data, size, 0);
                belay_file_free(data);
                rc = belay_file_read_all("/proc/self/stat", 100000, &data, NULL);
        }
        CHECK_EQ(data != NULL, rc == 0);
        if (rc == 0)
                belay_file_free(data);
        return rc;
}

static int whole(void) {
        return run_loop(replace, NULL);
}

/* ---- trees ---- */

/* tree/a/x tree/a/y tree/b/c/z tree/d */
static void prepare_tree(void) {
        static const char *const directories[] = { "", "/a", "/b", "/b/c" };
        static const char *const files[] = { "/a/x", "/a/y", "/b/c/z", "/d" };
        char path[160];

        for (int i = 0; i < 4; i++) {
                snprintf(path, sizeof(path), "%s.tree%s", scratch, directories[i]);
                (void) mkdir(path, 0700);
        }
        for (int i = 0; i < 4; i++) {
                snprintf(path, sizeof(path), "%s.tree%s", scratch, files[i]);
                REAL(close)(REAL(open)(path, O_WRONLY | O_CREAT, 0600));
        }
}

static void remove_tree(void) {
        static const char *const paths[] = {
                "/a/x", "/a/y", "/b/c/z", "/d", "/a", "/b/c", "/b", ""
        };
        char path[160];

        for (int i = 0; i < 8; i++) {
                snprintf(path, sizeof(path), "%s.tree%s", scratch, paths[i]);
                (void) remove(path);
        }
}

struct seen {
        unsigned count, unreadable;
        char latest[160];
};

static int see(const belay_walk_entry *entry, void *arg) {
        struct seen *seen = arg;

        CHECK(strncmp(entry->path, scratch, strlen(scratch)) == 0);
        if (entry->error != 0) {
                CHECK(makes_sense(entry->error));
                seen->unreadable++;
                return 0;
        }
        CHECK(strcmp(seen->latest, entry->path) < 0);
        snprintf(seen->latest, sizeof(seen->latest), "%s", entry->path);
        CHECK_STR(strrchr(entry->path, '/') + 1, entry->name);
        seen->count++;
        return 0;
}

static int walks(void *arg) {
        struct seen seen = { 0 };
        char root[160];
        int rc;

        (void) arg;
        snprintf(root, sizeof(root), "%s.tree", scratch);
        rc = belay_walk(root, see, &seen);
        /* An unreadable entry is reported, unless it has vanished. */
        CHECK(rc != 0 || seen.count == 7 || seen.unreadable > 0
              || (plan.nth != 0 && plan.error == ENOENT));
        return rc;
}

static int walk(void) {
        return run_loop(walks, NULL);
}

/* ---- */

int main(int argument_count, char **arguments) {
        static const struct scene scenes[] = {
                { "file", one_file, prepare_files },
                { "directory", directory, NULL },
                { "whole", whole, prepare_whole },
                { "walk", walk, prepare_tree },
        };
        int rc = RUN_SCENES(scenes);

        remove_tree();
        return rc;
}
