/* SPDX-License-Identifier: MIT */
/*
 * For tests that must pass with each back end that the system offers.
 */
#ifndef BELAY_TESTS_BACK_ENDS_H
#define BELAY_TESTS_BACK_ENDS_H

#include "base/help.h"

static inline void drop_line(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        (void) line;
}

/*
 * Makes all loops from here on use the back end `name`. Returns false if the system does not allow
 * it.
 */
static inline bool use_back_end(const char *name) {
        belay_loop *loop;
        bool is_it;

        CHECK_EQ(setenv("BELAY_BACKEND", name, 1), 0);
        belay_set_log(drop_line, NULL);
        loop = belay_loop_new(NULL);
        CHECK(loop != NULL);
        is_it = strcmp(belay_loop_backend(loop), name) == 0;
        CHECK_EQ(belay_loop_close(loop), 0);
        belay_set_log(NULL, NULL);
        return is_it;
}

static inline void on_back_ends(void (*fn)(void)) {
        static const char *const names[] = { "epoll", "io_uring" };

        for (int i = 0; i < 2; i++)
                if (use_back_end(names[i]))
                        fn();
        unsetenv("BELAY_BACKEND");
}

#endif
