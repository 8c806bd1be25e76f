/* SPDX-License-Identifier: MIT */
/*
 * The number of threads and descriptors.
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

/* Counts the threads of this process, including those that the kernel runs for it. */
static inline unsigned count_threads(void) {
        return count_entries("/proc/self/task");
}

/* The count includes the descriptor that it uses itself. */
static inline unsigned count_fds(void) {
        return count_entries("/proc/self/fd");
}

/* Threads that were joined, and those of the kernel, stay visible for a while. */
static inline void await_threads(unsigned count) {
        while (count_threads() > count)
                usleep(100);
        CHECK_EQ(count_threads(), count);
}

static inline void *do_nothing(void *arg) {
        return arg;
}

/*
 * Returns the number of threads, including those that a checker starts with the program's first
 * thread. Called before the program has any.
 */
static inline unsigned first_threads(void) {
        unsigned before = count_threads();
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, do_nothing, NULL), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        /*
         * With a sanitizer, one more thread may stay. Without one, the joined thread is visible for
         * a while.
         */
        for (int i = 0; (i < 1000 || !CHECKED) && count_threads() > before; i++)
                usleep(100);
        return count_threads();
}

#endif
