/* SPDX-License-Identifier: MIT */
/*
 * Tests queues with each wait cancelled. If an item was put, it must be received once or be
 * destroyed once.
 */
#include "everywhere/everywhere.h"

enum { ITEMS = 12, MAKERS = 2, USERS = 3 };

static struct item { int put, got, destroyed; } items[ITEMS];

static belay_queue *queue;

static void destroy_item(void *item) {
        ((struct item *) item)->destroyed++;
}

static int compare_items(const void *a, const void *b) {
        return a < b ? 1 : a > b ? -1 : 0;
}

static void reset(void *arg) {
        (void) arg;
        memset(items, 0, sizeof(items));
}

static int make(void *arg) {
        struct item *item = arg;

        for (int i = 0; i < ITEMS / MAKERS; i++, item++) {
                int rc = belay_queue_put(queue, item);

                if (rc < 0)
                        return rc == -ESHUTDOWN ? 0 : rc;
                item->put++;
                if (i % 3 == 2 && (rc = belay_sleep(BELAY_SECOND)) < 0)
                        return rc;
        }
        return 0;
}

static int use(void *arg) {
        void *item;
        int rc;

        while ((rc = belay_queue_get(queue, &item)) == 0) {
                ((struct item *) item)->got++;
                rc = arg != NULL ? belay_yield() : 0;
                CHECK_EQ(belay_queue_task_done(queue), 0);
                if (rc < 0)
                        return rc;
        }
        return rc == -ESHUTDOWN ? 0 : rc;
}

/* If a worker is cancelled, the remaining workers process its share as long as one is left. */
static int work(belay_group *group) {
        belay_task *makers[MAKERS] = { NULL };
        int rc = 0;

        for (int i = 0; i < MAKERS; i++)
                CHECK_EQ(belay_group_spawn_with(group, make, &items[i * (ITEMS / MAKERS)], NULL,
                                                &makers[i]),
                         0);
        for (int i = 0; i < USERS; i++)
                CHECK_EQ(belay_group_spawn(group, use, i == 1 ? &items : NULL), 0);
        for (int i = 0; rc == 0 && i < MAKERS; i++)
                rc = belay_join(makers[i], NULL);
        if (rc == 0)
                rc = belay_queue_join(queue);
        /* The shutdown leaves the remaining items in the queue for tasks that still get. */
        belay_queue_shutdown(queue, false);
        for (int i = 0; i < MAKERS; i++)
                belay_release(makers[i]);
        return rc;
}

static int main_of(void *arg) {
        belay_queue_options *options = arg;
        belay_group group;
        int rc;

        queue = belay_queue_new_with(options);
        CHECK(queue != NULL);
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        rc = belay_group_leave(&group, work(&group));
        CHECK_EQ(belay_queue_free(queue), 0);
        return rc;
}

static int check(void *arg, int outcome) {
        (void) arg;
        for (int i = 0; i < ITEMS; i++) {
                if (items[i].put != items[i].got + items[i].destroyed)
                        return 100 + i;
                if (items[i].put > 1)
                        return 200 + i;
        }
        return outcome == 0 || is_cancelled(outcome) ? 0 : 1;
}

/* ---- shut down at once, while tasks put ---- */

static int cut_short(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        queue = belay_queue_new_with(
                BELAY_OPTIONS(belay_queue_options, .capacity = 2, .destroy = destroy_item));
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        for (int i = 0; i < MAKERS; i++)
                CHECK_EQ(belay_group_spawn(&group, make, &items[i * (ITEMS / MAKERS)]), 0);
        rc = belay_sleep(BELAY_SECOND);
        belay_queue_shutdown(queue, true);
        CHECK_EQ(belay_queue_count(queue), 0);
        rc = belay_group_leave(&group, rc);
        CHECK_EQ(belay_queue_free(queue), 0);
        return rc;
}

int main(void) {
        belay_queue_options options[] = {
                { .size = sizeof(belay_queue_options), .destroy = destroy_item },
                { .size = sizeof(belay_queue_options), .destroy = destroy_item, .capacity = 1 },
                { .size = sizeof(belay_queue_options),
                  .destroy = destroy_item,
                  .capacity = 3,
                  .order = BELAY_QUEUE_LIFO },
                { .size = sizeof(belay_queue_options),
                  .destroy = destroy_item,
                  .capacity = 2,
                  .order = BELAY_QUEUE_PRIORITY,
                  .compare = compare_items },
        };

        for (size_t i = 0; i < 4; i++)
                EVERYWHERE(main_of, &options[i], reset, check, 5);
        EVERYWHERE(cut_short, NULL, reset, check, 4);
        return 0;
}
