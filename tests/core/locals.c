/* SPDX-License-Identifier: MIT */
/*
 * Task-local values: inherited at the start, changed for oneself, destroyed when nobody can reach them.
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
        /* After the start: not for the child. */
        CHECK_EQ(belay_local_set(&plain, "changed"), 0);
        CHECK_EQ(belay_local_set(&third, "late"), 0);
        CHECK_EQ(belay_await(first, NULL), 0);
        CHECK_STR(belay_local_get(&plain), "changed");
        CHECK_STR(belay_local_get(&third), "late");
        CHECK_EQ(belay_local_set(&third, NULL), 0);
        second = must(belay_spawn_with(child, "changed", BELAY_OPTIONS(belay_spawn_options, .eager = true)));
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
        /* Replaced when nobody else has it: at once. */
        CHECK_EQ(belay_local_set(&owned, &destroyed[0]), 0);
        CHECK_EQ(belay_local_set(&owned, &destroyed[1]), 0);
        CHECK_EQ(destroyed[0], 1);
        CHECK_EQ(destroyed[1], 0);

        /* With its task, or with the last that inherited it. */
        task = must(belay_spawn(sets_and_leaves, &destroyed[1]));
        CHECK_EQ(belay_yield(), 0);
        belay_release(task);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK_EQ(destroyed[1], 1);      /* the child's own setting of the same thing; ours is still there */

        task = must(belay_spawn(sets_after_child, &destroyed[2]));
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_release(task);
        CHECK_EQ(destroyed[2], 0);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK_EQ(destroyed[2], 1);

        /* A task that has ended cannot reach it, whoever has a handle. */
        task = must(belay_spawn(sets_and_leaves, &destroyed[1]));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK_EQ(destroyed[1], 2);
        belay_release(task);
        CHECK_EQ(destroyed[1], 2);
        return 0;
}

/* Setting again and again does not grow. */
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

/* A new loop begins without any. */
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
