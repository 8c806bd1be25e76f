/* SPDX-License-Identifier: MIT */
/* A producer and a slower consumer share a queue that holds two items. */
#include <belay.h>
#include <stdio.h>

enum { ITEMS = 5 };

struct pipeline {
        belay_queue *queue;
        int items[ITEMS];
        int consumed;
};

static void say(const char *name, const char *text, int item) {
        printf("%d s  %-8s  %s %d\n", (int) (belay_now() / BELAY_SECOND), name, text, item);
}

static int produce(void *arg) {
        struct pipeline *pipeline = arg;
        int rc = 0;

        for (int i = 0; i < ITEMS && rc == 0; i++) {
                pipeline->items[i] = i;
                /* Waits if the queue is full. */
                rc = belay_queue_put(pipeline->queue, &pipeline->items[i]);
                if (rc == 0)
                        say("producer", "put", i);
        }
        /* The consumer still gets the items in the queue, and -ESHUTDOWN after the last. */
        belay_queue_shutdown(pipeline->queue, false);
        return rc;
}

static int consume(void *arg) {
        struct pipeline *pipeline = arg;
        void *item;
        int rc;

        while ((rc = belay_queue_get(pipeline->queue, &item)) == 0) {
                say("consumer", "got", *(int *) item);
                rc = belay_sleep(2 * BELAY_SECOND);
                if (rc < 0)
                        return rc;
                pipeline->consumed++;
        }
        return rc == -ESHUTDOWN ? 0 : rc;
}

static int run_both(struct pipeline *pipeline) {
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc == 0)
                rc = belay_group_spawn(&group, consume, pipeline);
        if (rc == 0)
                rc = belay_group_spawn(&group, produce, pipeline);
        return belay_group_leave(&group, rc);
}

static int app(void *arg) {
        struct pipeline pipeline = { .queue = belay_queue_new(2) };
        int rc;

        (void) arg;
        if (pipeline.queue == NULL)
                return -errno;
        rc = run_both(&pipeline);
        belay_queue_free(pipeline.queue);
        printf("%d s  %d of %d items consumed\n", (int) (belay_now() / BELAY_SECOND),
               pipeline.consumed, ITEMS);
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
