/* SPDX-License-Identifier: MIT */
/*
 * Values are set again and again. A shadowed value that no other task can see is destroyed, and a
 * value that a child sees stays.
 */
#include "../base/help.h"

static unsigned live;

static void *make(int number) {
        int *value = malloc(sizeof(*value));

        CHECK(value != NULL);
        *value = number;
        live++;
        return value;
}

static void destroy(void *value) {
        live--;
        free(value);
}

static const belay_local a = BELAY_LOCAL_INIT(destroy), b = BELAY_LOCAL_INIT(destroy),
                         c = BELAY_LOCAL_INIT(destroy);

static int sees(void *arg) {
        CHECK_EQ(*(int *) belay_local_get(&a), *(int *) arg);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(*(int *) belay_local_get(&a), *(int *) arg);
        CHECK_EQ(belay_local_set(&b, make(77)), 0);
        CHECK_EQ(*(int *) belay_local_get(&b), 77);
        return 0;
}

static int in_task(void *arg) {
        static int seen[3];
        belay_task *children[3];

        (void) arg;
        for (int i = 0; i < 1000; i++) {
                CHECK_EQ(belay_local_set(&a, make(i)), 0);
                CHECK_EQ(belay_local_set(&b, make(-i)), 0);
                CHECK_EQ(belay_local_set(&c, make(2 * i)), 0);
                CHECK_EQ(live, 3);
        }
        for (int i = 0; i < 3; i++) {
                seen[i] = *(int *) belay_local_get(&a);
                children[i] = must(belay_spawn(sees, &seen[i]));
                CHECK_EQ(belay_yield(), 0);
                for (int k = 0; k < 100; k++) {
                        CHECK_EQ(belay_local_set(&a, make(5000 + k)), 0);
                        CHECK_EQ(belay_local_set(&b, make(6000 + k)), 0);
                }
                CHECK_EQ(*(int *) belay_local_get(&a), 5099);
                CHECK_EQ(*(int *) belay_local_get(&b), 6099);
                CHECK_EQ(*(int *) belay_local_get(&c), 1998);
        }
        CHECK(live <= 3 + 3 * 2);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(children[i], NULL), 0);
                belay_release(children[i]);
        }
        CHECK_EQ(belay_local_set(&a, make(1)), 0);
        CHECK_EQ(belay_local_set(&b, make(2)), 0);
        CHECK_EQ(live, 3);
        CHECK_EQ(*(int *) belay_local_get(&c), 1998);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(in_task);
        CHECK_EQ(live, 0);
        return 0;
}
