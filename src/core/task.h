/* SPDX-License-Identifier: MIT */
/*
 * The record of a task, what it waits for, and who is told of its end.
 *
 * Records are apart from stacks and dense in arrays, so that cancelling a million sleepers does not touch a
 * million stacks.
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

/* ---- what stands in the ready queue ---- */

enum bly_node_kind {
        BLY_NODE_TASK,          /* struct belay_task: goes on */
        BLY_NODE_NEW,           /* struct belay_task: begins */
        BLY_NODE_CALL,          /* struct bly_call: is called on the loop's own stack */
};

struct bly_node {
        struct bly_node *next;
        uint8_t kind;
        uint8_t state;          /* of a task: enum bly_state */
        uint8_t must_cancel;    /* of a task: a request waits for its next wait */
        uint8_t flags;          /* of a task: BLY_TASK_... */
};

struct bly_call {
        struct bly_node node;
        void (*fn)(struct bly_call *call);
};

/* ---- timers ---- */

enum bly_timer_state {
        BLY_TIMER_OFF = 0,
        BLY_TIMER_HEAP,         /* in the heap */
        BLY_TIMER_DUE,          /* its time has come, it stands in line to be fired */
};

struct bly_timer {
        size_t index;           /* of its entry among the heap's */
        void (*fire)(struct bly_timer *timer);
        enum bly_timer_state state;
};

/* ---- what a task waits for ---- */

struct bly_wait;

/* How a wait takes a request for cancellation: the one place where the two meet. */
enum bly_answer {
        BLY_DETACHED,           /* the wait is over, its task is to be woken with -ECANCELED */
        BLY_REFUSED,             /* it ends by itself; the request stays for the next wait */
};

enum bly_break {
        BLY_BREAK_FIRST = 0,     /* it fails with -EDEADLK, and that is that */
        BLY_BREAK_LAST,         /* only if nothing else can be: something is left behind then */
        BLY_BREAK_NEVER,          /* never: it goes on to its end */
};

struct bly_wait_class {
        const char *what;       /* a word for reports */
        enum bly_answer (*on_request)(belay_task *task, struct bly_wait *wait);
        /*
         * For those that pass on: the tasks that are awaited and not done, one for each call, NULL after the last.
         * *cursor is 0 at first. Without it, nobody's end is waited for.
         */
        belay_task *(*next)(struct bly_wait *wait, size_t *cursor);
        /* The name of what is waited for, NULL if it has none; may be NULL. */
        const char *(*on)(const struct bly_wait *wait);
        const char *between;    /* what stands between the word and the name; NULL: " of " */
        /* Who keeps it waiting, for reports and for circles: as next, but of all waits for tasks. May be NULL. */
        belay_task *(*awaits)(const struct bly_wait *wait, size_t *cursor);
        /* A wait that something outside of the loop can end. */
        bool outside;
        /* How hard it is to give this wait up to break a deadlock. */
        enum bly_break breaks;
};

/* Lies on the stack of the task that waits, for as long as it does. */
struct bly_wait {
        const struct bly_wait_class *class;
};

/* A wait that passes requests on. `up` and `cursor` serve the walk of a request, see request.c. */
struct bly_pass {
        struct bly_wait wait;
        struct bly_pass *up;
        belay_task *task;       /* the one that waits */
        size_t cursor;
        bool walking;           /* a request is on its way through here */
        bool taken;             /* and somebody further on took it */
        bool passed;            /* a request was passed on and taken, ever */
};

/* ---- who is told of an end ---- */

struct bly_observer {
        struct bly_link link;
        void (*ended)(struct bly_observer *observer, belay_task *task);
};

/* What a task belongs to, if not to the loop: told of its end before all others. */
struct bly_owner {
        void (*ended)(struct bly_owner *owner, belay_task *task);
        const char *(*describe)(const struct bly_owner *owner);
        struct bly_link members;        /* belay_task.owned */
};

/* ---- the task ---- */

enum bly_state {
        BLY_FREE = 0,           /* the record is not in use */
        BLY_FUTURE,             /* a future that is pending */
        BLY_NEW,                /* ready for its first step */
        BLY_READY,              /* or running, which is what loop->current is */
        BLY_WAITING,
        BLY_DONE,
};

enum {
        BLY_TASK_FUTURE = 1,            /* has no body */
        BLY_TASK_LOOKED_AT = 2,         /* somebody saw its failure */
        BLY_TASK_LAST = 4,              /* spawned with .last */
        BLY_TASK_ORIGIN_FRESH = 8,      /* the origin's request was not delivered yet */
        BLY_TASK_HELD = 16,             /* a request is held back by a shield */
        BLY_TASK_WAVE = 32,             /* cancelled by the shut-down */
        BLY_TASK_CANCELLED = 64,        /* done, and cancelled */
        BLY_TASK_ABANDONED = 128,       /* the shut-down's limit was met: never resumed */
};

/* The origin of a request, as kept. */
struct bly_origin {
        uint64_t asker;
        const char *place;
        struct bly_text *name;
        struct bly_text *reason;
        belay_time when;
        uint8_t kind;
        uint8_t signal;
        uint8_t outrun;                 /* operations that found what they were for while the request was pending */
};

/*
 * A request that is held back stands in the record as any other does, until one from within the shield needs the place: then
 * it waits here, in the region's own memory.
 */
struct bly_held {
        struct bly_origin origin;       /* of the first that is held back; of no kind: it is in the record, or there is none */
        struct bly_text *message;       /* of the latest */
};

/* What a task begins with. Its own business from then on. */
struct bly_entry {
        belay_fn *fn;
        void *arg;
        belay_destroy *destroy;
};

struct bly_local_node;

#define BLY_CACHE_LINE 64

/* Five lines of the cache, in the order in which the life of a task comes by them. */
struct belay_task {
        /* Waking, switching, cancelling. */
        struct bly_node node;
        struct bly_context context;
        struct belay_loop *loop;
        struct bly_wait *wait;          /* NULL unless waiting */
        const char *place;              /* of the latest wait */
        belay_time since;               /* when it began, by the loop's latest look at its clock */
        int wake;                       /* what it was ended with: 0, -ECANCELED, -EDEADLK */
        int requests;                   /* belay_cancelling() */

        struct bly_text *message;       /* of the latest request that was left for the next wait: asyncio's _cancel_message */
        struct bly_text *wake_reason;   /* with a wake of -ECANCELED */
        union {
                struct bly_timer timer; /* for the limit of a wait of its own */
                struct bly_entry entry; /* while it is new */
        };
        int held;                       /* of the requests, those held back by a shield */
        int shield;                     /* requests from scopes less deep than this are held back; 0: none are */
        int outcome;
        int refs;

        struct bly_origin origin;
        belay_failure *last_failure;            /* what the task was left with at its latest failure */
        int last_failure_code;
        bool awaited_itself;
        bool reason_taken;              /* of a cancellation: somebody got `failure` */
        bool origin_held;               /* the origin and the message are those of a request that a shield holds back */
        bool duplicate;                      /* for bly_watch_begin(): met before in the same array */

        /* Its end and its place among others. */
        struct bly_link observers;
        struct bly_owner *owner;
        struct bly_link owned;
        union {
                belay_failure *failure;         /* done: of the outcome; of a cancellation, what the first to await it gets */
                struct bly_tool_stack *tool;    /* alive, under a memory checker: on its stack */
        };
        void *value;
        belay_destroy *destroy_value;

        struct bly_scope *scope;        /* the innermost */
        struct bly_local_node *locals;
        struct bly_stack stack;         /* none while it is new, if it is to have one of the default size */
        struct bly_text *name;
        const char *started_at;
        uint64_t id;
} __attribute__((aligned(BLY_CACHE_LINE)));

_Static_assert(sizeof(void *) != 8 || sizeof(struct belay_task) == 5 * BLY_CACHE_LINE, "a record is five lines of the cache");

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

void bly_record_free(belay_task *task);
/* The records of a loop in the order of their arrays: NULL for the first, NULL after the last. */
belay_task *bly_record_next(const struct belay_loop *loop, const belay_task *task);

static inline belay_task *bly_record_ref(belay_task *task) {
        task->refs++;
        return task;
}

static inline void bly_record_unref(belay_task *task) {
        if (--task->refs == 0)
                bly_record_free(task);
}

/* Text for a person: its name, or "#7". */
const char *bly_task_label(const belay_task *task, char buffer[32]);

/* Copies options of which the caller may know fewer, or more, than we do; NULL is all zero. */
void bly_options(void *options, size_t size, const void *given);

/* ---- starting (spawn.c) ---- */

/* `owner` may be NULL. NULL with errno. */
belay_task *bly_spawn(struct belay_loop *loop, belay_fn *fn, void *arg, const belay_spawn_options *options,
                      struct bly_owner *owner, const char *place);

/* Ends a task whose function has returned `code` (finish.c). The record may be gone when it returns. */
void bly_finish(belay_task *task, int code);

/* ---- ending (end.c) ---- */

/* A future's end, or a task's by whom it never ran: writes the outcome and tells everybody. Takes over `failure`. */
void bly_end(belay_task *task, int outcome, belay_failure *failure);

static inline void bly_observe(belay_task *task, struct bly_observer *observer) {
        bly_list_append(&task->observers, &observer->link);
}

static inline void bly_unobserve(struct bly_observer *observer) {
        bly_list_remove(&observer->link);
}

/* The callbacks of a future that nobody can end any more: they are never called. */
void bly_forget_callbacks(belay_task *future);
/*
 * What a cancelled task gives the next to await it, and no other: asyncio hands its error out once. A reference of the
 * caller's; NULL: no reason.
 */
belay_failure *bly_take_cancellation(belay_task *task);

/* ---- the failure that a task was left with (fail.c) ---- */

/* Takes over `failure`, which may be NULL. */
void bly_set_last_failure(belay_task *task, int code, belay_failure *failure);
belay_failure *bly_take_last_failure(belay_task *task, int code);
/* As belay_fail(), by the library itself: the text is a whole sentence, which says what the code stands for, too. */
int bly_explain(int code, const char *format, ...) BELAY_PRINTF(2, 3);

#endif
