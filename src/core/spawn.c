/* SPDX-License-Identifier: MIT */
/*
 * Spawning a task, which allocates its record and reserves a stack. A stack of the default size is
 * taken at the task's first step. If a task ends before the next one begins, the next one gets its
 * stack while that is still in the cache.
 */
#include "stack/fast.h"
#include "core/locals.h"
#include "core/wait.h"

static inline __attribute__((always_inline)) belay_task *
spawn(struct belay_loop *loop, belay_fn *fn, void *arg, const belay_spawn_options *options,
      struct bly_owner *owner, const char *place) {
        belay_spawn_options known;
        belay_task *task, *parent = loop->current;
        size_t size;
        int rc;

        if (unlikely(options != NULL)) {
                bly_options(&known, sizeof(known), options);
                options = &known;
        }
        task = bly_record_new(loop);
        if (unlikely(task == NULL)) {
                errno = ENOMEM;
                return NULL;
        }
        size = options != NULL && options->stack_size != 0 ? options->stack_size : loop->stack_size;
        rc = likely(size == 0) ? bly_stack_reserve_fast(loop->stacks)
                               : bly_stack_get(loop->stacks, size, &task->stack);
        if (unlikely(rc < 0)) {
                bly_log_limited(BELAY_LOG_WARNING, place, "no stack for a task started at %s: %s",
                                bly_place_text(place), bly_stack_error());
                bly_record_unref(task);
                errno = -rc;
                return NULL;
        }
        task->started_at = place;
        task->place = place;
        task->refs = 2; /* references of the loop and of the caller */
        task->entry = (struct bly_entry) { fn, arg, options != NULL ? options->destroy : NULL };
        task->node.kind = BLY_NODE_NEW;
        if (parent != NULL && unlikely(parent->locals != NULL))
                task->locals = bly_locals_ref(parent->locals);
        loop->count++;
        if (unlikely(options != NULL)) {
                if (options->name != NULL)
                        task->name = bly_text_new(options->name);
                if (options->last)
                        task->node.flags |= BLY_TASK_LAST;
                if (options->eager) {
                        task->node.state = BLY_READY;
                        bly_run_eagerly(loop, task);
                        return task;
                }
        }
        task->owner = owner;
        if (owner != NULL)
                bly_list_append(&owner->members, &task->owned);
        task->node.state = BLY_NEW;
        bly_ready_push(loop, &task->node);
        return task;
}

belay_task *bly_spawn(struct belay_loop *loop, belay_fn *fn, void *arg,
                      const belay_spawn_options *options, struct bly_owner *owner,
                      const char *place) {
        return spawn(loop, fn, arg, options, owner, place);
}

static inline struct belay_loop *spawning_loop(const char *place) {
        struct belay_loop *loop = bly_loop;

        if (unlikely(loop == NULL)) {
                bly_misuse(-EPERM, place, "a task is started where no loop runs");
                errno = EPERM;
        }
        return loop;
}

belay_task *belay_spawn_placed(const char *place, belay_fn *fn, void *arg) {
        struct belay_loop *loop = spawning_loop(place);

        return likely(loop != NULL) ? spawn(loop, fn, arg, NULL, NULL, place) : NULL;
}

belay_task *belay_spawn_with_placed(const char *place, belay_fn *fn, void *arg,
                                    const belay_spawn_options *options) {
        struct belay_loop *loop = spawning_loop(place);

        return loop != NULL ? bly_spawn(loop, fn, arg, options, NULL, place) : NULL;
}

int belay_spawn_detached_placed(const char *place, belay_fn *fn, void *arg,
                                const belay_spawn_options *options) {
        belay_task *task = belay_spawn_with_placed(place, fn, arg, options);

        if (task == NULL)
                return -errno;
        bly_record_unref(task);
        return 0;
}
