/* SPDX-License-Identifier: MIT */
/*
 * Task-local values are inherited when a task is spawned, changed for the calling task only, and
 * destroyed when no task can reach them.
 */
#include "../base/help.h"

static int destroyed[16];

static void destroy(void *value) {
        ++*(int *) value;
}

static belay_local owned = BELAY_LOCAL_INIT(destroy);
static belay_local plain = BELAY_LOCAL_INIT(NULL);
static belay_local third = BELAY_LOCAL_INIT(NULL);

static int child(void *arg) {
        CHECK_STR(belay_local_get(&plain), arg);
        CHECK_EQ(belay_local_set(&plain, "child's"), 0);
        CHECK_STR(belay_local_get(&plain), "child's");
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(belay_local_get(&plain), "child's");
        CHECK(belay_local_get(&third) == NULL);
        return 0;
}

static int inheritance(void *arg) {
        belay_task *first, *second, *none;

        (void) arg;
        CHECK(belay_local_get(&plain) == NULL);
        none = must(belay_spawn(child, NULL));
        CHECK_EQ(belay_local_set(&plain, "parent's"), 0);
        first = must(belay_spawn(child, "parent's"));
        /* The child has been spawned, so these changes must not reach it. */
        CHECK_EQ(belay_local_set(&plain, "changed"), 0);
        CHECK_EQ(belay_local_set(&third, "late"), 0);
        CHECK_EQ(belay_await(first, NULL), 0);
        CHECK_STR(belay_local_get(&plain), "changed");
        CHECK_STR(belay_local_get(&third), "late");
        CHECK_EQ(belay_local_set(&third, NULL), 0);
        second = must(belay_spawn_with(child, "changed",
                                       BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK_EQ(belay_await(second, NULL), 0);
        CHECK_STR(belay_local_get(&plain), "changed");
        CHECK(belay_local_get(&third) == NULL);
        belay_release(none);
        belay_release(first);
        belay_release(second);
        return 0;
}

static int only_reads(void *arg) {
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK(belay_local_get(&owned) == arg);
        return 0;
}

static int sets_and_leaves(void *arg) {
        belay_release(must(belay_spawn(only_reads, arg)));
        return belay_local_set(&owned, arg);
}

static int sets_after_child(void *arg) {
        CHECK_EQ(belay_local_set(&owned, arg), 0);
        belay_release(must(belay_spawn(only_reads, arg)));
        return 0;
}

static int destruction(void *arg) {
        belay_task *task;

        (void) arg;
        /* A replaced value that no other task has is destroyed at once. */
        CHECK_EQ(belay_local_set(&owned, &destroyed[0]), 0);
        CHECK_EQ(belay_local_set(&owned, &destroyed[1]), 0);
        CHECK_EQ(destroyed[0], 1);
        CHECK_EQ(destroyed[1], 0);

        /*
         * Otherwise it is destroyed at the end of its task, or of the last task that inherited it.
         */
        task = must(belay_spawn(sets_and_leaves, &destroyed[1]));
        CHECK_EQ(belay_yield(), 0);
        belay_release(task);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        /* the child's setting of the same value; the setting of this task is still in force */
        CHECK_EQ(destroyed[1], 1);

        task = must(belay_spawn(sets_after_child, &destroyed[2]));
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_release(task);
        CHECK_EQ(destroyed[2], 0);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK_EQ(destroyed[2], 1);

        /* A task that has ended cannot reach its value, even if a handle remains. */
        task = must(belay_spawn(sets_and_leaves, &destroyed[1]));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK_EQ(destroyed[1], 2);
        belay_release(task);
        CHECK_EQ(destroyed[1], 2);
        return 0;
}

/* Repeated setting must not allocate more and more memory. */
static size_t allocated;

static void *counts(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                if (block != NULL)
                        allocated--;
                free(block);
                return NULL;
        }
        if (block == NULL)
                allocated++;
        return realloc(block, size);
}

static int sets_often(void *arg) {
        size_t before;

        (void) arg;
        CHECK_EQ(belay_local_set(&plain, "a"), 0);
        before = allocated;
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(belay_local_set(&plain, "b"), 0);
        CHECK(allocated <= before + 1);
        return 0;
}

static void from_a_callback(void *arg) {
        CHECK(belay_local_get(&plain) == NULL);
        CHECK_EQ(belay_local_set(&plain, arg), -EPERM);
}

static int outside(void *arg) {
        (void) arg;
        keep_lines();
        CHECK_EQ(belay_local_set(&plain, "mine"), 0);
        CHECK(belay_soon(from_a_callback, "x") != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, "a task-local value is set outside of a task");
        belay_set_log(NULL, NULL);
        return 0;
}

/* The main task of a new loop has no values. */
static int fresh(void *arg) {
        (void) arg;
        CHECK(belay_local_get(&plain) == NULL && belay_local_get(&owned) == NULL);
        return 0;
}

int main(void) {
        belay_set_memory(counts, NULL);
        RUN_VIRTUAL(inheritance);
        RUN_VIRTUAL(destruction);
        CHECK_EQ(destroyed[1], 3);
        CHECK_EQ(destroyed[0], 1);
        RUN_VIRTUAL(sets_often);
        RUN_VIRTUAL(outside);
        RUN_VIRTUAL(fresh);
        CHECK_EQ(allocated, 0);

        CHECK(belay_local_get(&plain) == NULL);
        keep_lines();
        CHECK_EQ(belay_local_set(&plain, "x"), -EPERM);
        return 0;
}
