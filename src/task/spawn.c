/* SPDX-License-Identifier: MIT */
/*
 * Starting a task, and its first and last steps on its own stack.
 */
#include "task/locals.h"
#include "task/wait.h"

static void finish(belay_task *self, int code) {
        belay_failure *failure = NULL;

        if (code >= 0) {
                if (self->node.must_cancel || (self->node.flags & BLY_TASK_HELD)) {
                        /* It was cancelled after its last wait: cancelled, whatever it returned. */
                        self->node.must_cancel = false;
                        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                        code = -ECANCELED;
                }
        } else {
                failure = bly_take_left(self, code);
                if (code == -ECANCELED) {
                        /* From here on only the failure knows the reason, and gives it away once. */
                        bly_text_release(self->message);
                        self->message = NULL;
                        if (self->origin.kind == BELAY_ORIGIN_NONE)
                                self->origin = (struct bly_origin) {
                                        .kind = BELAY_ORIGIN_BODY,
                                        .asker = self->id,
                                        .name = bly_text_ref(self->name),
                                        .when = self->loop->now,
                                };
                }
        }
        bly_end(self, code, failure);
}

static void run(belay_task *self) {
        struct bly_start *start = self->start;
        struct belay_loop *loop = self->loop;
        struct bly_stack stack = self->stack;
        struct bly_eager *eager;
        int code;

        if (unlikely(self->node.must_cancel)) {
                /* Before its first step: the function is never called, only the destructor. */
                self->node.must_cancel = false;
                code = bly_deliver(self, bly_text_ref(self->message));
        } else {
                code = start->fn(start->arg);
                if (unlikely(self->scope != NULL))
                        loop->forget_scopes(self);
        }
        if (start->destroy != NULL)
                start->destroy(start->arg);
        eager = bly_eager_of(loop, self);
        finish(self, code);
        /* The record may be gone. We stand on the stack until the switch, and nobody takes one from the pool before. */
        bly_leave_for_good(loop, start, &stack, eager);
}

static void enter(void *arg) {
        belay_task *self = arg;

        if (unlikely(bly_tools != 0))
                bly_tools_entered(&self->start->tool);
        if (unlikely(self->loop->exceptions != NULL))
                *(struct bly_exceptions *) self->loop->exceptions = (struct bly_exceptions) { 0 };
        errno = 0;
        run(self);
}

static void prepare(belay_task *task, belay_fn *fn, void *arg, belay_destroy *destroy) {
        uintptr_t top = (uintptr_t) task->stack.top - sizeof(struct bly_start);

        task->start = (struct bly_start *) (top & ~(uintptr_t) 15);
        if (unlikely(bly_tools != 0)) {
                struct bly_tool_stack tool;

                /* First of all, for what an earlier owner of the stack left poisoned. */
                bly_tool_stack_init(&tool, task->stack.low, task->stack.top);
                task->start->tool = tool;
        }
        task->start->fn = fn;
        task->start->arg = arg;
        task->start->destroy = destroy;
        bly_context_make(&task->context, task->stack.low, task->start, enter, task);
}

belay_task *bly_spawn(struct belay_loop *loop, belay_fn *fn, void *arg, const belay_spawn_options *options,
                      struct bly_owner *owner, const char *place) {
        belay_spawn_options known;
        belay_task *task, *parent = loop->current;
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
        rc = bly_stack_get(loop->stacks, options != NULL && options->stack_size != 0 ? options->stack_size
                                                                                     : loop->stack_size, &task->stack);
        if (unlikely(rc < 0)) {
                bly_log(BELAY_LOG_WARNING, "no stack for a task started at %s: %s",
                        place != NULL ? place : "an unknown place", bly_stack_error());
                bly_record_unref(task);
                errno = -rc;
                return NULL;
        }
        task->started_at = place;
        task->place = place;
        task->refs = 2;         /* the loop's, and the caller's */
        prepare(task, fn, arg, options != NULL ? options->destroy : NULL);
        if (parent != NULL && unlikely(parent->locals != NULL))
                task->locals = bly_locals_ref(parent->locals);
        loop->count++;
        if (unlikely(options != NULL)) {
                if (options->name != NULL)
                        task->name = bly_text_new(options->name);
                if (options->last)
                        task->node.flags |= BLY_TASK_LAST;
                if (options->eager) {
                        task->node.state = BLY_RUNNING;
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

static struct belay_loop *spawning_loop(const char *place) {
        struct belay_loop *loop = bly_loop;

        if (unlikely(loop == NULL)) {
                bly_misuse(-EPERM, place, "a task is started where no loop runs");
                errno = EPERM;
        }
        return loop;
}

belay_task *belay_spawn_placed(const char *place, belay_fn *fn, void *arg) {
        struct belay_loop *loop = spawning_loop(place);

        return loop != NULL ? bly_spawn(loop, fn, arg, NULL, NULL, place) : NULL;
}

belay_task *belay_spawn_with_placed(const char *place, belay_fn *fn, void *arg, const belay_spawn_options *options) {
        struct belay_loop *loop = spawning_loop(place);

        return loop != NULL ? bly_spawn(loop, fn, arg, options, NULL, place) : NULL;
}
