/* SPDX-License-Identifier: MIT */
/*
 * Count and bound the memory that the library takes.
 */
#include <belay.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

struct budget {
        size_t used, most; /* bytes, without stacks, which are mapped */
};

/* As realloc(). Each block has its size in front of it, in a place that keeps the alignment. */
static void *budget_memory(void *context, void *block, size_t size) {
        enum { FRONT = 2 * sizeof(max_align_t) };
        struct budget *budget = context;
        char *base = block ? (char *) block - FRONT : NULL;
        size_t old = base ? *(size_t *) base : 0;

        if (size == 0) {
                budget->used -= old;
                free(base);
                return NULL;
        }
        /* The library returns -ENOMEM then, and stays as it was. */
        if (size > old && size - old > budget->most - budget->used)
                return NULL;
        base = realloc(base, FRONT + size);
        if (base == NULL)
                return NULL;
        *(size_t *) base = size;
        budget->used += size - old;
        return base + FRONT;
}

/* ---- the check ---- */

static struct budget budget = { .most = 4 << 20 };

static int sleep_long(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int app(void *arg) {
        size_t before = budget.used, tasks = 0;
        belay_queue *queue = belay_queue_new(0);

        (void) arg;
        check(queue != NULL && budget.used > before);
        while (belay_queue_try_put(queue, &tasks) == 0)
                tasks++;
        check(budget.used <= budget.most && tasks > 1000);
        /* Refused, and everything goes on. */
        check(belay_queue_try_put(queue, &tasks) == -ENOMEM && belay_queue_count(queue) == tasks);
        check(belay_queue_free(queue) == 0);
        check(belay_wait_for(sleep_long, NULL, BELAY_SECOND) == -ETIMEDOUT);
        (void) belay_trim();
        return 0;
}

int main(void) {
        /* Before any other call. */
        belay_set_memory(budget_memory, &budget);
        check(run_virtual(app) == 0);
        check(budget.used == 0);
        return 0;
}
