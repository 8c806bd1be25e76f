/* SPDX-License-Identifier: MIT */
/*
 * Records of tasks and futures: made, counted by their references, walked.
 *
 * A handle may outlive the loop, so the memory of the loop goes with the last record.
 */
#include <stdio.h>

#include "task/loop.h"
#include "task/locals.h"

enum { SLAB_FIRST = 32, SLAB_MOST = 4096 };

/* Small programs take little, and a million tasks do not take thousands of slabs. */
bool bly_add_slab(struct belay_loop *loop) {
        size_t count = loop->slabs != NULL ? 2 * loop->slabs->count : SLAB_FIRST;
        struct bly_slab *slab;
        void *memory;

        if (count > SLAB_MOST)
                count = SLAB_MOST;
        memory = bly_zalloc(sizeof(*slab) + count * sizeof(slab->tasks[0]) + BLY_CACHE_LINE);
        if (memory == NULL)
                return false;
        slab = (struct bly_slab *) (((uintptr_t) memory + BLY_CACHE_LINE - 1) & ~(uintptr_t) (BLY_CACHE_LINE - 1));
        slab->memory = memory;
        slab->count = count;
        slab->next = loop->slabs;
        loop->slabs = slab;
        for (size_t i = count; i-- > 0;) {
                slab->tasks[i].loop = loop;
                bly_list_init(&slab->tasks[i].observers);
                slab->tasks[i].node.next = loop->free_records != NULL ? &loop->free_records->node : NULL;
                loop->free_records = &slab->tasks[i];
        }
        return true;
}

static void free_loop_memory(struct belay_loop *loop) {
        while (loop->slabs != NULL) {
                struct bly_slab *slab = loop->slabs;

                loop->slabs = slab->next;
                bly_free(slab->memory);
        }
        bly_free(loop);
}

void bly_loop_unref(struct belay_loop *loop) {
        if (loop->closed && loop->records == 0)
                free_loop_memory(loop);
}

static void report_unseen(const belay_task *task) {
        const char *place = task->started_at != NULL ? task->started_at : "an unknown place";
        char label[32], text[512];

        if (task->node.flags & (BLY_TASK_CANCELLED | BLY_TASK_LOOKED_AT))
                return;
        if (task->failure != NULL)
                belay_failure_format(task->failure, text, sizeof(text));
        else
                snprintf(text, sizeof(text), "%s", strerror(-task->outcome));
        if (task == task->loop->main)
                bly_log_limited(BELAY_LOG_ERROR, place, "main (started at %s) failed: %s", place, text);
        else
                bly_log_limited(BELAY_LOG_ERROR, place, "%s %s (started at %s) failed, and nobody looked: %s",
                                bly_is_future(task) ? "future" : "task", bly_task_label(task, label), place, text);
}

/* What most tasks never had. */
static __attribute__((noinline)) void clean(belay_task *task) {
        /* The destructor may look at the task, or spawn: it comes before anything is taken apart. */
        if (task->destroy_value != NULL)
                task->destroy_value(task->value);
        belay_failure_release(task->failure);
        belay_failure_release(task->left);
        bly_text_release(task->message);
        bly_text_release(task->wake_reason);
        bly_text_release(task->origin.name);
        bly_text_release(task->origin.reason);
        bly_text_release(task->name);
        bly_locals_release(task->locals);
        task->destroy_value = NULL;
        task->value = NULL;
        task->failure = task->left = NULL;
        task->message = task->wake_reason = task->name = NULL;
        task->origin = (struct bly_origin) { 0 };
        task->locals = NULL;
}

static bool is_clean(const belay_task *task) {
        return ((uintptr_t) task->value | (uintptr_t) task->destroy_value | (uintptr_t) task->failure
                | (uintptr_t) task->left | (uintptr_t) task->message | (uintptr_t) task->wake_reason
                | (uintptr_t) task->origin.name | (uintptr_t) task->origin.reason | (uintptr_t) task->name
                | (uintptr_t) task->locals) == 0;
}

void bly_record_free(belay_task *task) {
        struct belay_loop *loop = task->loop;

        if (unlikely(task->outcome < 0) && bly_is_done(task))
                report_unseen(task);
        if (unlikely(bly_is_future(task)))
                bly_forget_callbacks(task);
        if (unlikely(!is_clean(task)))
                clean(task);
        task->node.state = BLY_FREE;
        task->node.next = loop->free_records != NULL ? &loop->free_records->node : NULL;
        loop->free_records = task;
        loop->records--;
        if (unlikely(loop->closed))
                bly_loop_unref(loop);
}

belay_task *bly_record_next(const struct belay_loop *loop, const belay_task *task) {
        const struct bly_slab *slab = loop->slabs;
        size_t i = 0;

        if (task != NULL) {
                while (task < slab->tasks || task >= slab->tasks + slab->count)
                        slab = slab->next;
                i = (size_t) (task - slab->tasks) + 1;
        }
        for (; slab != NULL; slab = slab->next, i = 0)
                for (; i < slab->count; i++)
                        if (slab->tasks[i].node.state != BLY_FREE)
                                return (belay_task *) &slab->tasks[i];
        return NULL;
}

const char *bly_task_label(const belay_task *task, char buffer[32]) {
        if (task->name != NULL)
                return task->name->chars;
        snprintf(buffer, 32, "#%llu", (unsigned long long) task->id);
        return buffer;
}

void bly_options(void *options, size_t size, const void *given) {
        memset(options, 0, size);
        if (given != NULL) {
                size_t known = *(const size_t *) given;

                memcpy(options, given, known < size ? known : size);
        }
}
