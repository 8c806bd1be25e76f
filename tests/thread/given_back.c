/* SPDX-License-Identifier: MIT */
/*
 * What the pools take from the system and give back: memory, threads, and the objects of the thread
 * library. Also the names and the stacks of their threads.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <sys/prctl.h>

#include "jobs.h"

/* ---- functions that take precedence over those of the C library ---- */

enum { MUTEX, CONDITION, ATTRIBUTES, THREAD, KINDS };

static atomic_int held[KINDS];

#if !CHECKED

/* clang-format off */
#define REPLACE(name, kind, change, parameters, ...)                              \
        int name parameters {                                                     \
                int (*found) parameters;                                          \
                                                                                  \
                *(void **) &found = dlsym(RTLD_NEXT, #name);                      \
                atomic_fetch_add(&held[kind], change);                            \
                return found(__VA_ARGS__);                                        \
        }

REPLACE(pthread_mutex_init, MUTEX, 1,
        (pthread_mutex_t *mutex, const pthread_mutexattr_t *with), mutex, with)
REPLACE(pthread_mutex_destroy, MUTEX, -1, (pthread_mutex_t *mutex), mutex)
REPLACE(pthread_cond_init, CONDITION, 1,
        (pthread_cond_t *condition, const pthread_condattr_t *with), condition, with)
REPLACE(pthread_cond_destroy, CONDITION, -1, (pthread_cond_t *condition), condition)
REPLACE(pthread_attr_init, ATTRIBUTES, 1, (pthread_attr_t *attributes), attributes)
REPLACE(pthread_attr_destroy, ATTRIBUTES, -1, (pthread_attr_t *attributes), attributes)
REPLACE(pthread_create, THREAD, 1,
        (pthread_t *thread, const pthread_attr_t *with, void *(*run)(void *), void *arg),
        thread, with, run, arg)
REPLACE(pthread_join, THREAD, -1, (pthread_t thread, void **result), thread, result)
REPLACE(pthread_detach, THREAD, -1, (pthread_t thread), thread)
/* clang-format on */

#endif

/* ---- jobs ---- */

enum kind { FILES, NAMES, ENDLESS };

struct look {
        struct bly_job job;
        char name[20];
        size_t stack_size;
};

static void look(struct bly_job *job) {
        struct look *look = (struct look *) job;
        pthread_attr_t attributes;
        void *stack;

        CHECK_EQ(prctl(PR_GET_NAME, look->name), 0);
        CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
        CHECK_EQ(pthread_attr_getstack(&attributes, &stack, &look->stack_size), 0);
        pthread_attr_destroy(&attributes);
        atomic_fetch_add(&held[ATTRIBUTES], !CHECKED); /* pthread_getattr_np() did not count */
}

static void keep(struct bly_job *job) {
        (void) job;
}

static struct bly_job job_of(enum kind kind, void (*run)(struct bly_job *job)) {
        return (struct bly_job) { .run = run,
                                  .what = "look",
                                  .fd = -1,
                                  .dispose = kind == FILES ? NULL : keep,
                                  .endless = kind == ENDLESS };
}

static int looks(void *arg) {
        static const char *const names[] = { "belay-files", "belay-names", "belay-endless" };

        (void) arg;
        for (int kind = FILES; kind <= ENDLESS; kind++)
                for (int i = 0; i < 3; i++) {
                        struct look it = { .job = job_of((enum kind) kind, look) };

                        CHECK_EQ(bly_pool_do(belay_loop_self(), &it.job, "here:1"), 0);
                        CHECK_STR(it.name, names[kind]);
                        CHECK(is_checked() || kind == NAMES
                              || (it.stack_size >= 256 * 1024 && it.stack_size < 1024 * 1024));
                }
        return 0;
}

/* A thread of each kind that is idle, busy, left alone, or ends early. */
static int uses_all(void *arg) {
        struct gate gates[5];
        belay_task *tasks[5];

        CHECK_EQ(looks(NULL), 0);
        for (int i = 0; i < 5; i++) {
                gate_init(&gates[i]);
                gates[i].job.dispose = arg != NULL ? keep : NULL;
                gates[i].job.endless = arg != NULL;
                tasks[i] = must(belay_spawn(goes_through, &gates[i]));
                CHECK_EQ(belay_yield(), 0);
                if (i < 4)
                        gate_await(&gates[i]);
        }
        if (arg != NULL) {
                gate_await(&gates[4]);
                CHECK_EQ(belay_cancel_wait(tasks[0], NULL, BELAY_NEVER, NULL), 0);
        }
        for (int i = 0; i < 5; i++)
                gate_open(&gates[i]);
        for (int i = 0; i < 5; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                belay_release(tasks[i]);
        }
        /* The job that goes on alone uses its gate until then. */
        while (arg != NULL && sem_trywait(&gates[0].go) == 0)
                sem_post(&gates[0].go);
        return 0;
}

static size_t memory_in_use(void) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
        return mallinfo2().uordblks;
#else
        return 0;
#endif
}

static void round_of_all(unsigned threads) {
        CHECK_EQ(belay_run(uses_all, NULL), 0);
        CHECK_EQ(belay_run(uses_all, ""), 0);
        await_threads(threads);
}

int main(void) {
        enum { ROUNDS = 50 };
        unsigned threads = first_threads();
        int before[KINDS];
        size_t memory;

        for (int i = 0; i < 3; i++)
                round_of_all(threads);
        for (int i = 0; i < KINDS; i++)
                before[i] = atomic_load(&held[i]);
        memory = memory_in_use();
        for (int i = 0; i < ROUNDS; i++)
                round_of_all(threads);
        for (int i = 0; i < KINDS; i++)
                CHECK_EQ(atomic_load(&held[i]), before[i]);
        CHECK(is_checked() || memory_in_use() < memory + 80 * (size_t) ROUNDS);
        return 0;
}
