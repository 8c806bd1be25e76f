/* SPDX-License-Identifier: MIT */
/*
 * What is left of threads and descriptors.
 */
#ifndef BELAY_TESTS_THREADS_H
#define BELAY_TESTS_THREADS_H

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "../base/help.h"

static inline unsigned count_entries(const char *path) {
        DIR *directory = opendir(path);
        unsigned count = 0;

        CHECK(directory != NULL);
        while (readdir(directory) != NULL)
                count++;
        closedir(directory);
        return count - 2;
}

/* Of this process, those of the kernel's for it included. */
static inline unsigned count_threads(void) {
        return count_entries("/proc/self/task");
}

/* The one that counts is among them. */
static inline unsigned count_fds(void) {
        return count_entries("/proc/self/fd");
}

/* Who was joined is seen for a while longer, and so are those of the kernel. */
static inline void await_threads(unsigned count) {
        while (count_threads() > count)
                usleep(100);
        CHECK_EQ(count_threads(), count);
}

static inline void *do_nothing(void *arg) {
        return arg;
}

/* How many there are with those that a checker starts beside the program's first. Before there are any. */
static inline unsigned first_threads(void) {
        unsigned before = count_threads();
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, do_nothing, NULL), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        /* With a sanitizer one more may stay; without, the one that was joined is seen for a while. */
        for (int i = 0; (i < 1000 || !CHECKED) && count_threads() > before; i++)
                usleep(100);
        return count_threads();
}

#endif
