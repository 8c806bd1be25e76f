/* SPDX-License-Identifier: MIT */
/*
 * The observation of several tasks at once.
 */
#include "many/watch.h"

static void one_ended(struct bly_observer *observer, belay_task *task) {
        struct bly_watched *watched = container_of(observer, struct bly_watched, observer);

        (void) task;
        watched->watch->ended(watched->watch, watched);
}

/*
 * Keeps each task once, at its first index. Marks in the records make this linear, without further
 * memory.
 */
static size_t drop_duplicates(struct bly_watched *watched, size_t count) {
        size_t kept = 0;

        for (size_t i = 0; i < count; i++)
                if (!watched[i].task->duplicate) {
                        watched[i].task->duplicate = true;
                        watched[kept++] = watched[i];
                }
        for (size_t i = 0; i < kept; i++)
                watched[i].task->duplicate = false;
        return kept;
}

int bly_watch_begin(struct bly_watch *watch, belay_task *const tasks[], size_t count,
                    void (*ended)(struct bly_watch *watch, struct bly_watched *watched)) {
        for (size_t i = 0; i < count; i++)
                if (unlikely(tasks[i] == NULL))
                        return -ENOMEM;
        watch->ended = ended;
        watch->watched = count <= BLY_WATCH_FEW ? watch->few
                                                : bly_alloc(count * sizeof(*watch->watched));
        if (watch->watched == NULL)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                watch->watched[i] = (struct bly_watched) { .watch = watch,
                                                           .task = tasks[i],
                                                           .index = i };
        watch->count = count > 1 ? drop_duplicates(watch->watched, count) : count;
        for (size_t i = 0; i < watch->count; i++) {
                struct bly_watched *watched = &watch->watched[i];

                watched->observer.ended = one_ended;
                bly_record_ref(watched->task);
                if (!bly_is_done(watched->task))
                        bly_observe(watched->task, &watched->observer);
        }
        return 0;
}

void bly_watch_end(struct bly_watch *watch) {
        for (size_t i = 0; i < watch->count; i++) {
                bly_unobserve(&watch->watched[i].observer);
                bly_record_unref(watch->watched[i].task);
        }
        if (watch->watched != watch->few)
                bly_free(watch->watched);
}

belay_task *bly_watch_pending(const struct bly_watch *watch, size_t *cursor) {
        while (*cursor < watch->count) {
                belay_task *task = watch->watched[(*cursor)++].task;

                if (!bly_is_done(task))
                        return task;
        }
        return NULL;
}
