/* SPDX-License-Identifier: MIT */
/*
 * A directory of the test's own, with its files, and its removal.
 */
#ifndef BELAY_TESTS_PLACE_H
#define BELAY_TESTS_PLACE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "../base/help.h"
#include "../thread/threads.h"

static char place[256];

/* Also removes directories that are deeper than paths may be long. */
static inline void remove_below(int parent, const char *name) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;

        while (directory != NULL && (entry = readdir(directory)) != NULL)
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        remove_below(fd, entry->d_name);
        if (directory != NULL)
                closedir(directory);
        unlinkat(parent, name, directory != NULL ? AT_REMOVEDIR : 0);
}

static inline void leave_place(void) {
        remove_below(AT_FDCWD, place);
}

/* Makes the directory and changes to it. */
static inline void make_place_in(const char *parent) {
        snprintf(place, sizeof(place), "%s/belay-file.XXXXXX", parent);
        CHECK(mkdtemp(place) != NULL);
        CHECK_EQ(chdir(place), 0);
        atexit(leave_place);
}

static inline void make_place(void) {
        const char *tmp = getenv("TMPDIR");

        make_place_in(tmp != NULL ? tmp : "/tmp");
}

/* Another thread may be reading the path of this name, so it must not be written again. */
static inline const char *in_place(const char *name) {
        static char paths[64][1024];
        static unsigned next;
        char path[1024];

        snprintf(path, sizeof(path), "%s/%s", place, name);
        for (unsigned i = 0; i < 64; i++)
                if (strcmp(paths[i], path) == 0)
                        return paths[i];
        return strcpy(paths[next++ % 64], path);
}

static inline void put_file(const char *name, const char *text) {
        int fd = open(in_place(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

        CHECK(fd >= 0);
        CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
        close(fd);
}

/* Returns the beginning of a file, or NULL if there is none. */
static inline const char *get_file(const char *name) {
        static char text[4096];
        int fd = open(in_place(name), O_RDONLY);
        ssize_t size;

        if (fd < 0)
                return NULL;
        size = read(fd, text, sizeof(text) - 1);
        CHECK(size >= 0);
        text[size] = '\0';
        close(fd);
        return text;
}

static inline bool by_threads(void) {
        return strcmp(belay_loop_backend(NULL), "epoll") == 0;
}

#endif
