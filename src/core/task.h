/* SPDX-License-Identifier: MIT */
/*
 * The record of a task or future, its wait, and the observers of its end.
 *
 * Records lie apart from the stacks, packed in arrays. Cancelling a million sleeping tasks
 * therefore does not touch a million stacks.
 */
#ifndef BLY_TASK_H
#define BLY_TASK_H

#include "base/base.h"
#include "base/failure.h"
#include "stack/stack.h"
#include "switch/exceptions.h"
#include "switch/switch.h"
#include "switch/tools.h"

#include <belay/cancel.h>
#include <belay/task.h>

/* ---- entries of the ready queue ---- */

enum bly_node_kind {
        BLY_NODE_TASK, /* struct belay_task that goes on */
        BLY_NODE_NEW,  /* struct belay_task that takes its first step */
        BLY_NODE_CALL, /* struct bly_call, called on the loop's own stack */
};

struct bly_node {
        struct bly_node *next;
        uint8_t kind;
        uint8_t state;       /* of a task: enum bly_state */
        uint8_t must_cancel; /* of a task: a request is pending for its next wait */
        uint8_t flags;       /* of a task: BLY_TASK_... */
};

struct bly_call {
        struct bly_node node;
        void (*fn)(struct bly_call *call);
};

/* ---- timers ---- */

enum bly_timer_state {
        BLY_TIMER_OFF = 0,
        BLY_TIMER_HEAP, /* in the heap */
        BLY_TIMER_DUE,  /* in the line of due timers, not fired yet */
};

struct bly_timer {
        size_t index; /* index of its entry in the heap's array */
        void (*fire)(struct bly_timer *timer);
        enum bly_timer_state state;
};

/* ---- waits ---- */

struct bly_wait;

/* The answer of a wait to a cancellation request. Only bly_wait_class.on_request decides it. */
enum bly_answer {
        BLY_DETACHED, /* the wait is over; the caller wakes the task with -ECANCELED */
        BLY_REFUSED,  /* the wait goes on; the request stays pending for the next one */
};

/* The order in which a deadlock ends waits with -EDEADLK. */
enum bly_break {
        BLY_BREAK_FIRST = 0, /* before the others */
        BLY_BREAK_LAST,      /* if nothing else is left: the wait leaves something behind */
        BLY_BREAK_NEVER,     /* not at all: the wait goes on to its end */
};

struct bly_wait_class {
        const char *what; /* name of the kind of wait, for reports */
        enum bly_answer (*on_request)(belay_task *task, struct bly_wait *wait);
        /*
         * For waits that forward requests: returns the awaited tasks that are not done, one for
         * each call, then NULL. *cursor is 0 at the first call. NULL for a class that forwards
         * nothing.
         */
        belay_task *(*next)(struct bly_wait *wait, size_t *cursor);
        /* Returns the name of the object that the task waits for, or NULL. May be NULL itself. */
        const char *(*on)(const struct bly_wait *wait);
        const char *between; /* text between `what` and that name, " of " if NULL */
        /*
         * As `next`, but for every wait for tasks, including those that forward nothing. Reports
         * and the search for circles use it. May be NULL.
         */
        belay_task *(*awaits)(const struct bly_wait *wait, size_t *cursor);
        /* True if an event from outside of the loop can end the wait. */
        bool outside;
        /* True if a dump draws the awaited tasks beneath the waiting one. */
        bool drawn;
        /* When a deadlock may end the wait. */
        enum bly_break breaks;
};

/* A wait. It lies on the stack of the waiting task for as long as the task waits. */
struct bly_wait {
        const struct bly_wait_class *class;
};

/* A wait that forwards requests. `up` and `cursor` belong to the walk in request.c. */
struct bly_pass {
        struct bly_wait wait;
        struct bly_pass *up;
        belay_task *task; /* the waiting task */
        size_t cursor;
        bool walking; /* a walk is inside of this wait */
        bool taken;   /* an awaited task accepted the request of this walk */
        bool passed;  /* this wait has forwarded a request that was accepted */
};

/* ---- observers of an end ---- */

struct bly_observer {
        struct bly_link link;
        void (*ended)(struct bly_observer *observer, belay_task *task);
};

/*
 * The owner of a task that does not belong to the loop. Notified of the end before all observers.
 */
struct bly_owner {
        void (*ended)(struct bly_owner *owner, belay_task *task);
        const char *(*describe)(const struct bly_owner *owner);
        struct bly_link members; /* list of belay_task.owned */
};

/* ---- the task ---- */

enum bly_state {
        BLY_FREE = 0, /* a record that is not in use */
        BLY_FUTURE,   /* a pending future */
        BLY_NEW,      /* ready for its first step */
        BLY_READY,    /* ready, or running if it is loop->current */
        BLY_WAITING,
        BLY_DONE,
};

enum {
        BLY_TASK_FUTURE = 1,       /* a future: it has no body */
        BLY_TASK_RETRIEVED = 2,    /* its outcome was retrieved */
        BLY_TASK_LAST = 4,         /* spawned with .last */
        BLY_TASK_ORIGIN_FRESH = 8, /* the request of `origin` has not been delivered */
        BLY_TASK_HELD = 16,        /* a shield holds a request back */
        BLY_TASK_WAVE = 32,        /* cancelled by the shutdown */
        BLY_TASK_CANCELLED = 64,   /* done, and cancelled */
        BLY_TASK_ABANDONED = 128,  /* never resumed: the shutdown reached its limit */
};

/* The origin of a request, as the record keeps it. */
struct bly_origin {
        uint64_t sender;
        const char *place;
        struct bly_text *name;
        struct bly_text *reason;
        belay_time when;
        uint8_t kind;
        uint8_t signal;
        /* operations that took available data while the request was pending */
        uint8_t outrun;
};

/*
 * A request that the outermost shield keeps in its own memory. A held request is kept in the task's
 * record until a request from within the shield needs that place. Then the held one moves here.
 */
struct bly_held {
        /* of the first; kind NONE if it is in the record, or if there is none */
        struct bly_origin origin;
        struct bly_text *message; /* of the latest */
};

/* The body and argument of a new task. The first step takes them out of the record. */
struct bly_entry {
        belay_fn *fn;
        void *arg;
        belay_destroy *destroy;
};

struct bly_local_node;

#define BLY_CACHE_LINE 64

/*
 * The record takes five cache lines. Its fields are in the order in which a task's life uses them.
 */
struct belay_task {
        /* For waking, switching and cancelling. */
        struct bly_node node;
        struct bly_context context;
        struct belay_loop *loop;
        struct bly_wait *wait; /* NULL unless waiting */
        const char *place;     /* call site of the latest wait */
        belay_time since;      /* start of that wait, as loop->now */
        int wake;              /* how it ended: 0, -ECANCELED or -EDEADLK */
        int requests;          /* requests that were not withdrawn: belay_cancelling() */

        /* reason of the latest request left for a wait: asyncio's _cancel_message */
        struct bly_text *message;
        struct bly_text *wake_reason; /* reason of the request, if `wake` is -ECANCELED */
        union {
                struct bly_timer timer; /* for the limit of the current wait */
                struct bly_entry entry; /* while the task is new */
        };
        int held;   /* those of the requests that a shield holds back */
        int shield; /* requests from a smaller depth are held back; 0 if none */
        int outcome;
        int refs;

        struct bly_origin origin;
        belay_failure *last_failure; /* detail of the latest failure */
        int last_failure_code;
        bool awaited_itself;
        bool reason_taken; /* an awaiting task received the detail of a cancellation */
        bool origin_held;  /* `origin` and `message` are those of a held request */
        bool duplicate;    /* mark of bly_watch_begin(): already in its array */

        /* The end of the task, and its place among other tasks. */
        struct bly_link observers;
        struct bly_owner *owner;
        struct bly_link owned;
        union {
                /*
                 * when done: detail of the outcome, which only the first await of a cancelled task
                 * gets
                 */
                belay_failure *failure;
                /* until then, under a memory checker: its data, on the task's stack */
                struct bly_tool_stack *tool;
        };
        void *value;
        belay_destroy *destroy_value;

        struct bly_scope *scope; /* innermost scope */
        struct bly_local_node *locals;
        struct bly_stack stack; /* none while new, unless its size is not the default */
        struct bly_text *name;
        const char *started_at;
        uint64_t id;
} __attribute__((aligned(BLY_CACHE_LINE)));

_Static_assert(sizeof(void *) != 8 || sizeof(struct belay_task) == 5 * BLY_CACHE_LINE,
               "a record is five lines of the cache");

static inline bool bly_is_done(const belay_task *task) {
        return task->node.state == BLY_DONE;
}

static inline bool bly_is_cancelled(const belay_task *task) {
        return task->node.flags & BLY_TASK_CANCELLED;
}

static inline bool bly_is_future(const belay_task *task) {
        return task->node.flags & BLY_TASK_FUTURE;
}

/* ---- records (record.c) ---- */

/* Frees a record without references. Reports a failure that was never retrieved. */
void bly_record_free(belay_task *task);
/*
 * Returns the record in use that comes after `task`, the first for NULL, and NULL after the last.
 * The order is that of the arrays.
 */
belay_task *bly_record_next(const struct belay_loop *loop, const belay_task *task);

static inline belay_task *bly_record_ref(belay_task *task) {
        task->refs++;
        return task;
}

static inline void bly_record_unref(belay_task *task) {
        if (--task->refs == 0)
                bly_record_free(task);
}

/* Returns the task's name, or "#7", for messages. */
const char *bly_task_label(const belay_task *task, char buffer[32]);

/*
 * Copies an option struct to one of `size` bytes. The caller's struct may be smaller or larger,
 * since it may come from another version of the library. NULL gives all zero.
 */
void bly_options(void *options, size_t size, const void *given);

/* ---- starting (spawn.c) ---- */

/*
 * Spawns a task for `owner`, which is NULL for the loop. Returns NULL with errno. An eager task
 * gets no owner here.
 */
belay_task *bly_spawn(struct belay_loop *loop, belay_fn *fn, void *arg,
                      const belay_spawn_options *options, struct bly_owner *owner,
                      const char *place);

/*
 * Ends a task whose body has returned `code`, or never ran (finish.c). The record may be gone when
 * this returns.
 */
void bly_finish(belay_task *task, int code);

/* ---- ending (end.c) ---- */

/*
 * Ends a future, or a task for bly_finish(). Writes the outcome, then notifies the owner and the
 * observers. Takes over `failure`.
 */
void bly_end(belay_task *task, int outcome, belay_failure *failure);

static inline void bly_observe(belay_task *task, struct bly_observer *observer) {
        bly_list_append(&task->observers, &observer->link);
}

static inline void bly_unobserve(struct bly_observer *observer) {
        bly_list_remove(&observer->link);
}

/*
 * Frees the callbacks of a future that no caller can end, since its last reference is gone. They
 * are never called.
 */
void bly_forget_callbacks(belay_task *future);
/*
 * Returns the detail of a cancellation to an awaiting task. The first caller gets `failure`, since
 * asyncio raises its exception object once. Later callers get a failure with task->message as its
 * text. The caller owns the reference. NULL if there is no reason.
 */
belay_failure *bly_take_cancellation(belay_task *task);

/* ---- the latest failure (fail.c) ---- */

/* Takes over `failure`, which may be NULL. */
/*
 * Returns the latest failure and clears it, if its code is `code`. Otherwise, or without detail,
 * returns NULL.
 */
void bly_set_last_failure(belay_task *task, int code, belay_failure *failure);
belay_failure *bly_take_last_failure(belay_task *task, int code);
/*
 * As belay_fail(), for the library itself. The text is a whole sentence that also says what the
 * code means.
 */
int bly_explain(int code, const char *format, ...) BELAY_PRINTF(2, 3);

#endif
