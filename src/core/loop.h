/* SPDX-License-Identifier: MIT */
/*
 * The loop: what is ready, what has a deadline, and the clock.
 */
#ifndef BLY_LOOP_H
#define BLY_LOOP_H

#include "base/log_limit.h"
#include "core/inbox.h"
#include "core/task.h"
#include "core/ticks.h"

struct bly_heap_entry {
        belay_time when;
        struct bly_timer *timer;        /* NULL: taken back since */
};

struct bly_heap {
        struct bly_heap_entry *entries;
        size_t count, room;
        size_t due, fired;      /* at the other end of the array: how many are due or were, and how many of them were fired */
        size_t dead;                    /* entries whose timer was taken back */
};

struct bly_ready {
        struct bly_node *head, *tail;
};

struct bly_callbacks;

struct bly_slab {
        struct bly_slab *next, *prev;
        size_t count;
        void *memory;           /* what it was cut from, so as to begin with a line of the cache */
        bool mapped;
        belay_task tasks[];
};

struct belay_loop {
        /* What a switch from task to task touches. */
        struct bly_ready ready;
        belay_task *current;            /* NULL on the loop's own stack */
        int switches;                       /* switches that need no look at the clock; 0: each takes the slow way */
        int switches_cxx;                  /* the same where the slow way is due to C++ alone */
        int *error;                     /* the thread's errno */
        void *exceptions;               /* the thread's C++ globals, NULL without C++ */
        struct bly_context context;     /* the loop's own stack */
        /* Beside another loop, while nothing runs here: something became ready, or due before all else. By loop/. */
        void (*tell_host)(struct belay_loop *loop);
        struct bly_exceptions own_exceptions;
        struct bly_tool_stack own_tool;
        belay_time now;                 /* at the latest look */

        /* Time. */
        struct bly_ticks ticks;
        struct bly_heap heap;
        struct bly_call fire_due;       /* stands in the ready queue while there are timers that are due */
        bool fire_queued;
        bool is_virtual;
        int budget;                     /* what `left` starts with after a look */
        belay_time returns_at;          /* from then on nothing is granted any more: the other loop's turn; BELAY_NEVER */
        belay_time slice;               /* when a checkpoint last let the others run */
        unsigned checkpoints;           /* since then, under a virtual clock */

        /* By turns, under a virtual clock or a seed: see run_ready(). */
        bool by_turns;
        uint64_t seed;
        uint64_t random;

        /* Tasks. */
        struct bly_slab *slabs;
        belay_task *free_records;
        size_t records;                 /* in use; the loop's memory lives until the last is gone */
        bool apart;                     /* each record has memory of its own */
        bool names_handles;             /* that are left when the loop is closed */
        size_t count;                   /* tasks that have not ended */
        uint64_t last_id;
        struct bly_stack_pool *stacks;
        struct bly_tool_stack *dead_tool;       /* of a task that ended under a memory checker, until its stack is given back */
        struct bly_stack dead_stack;
        size_t stack_size;
        struct bly_callbacks *callbacks;
        struct bly_link each;           /* what belay_as_completed_begin() began and nobody ended; by many/ */
        bool closed;

        /* What is outside. NULL until it is needed. */
        struct bly_io *io;              /* descriptors, by io/ */
        belay_backend backend;          /* as asked for */
        unsigned threads_most;          /* for files; 0: the default */
        size_t expected;                /* words that threads owe the loop */
        size_t endless;                 /* of them, those that may never come, and do not hold the virtual time */
        struct bly_inbox *inbox;        /* what other threads post, and the bell */
        struct bly_pool *files, *lookups, *endless_jobs;

        /* The run (loop/). */
        belay_task *main;
        belay_failure *main_failure;
        struct bly_call main_ended;
        bool stop;
        bool running;
        int tid;                        /* of the thread that runs it, or ran it last */
        bool keep_waiting;
        bool wants_signals, takes_signals;
        bool reports_overflow;
        struct bly_timer limit_timer;   /* of the shut-down */
        bool limit_met;
        unsigned patience;              /* rounds that the shut-down still waits for what is ready */
        unsigned interrupts;
        int signal;
        belay_time shutdown_limit;
        size_t wave;                    /* tasks that the shut-down cancelled and that have not ended */
        struct bly_log_limits log_limits;
        struct bly_timer log_timer;     /* lines were left out, and that is to be said */
        struct bly_embed *embed;        /* beside another loop */
        struct belay_loop *next_loop;   /* of the process, for tools that look from outside */

        /* Waits for the earliest deadline or for something outside. Looks after what `asked` says. Both by loop/. */
        void (*idle)(struct belay_loop *loop);
        /* What a task does that gives way when nobody else is ready, before it leaves to the loop. NULL: nothing. By loop/. */
        void (*idle_in_task)(struct belay_loop *loop);
        struct bly_eager *eager;        /* tasks on their eager first step, innermost first */

        /* Called at each wait that gives way, for testing/; NULL otherwise. */
        void (*on_wait)(struct belay_loop *loop, belay_task *task);
        void *on_wait_context;
        /* Called instead of breaking a deadlock, likewise: sees to it that the loop stops. */
        void (*on_deadlock)(struct belay_loop *loop);
};

/* The loop that runs in this thread. */
extern __thread struct belay_loop *bly_loop __attribute__((tls_model("initial-exec"), visibility("hidden")));
/*
 * How many tries that need no wait this thread's loop still has until a task gives way before it tries, see bly_try(). The
 * count is the thread's, so that a call spends one instruction on it, and none to find out whether a loop runs.
 */
enum { BLY_TRIES = 64 };
extern __thread unsigned bly_tries __attribute__((tls_model("initial-exec"), visibility("hidden")));

void bly_loop_unref(struct belay_loop *loop);

/* More records. False without memory. */
bool bly_add_slab(struct belay_loop *loop);
/* Frees slabs that no record of is in use; the first stays unless `all`. How many bytes that were. */
size_t bly_records_trim(struct belay_loop *loop, bool all);
/* No record is made any more, and what is left of them are handles. */
void bly_records_close(struct belay_loop *loop);

static inline belay_task *bly_record_new(struct belay_loop *loop) {
        belay_task *task;

        if (unlikely(loop->free_records == NULL) && !bly_add_slab(loop))
                return NULL;
        task = loop->free_records;
        loop->free_records = task->node.next != NULL ? container_of(task->node.next, belay_task, node) : NULL;
        /* What else there is was left clean by the one before, see bly_record_free(). */
        task->node = (struct bly_node) { 0 };
        task->requests = task->held = task->shield = task->wake = 0;
        task->origin.kind = BELAY_ORIGIN_NONE;
        task->owner = NULL;
        task->last_failure_code = 0;
        task->awaited_itself = task->reason_taken = task->origin_held = task->duplicate = false;
        task->stack.low = NULL;
        task->started_at = task->place = NULL;
        task->refs = 1;
        task->id = ++loop->last_id;
        loop->records++;
        return task;
}

/* From a signal handler, or any thread: the loop is to look after what is outside. */
static inline void bly_request_attention(struct belay_loop *loop) {
        atomic_store_explicit(&loop->inbox->attention, 1, memory_order_release);
}

/* For a loop that is busy: in which order it sees what was asked is settled by whoever looks after it. */
static inline bool bly_needs_attention(const struct belay_loop *loop) {
        return atomic_load_explicit(&loop->inbox->attention, memory_order_relaxed);
}

/* The calling task; NULL outside of tasks. */
static inline belay_task *bly_current(void) {
        struct belay_loop *loop = bly_loop;

        return loop != NULL ? loop->current : NULL;
}

/* ---- the clock (clock.c) ---- */

belay_time bly_clock(void);

belay_time bly_now_slowly(struct belay_loop *loop);

/* For deadlines: may be off by a few hundred nanoseconds. */
static inline belay_time bly_now(struct belay_loop *loop) {
        const struct bly_ticks *ticks = &loop->ticks;
        uint64_t passed;

        if (unlikely(ticks->valid == 0))
                return bly_now_slowly(loop);
        passed = bly_counter() - ticks->at;
        if (unlikely(passed >= ticks->valid))
                return bly_now_slowly(loop);
        return ticks->when + (belay_time) (passed * ticks->scale >> 32);
}

static inline belay_time bly_add_time(belay_time instant, belay_time span) {
        belay_time sum;

        return span == BELAY_NEVER || __builtin_add_overflow(instant, span, &sum) ? BELAY_NEVER : sum;
}

/* ---- timers (timer.c) ---- */

/* 0 or -ENOMEM. The timer must be off. */
int bly_timer_set(struct belay_loop *loop, struct bly_timer *timer, belay_time when);
void bly_timer_off(struct belay_loop *loop, struct bly_timer *timer);
belay_time bly_timer_when(const struct belay_loop *loop, const struct bly_timer *timer);
/* The earliest deadline, BELAY_NEVER if there is none. */
belay_time bly_timers_first(struct belay_loop *loop);
/* Puts what is due in line behind what is ready. */
void bly_timers_look(struct belay_loop *loop);
/* Those that lie between two addresses are gone: neither fired any more nor looked at. */
void bly_timers_forget(struct belay_loop *loop, const char *low, const char *high);
void bly_timers_free(struct belay_loop *loop);
/* Gives back what the heap has room for and does not need. How many bytes that were. */
size_t bly_timers_trim(struct belay_loop *loop);

/* ---- tickets: callbacks that can be taken back (callback.c) ---- */

belay_ticket bly_callback_soon(struct belay_loop *loop, belay_callback_fn *fn, void *arg);
belay_ticket bly_callback_at(struct belay_loop *loop, belay_time when, belay_callback_fn *fn, void *arg);
bool bly_callback_cancel(struct belay_loop *loop, belay_ticket ticket);
/* Takes back all whose argument lies between two addresses. */
void bly_callbacks_forget(struct belay_loop *loop, const char *low, const char *high);
void bly_callbacks_free(struct belay_loop *loop);

/* ---- the ready queue ---- */

/* For requests: the latest look may be long ago where they come from outside. */
static inline belay_time bly_when(const struct belay_loop *loop) {
        return unlikely(loop->tell_host != NULL) ? bly_clock() : loop->now;
}

/* Whatever is called from outside of a dispatch ends up in one of those who call this. */
static inline void bly_tell_host(struct belay_loop *loop) {
        if (unlikely(loop->tell_host != NULL))
                loop->tell_host(loop);
}

static inline void bly_ready_push(struct belay_loop *loop, struct bly_node *node) {
        node->next = NULL;
        if (loop->ready.head == NULL) {
                loop->ready.head = loop->ready.tail = node;
                bly_tell_host(loop);
        } else {
                loop->ready.tail->next = node;
                loop->ready.tail = node;
        }
}

static inline void bly_call_soon(struct belay_loop *loop, struct bly_call *call, void (*fn)(struct bly_call *call)) {
        call->node.kind = BLY_NODE_CALL;
        call->fn = fn;
        bly_ready_push(loop, &call->node);
}

/* ---- switching (schedule.c) ---- */

/* The ways that are not straight to a task that goes on. */
void bly_leave_slowly(struct belay_loop *loop, belay_task *self);

/* From task to task. errno is the task's own. */
static inline __attribute__((always_inline)) void bly_switch_over(struct belay_loop *loop, belay_task *self,
                                                                  belay_task *next) {
        int *error = loop->error, saved = *error;

        loop->switches--;
        loop->current = next;
        bly_switch(&self->context, &next->context);
        *error = saved;
}

/*
 * Gives the processor away from the calling task, which has seen to it that somebody will make it ready. Returns
 * when it runs again.
 */
static inline __attribute__((always_inline)) void bly_leave(struct belay_loop *loop, belay_task *self) {
        struct bly_node *node = loop->ready.head;

        if (likely(loop->switches > 0 && node != NULL && node->kind == BLY_NODE_TASK && node != &self->node)) {
                loop->ready.head = node->next;
                bly_switch_over(loop, self, container_of(node, belay_task, node));
        } else {
                bly_leave_slowly(loop, self);
        }
}

/* Runs a task that was made now up to its first wait, at once. */
void bly_run_eagerly(struct belay_loop *loop, belay_task *task);
/* Looks at the clock, at what is due, and at what was asked from outside. */
void bly_look(struct belay_loop *loop);
/* The same where no switches count, if the latest look is long enough ago. False: it is not, and the task may go on. */
bool bly_look_if_due(struct belay_loop *loop);
/* Is this the task whose eager first step goes on? */
bool bly_is_eager(const struct belay_loop *loop, const belay_task *self);

/* ---- the order under a seed (shuffle.c) ---- */

/* Shuffles the first ready tasks and callbacks, and takes some of them out until the turn is over. */
void bly_shuffle(struct belay_loop *loop, struct bly_ready *held);
void bly_put_back(struct belay_loop *loop, const struct bly_ready *held);

/* Runs what is ready, and waits for what comes, until until(loop) says so at the end of a turn. */
void bly_spin(struct belay_loop *loop, bool (*until)(struct belay_loop *loop));
#endif
