/* SPDX-License-Identifier: MIT */
/*
 * A user's program that runs under memory checkers. The checkers must report nothing for "clean".
 * Each other word plants a mistake that they must find, or a use that they must accept.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked_lib.h"

static volatile int sum;
static int shared;
static volatile int at = 16;
static volatile int bottom = 5;
static int *volatile kept;

static __attribute__((noinline)) void deep(int n, int end_at) {
        volatile char frame[600];
        char text[32];

        snprintf(text, sizeof(text), "depth %d", n);
        memset((void *) frame, n, sizeof(frame));
        if (n % 7 == 3)
                mini_yield();
        shared++;
        if (n == end_at)
                mini_end();
        if (n < 50)
                deep(n + 1, end_at);
        sum += frame[n] + text[6];
}

static void returns(void *arg) {
        (void) arg;
        mini_touch(1);
        deep(0, -1);
        mini_touch(2);
}

/* Leaves the marks of 40 frames on its stack, which the next owner finds. */
static void ends_deep(void *arg) {
        (void) arg;
        deep(0, 40);
}

static __attribute__((noinline)) void jump(jmp_buf to, int n) {
        volatile char frame[300];

        memset((void *) frame, n, sizeof(frame));
        if (n >= bottom) {
                if (bottom < 10)
                        mini_yield();
                longjmp(to, 1);
        }
        if (n < 1000)
                jump(to, n + 1);
        sum += frame[3];
}

static void jumps(void *arg) {
        volatile int round = 0;
        jmp_buf here;

        (void) arg;
        while (round < 3) {
                if (!setjmp(here))
                        jump(here, 0);
                round++;
        }
        deep(0, -1);
}

/* Runs on the thread's own stack. The checker must know its bounds again. */
static void jumps_outside(void) {
        jmp_buf here;

        bottom = 20;
        if (!setjmp(here))
                jump(here, 0);
        mini_touch(3);
        bottom = 5;
}

static long address_space(void) {
        FILE *f = fopen("/proc/self/statm", "r");
        long pages = 0;

        if (!f || fscanf(f, "%ld", &pages) != 1)
                abort();
        fclose(f);
        return pages / 256;
}

static void holds(void *arg) {
        int *volatile only = malloc(100);

        (void) arg;
        for (;;) {
                only[0]++;
                mini_yield();
        }
}

static void short_lived(void *arg) {
        (void) arg;
        sum++;
}

static void clean(void) {
        for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 20; i++) {
                        mini_spawn(returns, NULL);
                        mini_spawn(ends_deep, NULL);
                        mini_spawn(jumps, NULL);
                }
                mini_run(0);
        }
}

static void *clean_thread(void *arg) {
        (void) arg;
        mini_begin();
        for (int i = 0; i < 10; i++)
                mini_spawn(jumps, NULL);
        mini_run(0);
        mini_finish();
        return NULL;
}

static void overruns(void *arg) {
        volatile char buf[16];

        (void) arg;
        mini_yield();
        buf[at] = 1;
        sum += buf[0];
}

static void leaks(void *arg) {
        (void) arg;
        kept = malloc(333);
        kept = NULL;
        mini_yield();
}

static void uses_undefined(void *arg) {
        volatile int *p = malloc(sizeof(*p));
        /* Valgrind does not follow a stack with less than 512 bytes to its end. */
        volatile char room[600];

        (void) arg;
        mini_yield();
        if (*p == 17)
                sum++;
        room[at] = 1;
        sum += room[at];
        free((void *) p);
}

static int raced;

static void *other(void *arg) {
        (void) arg;
        for (int i = 0; i < 100000; i++)
                raced++;
        return NULL;
}

static void races(void *arg) {
        (void) arg;
        for (int i = 0; i < 100000; i++) {
                raced++;
                if (i % 1000 == 0)
                        mini_yield();
        }
}

int main(int argc, char **argv) {
        const char *what = argc > 1 ? argv[1] : "clean";
        pthread_t t;

        mini_begin();
        if (!strcmp(what, "tools"))
                printf("%d\n", mini_tools());
        else if (!strcmp(what, "clean")) {
                clean();
                jumps_outside();
                clean();
        } else if (!strcmp(what, "again")) {
                long before;

                /* The checker keeps data for a context and must free it with the context. */
                clean();
                before = address_space();
                for (int i = 0; i < 3; i++)
                        clean();
                if (address_space() - before > 200)
                        printf("%ld MiB more than before\n", address_space() - before);
        } else if (!strcmp(what, "many")) {
                for (int i = 0; i < 8200; i++) {
                        mini_spawn(short_lived, NULL);
                        mini_run(0);
                }
        } else if (!strcmp(what, "threads")) {
                /* The other thread alone uses `shared` and `sum` meanwhile. */
                pthread_create(&t, NULL, clean_thread, NULL);
                pthread_join(t, NULL);
                clean();
        } else if (!strcmp(what, "holds")) {
                /* A task that is suspended at the end of the program is no leak. */
                mini_spawn(holds, NULL);
                mini_run(3);
                return 0;
        } else if (!strcmp(what, "overruns")) {
                mini_spawn(overruns, NULL);
                mini_spawn(returns, NULL);
                mini_run(0);
        } else if (!strcmp(what, "leaks")) {
                mini_spawn(leaks, NULL);
                mini_run(0);
                clean();
        } else if (!strcmp(what, "undefined")) {
                mini_spawn(uses_undefined, NULL);
                mini_run(0);
        } else if (!strcmp(what, "races")) {
                pthread_create(&t, NULL, other, NULL);
                mini_spawn(races, NULL);
                mini_run(0);
                pthread_join(t, NULL);
        }
        mini_finish();
        return 0;
}
