/* SPDX-License-Identifier: MIT */
/*
 * The order in which tasks run, and the switches between them.
 *
 * A task that yields switches directly to the next ready task, without going through the loop. That
 * switch is the whole cost of a yield.
 *
 * After `switches` switches a task takes a look first (bly_look()). It reads the clock and handles
 * descriptors, posts, signals and timers. The look runs on the task's own stack if a task is ready.
 * If no task is ready, or a callback is next, the task switches to the loop's own stack, where
 * bly_spin() continues.
 *
 * A look comes after at most 64 switches. If these take longer than 150 us, set_budget() lowers
 * their number, so that a look comes about every 150 us. Under memory checkers, virtual clocks and
 * seeds every switch goes through the loop.
 */
#include <stdlib.h>

#include "stack/fast.h"
#include "core/upcalls.h"
#include "core/wait.h"

__thread struct belay_loop *bly_loop __attribute__((tls_model("initial-exec")));
__thread unsigned bly_tries __attribute__((tls_model("initial-exec"))) = BLY_TRIES;

/*
 * An eager first step in progress. When its task yields or ends, the spawning task or the loop
 * continues at `back`.
 */
struct bly_eager {
        struct bly_eager *outer;
        belay_task *task;
        struct bly_context *back;
        struct bly_tool_stack *back_tool;
};

enum { SWITCHES_MOST = 64 };
#define LOOK_EVERY (150 * BELAY_MICROSECOND)

static inline void switch_plainly(struct belay_loop *loop, struct bly_context *from,
                                  struct bly_context *to) {
        struct bly_exceptions mine, *globals = loop->exceptions;

        if (unlikely(globals != NULL))
                mine = *globals;
        bly_switch(from, to);
        if (unlikely(globals != NULL))
                *globals = mine;
}

static void switch_to(struct belay_loop *loop, struct bly_context *from,
                      struct bly_tool_stack *from_tool, struct bly_context *to,
                      struct bly_tool_stack *to_tool) {
        struct bly_exceptions mine, *globals = loop->exceptions;

        if (likely(bly_tools == 0)) {
                switch_plainly(loop, from, to);
                return;
        }
        if (globals != NULL)
                mine = *globals;
        bly_tools_switch(from, from_tool, to, to_tool, false);
        if (globals != NULL)
                *globals = mine;
}

/*
 * Puts back the stack of a task that ended under a memory checker. The checker requires that the
 * stack is left before it is given up.
 */
static void retire_stack(struct belay_loop *loop) {
        struct bly_tool_stack tool;

        if (likely(loop->dead_tool == NULL))
                return;
        tool = *loop->dead_tool;
        loop->dead_tool = NULL;
        bly_tool_stack_fini(&tool, loop->dead_stack.low, loop->dead_stack.top);
        bly_stack_put(loop->stacks, &loop->dead_stack);
}

bool bly_is_eager(const struct belay_loop *loop, const belay_task *self) {
        return unlikely(loop->eager != NULL) && loop->eager->task == self;
}

/* ---- the life of a task, on its own stack ---- */

/* Gives a new task a clean errno and clean C++ globals. */
static void fresh_state(const struct belay_loop *loop) {
        if (unlikely(loop->exceptions != NULL))
                *(struct bly_exceptions *) loop->exceptions = (struct bly_exceptions) { 0 };
        *loop->error = 0;
}

/*
 * Returns the top of the stack, so that the caller need not read it back from the record just
 * written.
 */
static char *take_stack(struct belay_loop *loop, belay_task *task) {
        if (likely(task->stack.low == NULL)) {
                bly_stack_prefetch(loop->stacks);
                bly_stack_take_fast(loop->stacks, &task->stack);
        }
        return task->stack.top;
}

/*
 * If all tasks are cold in the cache, most of the time goes into loading the next task's stack. The
 * stack is therefore prefetched BLY_STACK_AHEAD ends ahead. The records up to there were prefetched
 * earlier, so walking over them is cheap.
 */
static inline __attribute__((always_inline)) void prefetch_after(const struct bly_node *node) {
        const struct bly_node *ahead = node->next;
        const char *sp, *record;

        for (int i = 0; i < BLY_STACK_AHEAD && ahead != NULL; i++)
                ahead = ahead->next;
        if (ahead == NULL || ahead->kind != BLY_NODE_TASK)
                return;
        sp = container_of(ahead, belay_task, node)->context.sp;
        for (int i = 0; i < BLY_STACK_LINES; i++)
                __builtin_prefetch(sp + 64 * i);
        record = (const char *) ahead->next;
        if (record != NULL)
                for (size_t at = 0; at < sizeof(belay_task); at += 64)
                        __builtin_prefetch(record + at, 1);
}

/*
 * Runs the function of a task from first to last. It is inlined, since a frame between a task's
 * waits and the top of its stack costs memory.
 */
static inline __attribute__((always_inline)) int run_function(belay_task *self) {
        struct bly_entry start = self->entry;
        int code;

        self->timer.state = BLY_TIMER_OFF;
        if (unlikely(self->node.must_cancel)) {
                /* The task was cancelled before its first step: only the destructor is called. */
                self->node.must_cancel = false;
                code = bly_deliver(self, bly_text_ref(self->message));
        } else {
                code = start.fn(start.arg);
                if (unlikely(self->scope != NULL))
                        bly_forget_scopes(self);
        }
        if (start.destroy != NULL)
                start.destroy(start.arg);
        return code;
}

/*
 * Runs a task on its own stack, then new tasks that take over the stack. Returns the context to
 * switch to. This function stands on the stack until that switch. No task takes the stack from the
 * pool before that.
 */
static struct bly_context *live(void *arg) {
        belay_task *self = arg;

        for (;;) {
                struct belay_loop *loop = self->loop;
                struct bly_stack_own *own;
                struct bly_node *node;
                char *low, *top;
                belay_task *next;
                int code;

                fresh_state(loop);
                code = run_function(self);
                /* bly_finish() may free the record. */
                low = self->stack.low;
                top = self->stack.top;
                own = self->stack.own;
                bly_finish(self, code);
                node = loop->ready.head;
                if (unlikely(loop->switches <= 0 || node == NULL || node->kind > BLY_NODE_NEW
                             || (node->kind == BLY_NODE_NEW
                                 && (container_of(node, belay_task, node)->stack.low != NULL
                                     || own != NULL)))) {
                        bly_stack_put_fast(loop->stacks, low, top, own);
                        /*
                         * If an eager first step is in progress, no other task runs, so its task is
                         * the one that has ended.
                         */
                        return unlikely(loop->eager != NULL) ? loop->eager->back : &loop->context;
                }
                next = container_of(node, belay_task, node);
                loop->switches--;
                loop->ready.head = node->next;
                loop->current = next;
                if (node->kind == BLY_NODE_TASK) {
                        prefetch_after(node);
                        bly_stack_put_fast(loop->stacks, low, top, own);
                        return &next->context;
                }
                bly_stack_forgo_fast(loop->stacks);
                next->stack.low = low;
                next->stack.top = top;
                next->stack.own = NULL;
                next->node.kind = BLY_NODE_TASK;
                next->node.state = BLY_READY;
                self = next;
        }
}

/*
 * The same under a memory checker. Each task has a stack of its own and leaves it before the stack
 * is given up.
 */
static void live_watched(void *arg) {
        belay_task *self = arg;
        struct belay_loop *loop = self->loop;
        struct bly_tool_stack *tool = self->tool;
        struct bly_stack stack = self->stack;
        struct bly_context nobody;

        bly_tools_entered(tool);
        fresh_state(loop);
        bly_finish(self, run_function(self));
        loop->dead_tool = tool;
        loop->dead_stack = stack;
        if (loop->eager != NULL)
                bly_tools_switch(&nobody, tool, loop->eager->back, loop->eager->back_tool, true);
        else
                bly_tools_switch(&nobody, tool, &loop->context, &loop->own_tool, true);
        __builtin_unreachable();
}

/* Switches from `from` to the first step of a task. */
static inline __attribute__((always_inline)) void
start_plainly(struct belay_loop *loop, struct bly_context *from, belay_task *task) {
        struct bly_exceptions mine, *globals = loop->exceptions;
        char *top = take_stack(loop, task);

        task->node.kind = BLY_NODE_TASK;
        task->node.state = BLY_READY;
        if (unlikely(globals != NULL))
                mine = *globals;
        bly_start(from, top, live, task);
        if (unlikely(globals != NULL))
                *globals = mine;
}

static void start_watched(struct belay_loop *loop, struct bly_context *from,
                          struct bly_tool_stack *from_tool, belay_task *task) {
        struct bly_tool_stack tool;
        char *top = take_stack(loop, task);

        task->node.kind = BLY_NODE_TASK;
        task->node.state = BLY_READY;
        /* This comes first, since an earlier owner may have left parts of the stack poisoned. */
        bly_tool_stack_init(&tool, task->stack.low, top);
        task->tool = (struct bly_tool_stack *) (((uintptr_t) top - sizeof(tool)) & ~(uintptr_t) 15);
        *task->tool = tool;
        bly_context_make(&task->context, task->stack.low, task->tool, live_watched, task);
        switch_to(loop, from, from_tool, &task->context, task->tool);
}

static void start(struct belay_loop *loop, struct bly_context *from,
                  struct bly_tool_stack *from_tool, belay_task *task) {
        if (likely(bly_tools == 0))
                start_plainly(loop, from, task);
        else
                start_watched(loop, from, from_tool, task);
}

/* ---- leaving ---- */

/*
 * Not inlined, and with a small frame: a task that leaves in this way often sleeps for long with
 * the frame on its stack.
 */
static __attribute__((noinline)) void leave_to_new(struct belay_loop *loop, belay_task *self,
                                                   belay_task *next) {
        int *error = loop->error, saved = *error;
        const struct bly_node *ahead = next->node.next;

        for (int i = 0; i < 2 && ahead != NULL; i++)
                ahead = ahead->next;
        if (ahead != NULL)
                for (size_t at = 0; at < sizeof(belay_task); at += BLY_CACHE_LINE)
                        __builtin_prefetch((const char *) ahead + at, 1);
        start_plainly(loop, &self->context, next);
        *error = saved;
}

static __attribute__((noinline)) void leave_to_loop(struct belay_loop *loop, belay_task *self) {
        int *error = loop->error, saved = *error;
        struct bly_eager *eager = loop->eager;

        if (unlikely(eager != NULL) && eager->task == self) {
                eager->task = NULL;
                switch_to(loop, &self->context, self->tool, eager->back, eager->back_tool);
        } else {
                switch_to(loop, &self->context, self->tool, &loop->context, &loop->own_tool);
        }
        *error = saved;
}

static __attribute__((noinline)) void leave_to_task(struct belay_loop *loop, belay_task *self,
                                                    belay_task *next) {
        int *error = loop->error, saved = *error;

        switch_plainly(loop, &self->context, &next->context);
        *error = saved;
}

/*
 * Ends in a tail call of one of the three functions above, so that its own frame does not stay on
 * the stack.
 */
void bly_leave_slowly(struct belay_loop *loop, belay_task *self) {
        struct bly_node *node = loop->ready.head;
        belay_task *next;

        /*
         * No task is ready, so the last task to run waits on behalf of all. It is often the task
         * that goes on.
         */
        if (node == NULL && loop->idle_in_task != NULL && loop->eager == NULL) {
                loop->idle_in_task(loop);
                node = loop->ready.head;
        }
        /* A look is short. Taking it here saves the switches to the loop's own stack and back. */
        if (loop->switches <= 0 && loop->switches_cxx <= 0 && node != NULL && loop->eager == NULL
            && !loop->by_turns)
                bly_look(loop);
        if (node == NULL || node->kind > BLY_NODE_NEW
            || (loop->switches <= 0 && loop->switches_cxx <= 0)) {
                leave_to_loop(loop, self);
                return;
        }
        if (loop->switches > 0)
                loop->switches--;
        else
                loop->switches_cxx--;
        next = container_of(node, belay_task, node);
        loop->ready.head = node->next;
        loop->current = next;
        if (node->kind == BLY_NODE_NEW)
                leave_to_new(loop, self, next);
        else if (next != self)
                leave_to_task(loop, self, next);
}

void bly_run_eagerly(struct belay_loop *loop, belay_task *task) {
        belay_task *parent = loop->current;
        struct bly_eager eager = {
                .outer = loop->eager,
                .task = task,
                .back = parent != NULL ? &parent->context : &loop->context,
                .back_tool = parent != NULL ? parent->tool : &loop->own_tool,
        };
        int saved = errno, left = loop->switches, slow_left = loop->switches_cxx;

        loop->now = bly_when(loop);
        loop->eager = &eager;
        loop->switches = loop->switches_cxx = 0;
        loop->current = task;
        start(loop, eager.back, eager.back_tool, task);
        retire_stack(loop);
        loop->eager = eager.outer;
        loop->switches = left;
        loop->switches_cxx = slow_left;
        loop->current = parent;
        bly_wake_host(loop);
        errno = saved;
}

/* ---- the loop's own stack ---- */

static void resume(struct belay_loop *loop, belay_task *task) {
        loop->current = task;
        if (task->node.kind == BLY_NODE_NEW)
                start(loop, &loop->context, &loop->own_tool, task);
        else
                switch_to(loop, &loop->context, &loop->own_tool, &task->context, task->tool);
        loop->current = NULL;
        retire_stack(loop);
}

/* Sets the number of switches until the next look from the time that the latest ones took. */
static void set_budget(struct belay_loop *loop, belay_time took) {
        if (took >= LOOK_EVERY)
                loop->budget = (int) (loop->budget * LOOK_EVERY / took);
        else if (took < LOOK_EVERY / 2)
                loop->budget *= 2;
        if (loop->budget < 1)
                loop->budget = 1;
        if (loop->budget > SWITCHES_MOST)
                loop->budget = SWITCHES_MOST;
}

void bly_look(struct belay_loop *loop) {
        if (!loop->is_virtual) {
                belay_time now = bly_clock();

                set_budget(loop, now - loop->now);
                loop->now = now;
        }
        if (loop->io != NULL)
                bly_io_poll(loop);
        if (unlikely(bly_needs_attention(loop)))
                bly_attend(loop);
        bly_timers_look(loop);
        if (unlikely(loop->now >= loop->returns_at)) {
                loop->switches = loop->switches_cxx = 0;
        } else if (!loop->by_turns && likely(bly_tools == 0)) {
                loop->switches = likely(loop->exceptions == NULL) ? loop->budget : 0;
                loop->switches_cxx = likely(loop->exceptions == NULL) ? 0 : loop->budget;
        }
}

bool bly_look_if_due(struct belay_loop *loop) {
        /* In turns, a look comes after each turn and only there. */
        if (loop->by_turns)
                return true;
        if (bly_now(loop) - loop->now < LOOK_EVERY)
                return false;
        bly_look(loop);
        return true;
}

static struct bly_node *take_first(struct belay_loop *loop) {
        struct bly_node *node = loop->ready.head;

        loop->ready.head = node->next;
        return node;
}

/*
 * A call counts as a switch. Callbacks that schedule each other endlessly must not keep the loop
 * from a look.
 */
static void call(struct belay_loop *loop, struct bly_call *call) {
        if (loop->switches > 0)
                loop->switches--;
        else if (loop->switches_cxx > 0)
                loop->switches_cxx--;
        call->fn(call);
}

/* If this is true, run_ready() takes no look, since loop->idle() reads the clock. */
static bool has_only_to_wait(struct belay_loop *loop) {
        return loop->ready.head == NULL && !loop->by_turns && !bly_needs_attention(loop)
               && loop->returns_at == BELAY_NEVER && bly_timers_first(loop) > loop->now;
}

/*
 * Runs one round. Returns false if there was nothing to do. In turns, a round is everything that is
 * ready when it begins, and the next look comes after it, as in asyncio. Otherwise a round is one
 * entry of the queue.
 */
static bool run_ready(struct belay_loop *loop) {
        struct bly_ready held = { 0 };
        struct bly_node *node, *end;

        if (has_only_to_wait(loop))
                return false;
        if (unlikely(loop->seed != 0))
                bly_shuffle(loop, &held);
        if (loop->by_turns || (loop->switches <= 0 && loop->switches_cxx <= 0)
            || loop->ready.head == NULL || unlikely(bly_needs_attention(loop)))
                bly_look(loop);
        if (loop->ready.head == NULL)
                return false;
        end = loop->by_turns ? loop->ready.tail : NULL;
        do {
                node = take_first(loop);
                if (node->kind <= BLY_NODE_NEW)
                        resume(loop, container_of(node, belay_task, node));
                else
                        call(loop, container_of(node, struct bly_call, node));
        } while (end != NULL && node != end);
        bly_put_back(loop, &held);
        return true;
}

void bly_spin(struct belay_loop *loop, bool (*until)(struct belay_loop *loop)) {
        while (!until(loop))
                if (!run_ready(loop))
                        loop->idle(loop);
}
