/* SPDX-License-Identifier: MIT */
/*
 * The table through which a debugger finds the loops of a process.
 *
 * All of it is initialized statically, except the list of loops and the fields that the first loop
 * sets. A core of a program that has just begun is therefore as readable as any other. Loops of all
 * threads change the list, but rarely.
 */
#include <sched.h>
#include <unistd.h>

#include "inspect/debug.h"
#include "scope/group.h"

#include <belay/inspect.h>

/* These numbers are part of the format in docs/debug-format.md. */
_Static_assert(BLY_FREE == 0 && BLY_FUTURE == 1 && BLY_NEW == 2 && BLY_READY == 3
                       && BLY_WAITING == 4 && BLY_DONE == 5,
               "states");
_Static_assert(BLY_TASK_FUTURE == 1 && BLY_TASK_LAST == 4 && BLY_TASK_ORIGIN_FRESH == 8
                       && BLY_TASK_HELD == 16 && BLY_TASK_WAVE == 32 && BLY_TASK_CANCELLED == 64
                       && BLY_TASK_ABANDONED == 128,
               "flags");
_Static_assert(BLY_TIMER_OFF == 0 && BLY_TIMER_HEAP == 1 && BLY_TIMER_DUE == 2, "timers");
_Static_assert(BLY_SCOPE_TIMEOUT == 0 && BLY_SCOPE_GROUP == 1 && BLY_SCOPE_SHIELD == 2
                       && BLY_SCOPE_ENTERED == 1 && BLY_SCOPE_EXPIRING == 2,
               "scopes");

struct belay_debug_v1 bly_debug = {
        .magic = { 'b', 'e', 'l', 'a', 'y', 'd', 'b', 'g' },
        .version = BLY_DEBUG_VERSION,
        /* Excludes the padding at the end, in which the next field would lie. */
        .size = offsetof(struct belay_debug_v1, saved_d8) + sizeof(uint16_t),
        .pointer_size = sizeof(void *),

        .link_next = offsetof(struct bly_link, next),

        .loop_size = sizeof(struct belay_loop),
        .loop_next = offsetof(struct belay_loop, next_loop),
        .loop_current = offsetof(struct belay_loop, current),
        .loop_main = offsetof(struct belay_loop, main),
        .loop_slabs = offsetof(struct belay_loop, slabs),
        .loop_now = offsetof(struct belay_loop, now),
        .loop_is_virtual = offsetof(struct belay_loop, is_virtual),
        .loop_running = offsetof(struct belay_loop, running),
        .loop_count = offsetof(struct belay_loop, count),
        .loop_tid = offsetof(struct belay_loop, tid),
        .loop_heap = offsetof(struct belay_loop, heap.entries),

        .deadline_size = sizeof(struct bly_heap_entry),
        .deadline_when = offsetof(struct bly_heap_entry, when),

        .slab_next = offsetof(struct bly_slab, next),
        .slab_count = offsetof(struct bly_slab, count),
        .slab_tasks = offsetof(struct bly_slab, tasks),

        .task_size = sizeof(belay_task),
        .task_state = offsetof(belay_task, node.state),
        .task_must_cancel = offsetof(belay_task, node.must_cancel),
        .task_flags = offsetof(belay_task, node.flags),
        .task_sp = offsetof(belay_task, context.sp),
        .task_loop = offsetof(belay_task, loop),
        .task_wait = offsetof(belay_task, wait),
        .task_place = offsetof(belay_task, place),
        .task_requests = offsetof(belay_task, requests),
        .task_held = offsetof(belay_task, held),
        .task_shield = offsetof(belay_task, shield),
        .task_outcome = offsetof(belay_task, outcome),
        .task_timer_index = offsetof(belay_task, timer.index),
        .task_timer_state = offsetof(belay_task, timer.state),
        .task_origin = offsetof(belay_task, origin),
        .task_origin_held = offsetof(belay_task, origin_held),
        .task_observers = offsetof(belay_task, observers),
        .task_owner = offsetof(belay_task, owner),
        .task_owned = offsetof(belay_task, owned),
        .task_scope = offsetof(belay_task, scope),
        .task_stack_low = offsetof(belay_task, stack.low),
        .task_stack_top = offsetof(belay_task, stack.top),
        .task_name = offsetof(belay_task, name),
        .task_started_at = offsetof(belay_task, started_at),
        .task_id = offsetof(belay_task, id),
        .task_since = offsetof(belay_task, since),

        .origin_sender = offsetof(struct bly_origin, sender),
        .origin_place = offsetof(struct bly_origin, place),
        .origin_name = offsetof(struct bly_origin, name),
        .origin_reason = offsetof(struct bly_origin, reason),
        .origin_when = offsetof(struct bly_origin, when),
        .origin_kind = offsetof(struct bly_origin, kind),
        .origin_signal = offsetof(struct bly_origin, signal),

        .wait_class = offsetof(struct bly_wait, class),
        .class_what = offsetof(struct bly_wait_class, what),
        .text_chars = offsetof(struct bly_text, chars),

        .scope_outer = offsetof(struct bly_scope, outer),
        .scope_task = offsetof(struct bly_scope, task),
        .scope_place = offsetof(struct bly_scope, place),
        .scope_kind = offsetof(struct bly_scope, kind),
        .scope_state = offsetof(struct bly_scope, state),
        .scope_depth = offsetof(struct bly_scope, depth),
        .scope_when = offsetof(struct bly_limited, when),
        .group_owner = offsetof(struct bly_group, owner),
        .group_wait = offsetof(struct bly_group, wait),
        .group_name = offsetof(struct bly_group, name),
        .group_limit = offsetof(struct bly_group, limit),
        .group_count = offsetof(struct bly_group, count),
        .group_failed = offsetof(struct bly_group, failed),
        .group_exiting = offsetof(struct bly_group, exiting),
        .group_aborting = offsetof(struct bly_group, aborting),
        .owner_members = offsetof(struct bly_owner, members),

#if defined(BLY_SWITCH_X86_64)
        .machine = 62,
        .saved_size = BLY_SAVED_SIZE,
        .saved_pc = BLY_SAVED_PC,
        .saved_fp = BLY_SAVED_FP,
        .saved = {
                [0 ... 2] = BLY_ABSENT,
                [3] = BLY_SAVED_RBX,
                [4 ... 5] = BLY_ABSENT,
                [6] = BLY_SAVED_RBP,
                [7 ... 11] = BLY_ABSENT,
                [12] = BLY_SAVED_R12,
                [13] = BLY_SAVED_R13,
                [14] = BLY_SAVED_R14,
                [15] = BLY_SAVED_R15,
                [16] = BLY_SAVED_PC,
                [17 ... 31] = BLY_ABSENT,
        },
        .saved_d8 = BLY_ABSENT,
#elif defined(BLY_SWITCH_AARCH64)
#define SAVED_X(n) [n] = BLY_SAVED_X19 + 8 * ((n) -19)
        .machine = 183,
        .saved_size = BLY_SAVED_SIZE,
        .saved_pc = BLY_SAVED_PC,
        .saved_fp = BLY_SAVED_FP,
        .saved = {
                [0 ... 18] = BLY_ABSENT,
                SAVED_X(19), SAVED_X(20), SAVED_X(21), SAVED_X(22), SAVED_X(23),
                SAVED_X(24), SAVED_X(25), SAVED_X(26), SAVED_X(27), SAVED_X(28),
                [29] = BLY_SAVED_X29,
                [30] = BLY_SAVED_X30,
                [31] = BLY_ABSENT,
        },
        .saved_d8 = BLY_SAVED_D8,
#elif defined(BLY_SWITCH_RISCV64)
#define SAVED_S(n) [n] = BLY_SAVED_S2 + 8 * ((n) -18)
        .machine = 243,
        .saved_size = BLY_SAVED_SIZE,
        .saved_pc = BLY_SAVED_PC,
        .saved_fp = BLY_SAVED_FP,
        .saved = {
                [0] = BLY_ABSENT,
                [1] = BLY_SAVED_RA,
                [2 ... 7] = BLY_ABSENT,
                [8] = BLY_SAVED_S0,
                [9] = BLY_SAVED_S1,
                [10 ... 17] = BLY_ABSENT,
                SAVED_S(18), SAVED_S(19), SAVED_S(20), SAVED_S(21), SAVED_S(22),
                SAVED_S(23), SAVED_S(24), SAVED_S(25), SAVED_S(26), SAVED_S(27),
                [28 ... 31] = BLY_ABSENT,
        },
        .saved_d8 = BLY_ABSENT,
#else
        .saved_size = BLY_ABSENT,
        .saved_pc = BLY_ABSENT,
        .saved_fp = BLY_ABSENT,
        .saved = { [0 ... 31] = BLY_ABSENT },
        .saved_d8 = BLY_ABSENT,
#endif
};

extern struct belay_debug_v1 belay_debug __attribute__((alias("bly_debug")));
extern const char bly_debug_note[] __attribute__((visibility("hidden")));

/* ---- the list ---- */

/*
 * Process ID of the process that is changing the list, or 0. It acts as a lock. A child that is
 * forked during a change inherits its parent's ID, but no thread that would reset it. The child
 * therefore ignores any ID but its own.
 */
static pid_t holder;

static void lock(pid_t self) {
        pid_t seen = 0;

        while (!__atomic_compare_exchange_n(&holder, &seen, self, false, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED)) {
                if (seen == self) {
                        sched_yield();
                        seen = 0;
                }
        }
        /* The sequence is odd already if this process was forked during a change. */
        __atomic_store_n(&bly_debug.sequence, bly_debug.sequence | 1, __ATOMIC_RELAXED);
}

static void unlock(void) {
        __atomic_store_n(&bly_debug.sequence, bly_debug.sequence + 1, __ATOMIC_RELEASE);
        __atomic_store_n(&holder, 0, __ATOMIC_RELEASE);
}

/* The list is changed by release stores. A reader sees the odd sequence before any change. */

static uint64_t address_of(const void *pointer) {
        return (uintptr_t) pointer;
}

static struct belay_loop *first(void) {
        return (struct belay_loop *) (uintptr_t) bly_debug.loops;
}

void bly_debug_add(struct belay_loop *loop) {
        pid_t self = getpid();

        lock(self);
        bly_debug.note = address_of(bly_debug_note);
        if (bly_debug.pid != (uint32_t) self) {
                /* The process's first loop. In a forked child, the list is the parent's. */
                bly_debug.pid = (uint32_t) self;
                __atomic_store_n(&bly_debug.loops, 0, __ATOMIC_RELEASE);
        }
        loop->next_loop = first();
        __atomic_store_n(&bly_debug.loops, address_of(loop), __ATOMIC_RELEASE);
        unlock();
}

void bly_debug_remove(struct belay_loop *loop) {
        struct belay_loop *before = NULL, *other;

        lock(getpid());
        for (other = first(); other != NULL && other != loop; other = other->next_loop)
                before = other;
        if (other != NULL && before != NULL)
                __atomic_store_n(&before->next_loop, loop->next_loop, __ATOMIC_RELEASE);
        else if (other != NULL)
                __atomic_store_n(&bly_debug.loops, address_of(loop->next_loop), __ATOMIC_RELEASE);
        unlock();
}
