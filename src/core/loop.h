/* SPDX-License-Identifier: MIT */
/*
 * The loop: its ready queue, its timers and its clock.
 */
#ifndef BLY_LOOP_H
#define BLY_LOOP_H

#include "base/log_limit.h"
#include "core/inbox.h"
#include "core/task.h"
#include "core/ticks.h"

struct bly_heap_entry {
        belay_time when;
        struct bly_timer *timer; /* NULL if the timer was withdrawn */
};

struct bly_heap {
        struct bly_heap_entry *entries;
        size_t count, room;
        /*
         * The line of due timers at the other end of the array: its length, and how many have
         * fired.
         */
        size_t due, fired;
        size_t dead; /* entries whose timer was withdrawn */
};

struct bly_ready {
        struct bly_node *head, *tail;
};

struct bly_callbacks;

struct bly_slab {
        struct bly_slab *next, *prev;
        size_t count;
        void *memory; /* the allocation; the slab begins at its first cache line */
        bool mapped;
        belay_task tasks[];
};

struct belay_loop {
        /* Touched by a switch from task to task. */
        struct bly_ready ready;
        belay_task *current; /* NULL on the loop's own stack */
        /* switches left until a look; at 0, each takes the slow way */
        int switches;
        int switches_cxx;           /* the same if only C++ demands the slow way */
        int *error;                 /* address of the thread's errno */
        void *exceptions;           /* the thread's C++ globals, NULL without C++ */
        struct bly_context context; /* of the loop's own stack */
        /*
         * Under a host loop, set while nothing runs here. Called if the ready queue gets its first
         * entry, a timer is set, or the back end has new work. Implemented by loop/.
         */
        void (*wake_host)(struct belay_loop *loop);
        struct bly_exceptions own_exceptions;
        struct bly_tool_stack own_tool;
        belay_time now; /* reading of the clock at the latest look */

        /* Time. */
        struct bly_ticks ticks;
        struct bly_heap heap;
        struct bly_call fire_due; /* in the ready queue while timers are due */
        bool fire_queued;
        bool is_virtual;
        int budget; /* value of `switches` after a look */
        /* end of the turn that a host loop grants; BELAY_NEVER without a host */
        belay_time returns_at;
        belay_time slice;     /* latest instant at which a checkpoint let others run */
        unsigned checkpoints; /* checkpoints since then, under a virtual clock */

        /* True under a virtual clock or a seed. See run_ready(). */
        bool by_turns;
        uint64_t seed;
        uint64_t random;

        /* Tasks. */
        struct bly_slab *slabs;
        belay_task *free_records;
        size_t records;     /* records in use; the last one frees the loop's memory */
        bool apart;         /* each record has a slab of its own */
        bool names_handles; /* closing the loop logs the handles that are left */
        size_t count;       /* tasks that have not ended */
        uint64_t last_id;
        struct bly_stack_pool *stacks;
        /* of a task that ended under a memory checker, until its stack is put back */
        struct bly_tool_stack *dead_tool;
        struct bly_stack dead_stack;
        size_t stack_size;
        struct bly_callbacks *callbacks;
        /* open iterations of belay_as_completed_begin(), by many/ */
        struct bly_link each;
        bool closed;

        /* The outside world. Pointers are NULL until the loop needs them. */
        struct bly_io *io;     /* descriptors, by io/ */
        belay_backend backend; /* as the options request it */
        unsigned threads_most; /* limit on threads for files; 0 is the default */
        size_t expected;       /* posts that threads owe the loop */
        /* of these, posts that may never come and do not hold virtual time */
        size_t endless;
        struct bly_inbox *inbox; /* posts of other threads, and the wake-up eventfd */
        struct bly_pool *files, *lookups, *endless_jobs;

        /* The run (loop/). */
        belay_task *main;
        belay_failure *main_failure;
        struct bly_call main_ended;
        bool stop;
        bool running;
        int tid; /* of the thread that runs the loop, or ran it last */
        bool keep_waiting;
        bool wants_signals, takes_signals;
        bool reports_overflow;
        struct bly_timer limit_timer; /* of the shutdown */
        bool limit_met;
        unsigned patience; /* rounds that the shutdown still waits for ready tasks */
        unsigned interrupts;
        int signal;
        belay_time shutdown_limit;
        /* tasks that the shutdown cancelled and that have not ended */
        size_t wave;
        struct bly_log_limits log_limits;
        struct bly_timer log_timer;   /* for the report of log lines that were left out */
        struct bly_embed *embed;      /* state of a loop that a host loop drives, or NULL */
        struct belay_loop *next_loop; /* next loop of the process, for debuggers */

        /*
         * Called if nothing is ready. Waits for the earliest deadline or an event from outside, or
         * ends the turn of a loop that a host drives. Implemented by loop/ and testing/.
         */
        void (*idle)(struct belay_loop *loop);
        /*
         * Called by a task that leaves while no task is ready, before it switches to the loop's own
         * stack. It may wait for an event from outside. NULL does nothing. Implemented by loop/.
         */
        void (*idle_in_task)(struct belay_loop *loop);
        struct bly_eager *eager; /* eager first steps in progress, innermost first */

        /* Called before each wait and yield, for testing/. Otherwise NULL. */
        void (*on_wait)(struct belay_loop *loop, belay_task *task);
        void *on_wait_context;
        /*
         * Called instead of breaking a deadlock, for testing/. Makes the loop stop. Otherwise NULL.
         */
        void (*on_deadlock)(struct belay_loop *loop);
};

/* The loop that runs in this thread, or NULL. */
extern __thread struct belay_loop *bly_loop
        __attribute__((tls_model("initial-exec"), visibility("hidden")));
/*
 * The number of tries without a wait that are left until a task yields before it tries, see
 * bly_try(). The count belongs to the thread, not to the loop. A call spends one instruction on it,
 * and does not have to find out whether a loop runs.
 */
enum { BLY_TRIES = 64 };
extern __thread unsigned bly_tries __attribute__((tls_model("initial-exec"), visibility("hidden")));

void bly_loop_unref(struct belay_loop *loop);

/* Adds free records. Returns false without memory. */
bool bly_add_slab(struct belay_loop *loop);
/*
 * Frees slabs in which no record is in use, the first one only if `all`. Returns the bytes freed.
 */
size_t bly_records_trim(struct belay_loop *loop, bool all);
/*
 * Called when the loop is closed: only handles hold records from then on, and no record is made.
 * Frees the memory that those records do not need.
 */
void bly_records_close(struct belay_loop *loop);

static inline belay_task *bly_record_new(struct belay_loop *loop) {
        belay_task *task;

        if (unlikely(loop->free_records == NULL) && !bly_add_slab(loop))
                return NULL;
        task = loop->free_records;
        loop->free_records = task->node.next != NULL
                                     ? container_of(task->node.next, belay_task, node)
                                     : NULL;
        /* bly_record_free() left all other fields clean. */
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

/*
 * From a signal handler or any thread: makes a busy loop call bly_attend(). It does not wake a
 * waiting loop.
 */
static inline void bly_request_attention(struct belay_loop *loop) {
        atomic_store_explicit(&loop->inbox->attention, 1, memory_order_release);
}

/*
 * For a busy loop. A relaxed load suffices, since bly_attend() clears the flag with acquire order
 * before it reads.
 */
static inline bool bly_needs_attention(const struct belay_loop *loop) {
        return atomic_load_explicit(&loop->inbox->attention, memory_order_relaxed);
}

/* Returns the calling task, or NULL outside of tasks. */
static inline belay_task *bly_current(void) {
        struct belay_loop *loop = bly_loop;

        return loop != NULL ? loop->current : NULL;
}

/* ---- the clock (clock.c) ---- */

/* Reads CLOCK_MONOTONIC. */
belay_time bly_clock(void);

/* The slow path of bly_now(): returns the virtual time, or reads the clock and the counter. */
belay_time bly_now_slowly(struct belay_loop *loop);

/* Returns the time for deadlines. It may be off by less than a microsecond. */
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

        return span == BELAY_NEVER || __builtin_add_overflow(instant, span, &sum) ? BELAY_NEVER
                                                                                  : sum;
}

/* ---- timers (timer.c) ---- */

/* Sets a timer that is off. Returns 0 or -ENOMEM. */
int bly_timer_set(struct belay_loop *loop, struct bly_timer *timer, belay_time when);
void bly_timer_off(struct belay_loop *loop, struct bly_timer *timer);
belay_time bly_timer_when(const struct belay_loop *loop, const struct bly_timer *timer);
/* Returns the earliest deadline, or BELAY_NEVER if there is none. */
belay_time bly_timers_first(struct belay_loop *loop);
/* Moves timers that are due out of the heap. They fire after everything that is ready. */
void bly_timers_look(struct belay_loop *loop);
/*
 * Drops the timers whose memory lies between two addresses and is gone. They are neither fired nor
 * read.
 */
void bly_timers_forget(struct belay_loop *loop, const char *low, const char *high);
void bly_timers_free(struct belay_loop *loop);
/* Frees room that the heap does not need. Returns the bytes freed. */
size_t bly_timers_trim(struct belay_loop *loop);

/* ---- tickets: callbacks that can be withdrawn (callback.c) ---- */

belay_ticket bly_callback_soon(struct belay_loop *loop, belay_callback_fn *fn, void *arg);
belay_ticket bly_callback_at(struct belay_loop *loop, belay_time when, belay_callback_fn *fn,
                             void *arg);
bool bly_callback_cancel(struct belay_loop *loop, belay_ticket ticket);
/* Withdraws all callbacks whose argument lies between two addresses. */
void bly_callbacks_forget(struct belay_loop *loop, const char *low, const char *high);
void bly_callbacks_free(struct belay_loop *loop);

/* ---- the ready queue ---- */

/*
 * Returns the instant for a request. Under a host loop, calls can come long after the latest look,
 * so this reads the clock.
 */
static inline belay_time bly_when(const struct belay_loop *loop) {
        return unlikely(loop->wake_host != NULL) ? bly_clock() : loop->now;
}

/* Every call from outside of a dispatch that gives the loop work calls this function. */
static inline void bly_wake_host(struct belay_loop *loop) {
        if (unlikely(loop->wake_host != NULL))
                loop->wake_host(loop);
}

static inline void bly_ready_push(struct belay_loop *loop, struct bly_node *node) {
        node->next = NULL;
        if (loop->ready.head == NULL) {
                loop->ready.head = loop->ready.tail = node;
                bly_wake_host(loop);
        } else {
                loop->ready.tail->next = node;
                loop->ready.tail = node;
        }
}

static inline void bly_call_soon(struct belay_loop *loop, struct bly_call *call,
                                 void (*fn)(struct bly_call *call)) {
        call->node.kind = BLY_NODE_CALL;
        call->fn = fn;
        bly_ready_push(loop, &call->node);
}

/* ---- switching (schedule.c) ---- */

/* Leaves the calling task in all cases but the plain switch to a task that goes on. */
void bly_leave_slowly(struct belay_loop *loop, belay_task *self);

/*
 * Switches from task to task. errno belongs to the task, so it is restored when the task runs
 * again.
 */
static inline __attribute__((always_inline)) void
bly_switch_over(struct belay_loop *loop, belay_task *self, belay_task *next) {
        int *error = loop->error, saved = *error;

        loop->switches--;
        loop->current = next;
        bly_switch(&self->context, &next->context);
        *error = saved;
}

/*
 * Switches away from the calling task, which has arranged for a wake-up. Returns when the task runs
 * again.
 */
static inline __attribute__((always_inline)) void bly_leave(struct belay_loop *loop,
                                                            belay_task *self) {
        struct bly_node *node = loop->ready.head;

        if (likely(loop->switches > 0 && node != NULL && node->kind == BLY_NODE_TASK
                   && node != &self->node)) {
                loop->ready.head = node->next;
                bly_switch_over(loop, self, container_of(node, belay_task, node));
        } else {
                bly_leave_slowly(loop, self);
        }
}

/* Runs a new task up to its first wait, at once. */
void bly_run_eagerly(struct belay_loop *loop, belay_task *task);
/*
 * Reads the clock, polls descriptors, handles posts and signals, and moves timers that are due into
 * the ready queue.
 */
void bly_look(struct belay_loop *loop);
/*
 * Calls bly_look() if the latest look is long enough ago, for callers that count no switches.
 * Returns false if it is not, so that the task may go on. In turns, returns true without a look.
 */
bool bly_look_if_due(struct belay_loop *loop);
/* Returns whether this is the task whose eager first step runs. */
bool bly_is_eager(const struct belay_loop *loop, const belay_task *self);

/* ---- the order under a seed (shuffle.c) ---- */

/*
 * Shuffles the first 64 entries of the ready queue. Moves some of these, and all entries after
 * them, to `held` for the next turn.
 */
/* Puts `held` in front of the ready queue, after the turn. */
void bly_shuffle(struct belay_loop *loop, struct bly_ready *held);
void bly_put_back(struct belay_loop *loop, const struct bly_ready *held);

/*
 * Runs everything that is ready, and calls loop->idle() if nothing is. Stops when until(loop),
 * called before each round, returns true.
 */
void bly_spin(struct belay_loop *loop, bool (*until)(struct belay_loop *loop));
#endif
