/* SPDX-License-Identifier: MIT */
/*
 * The table through which a debugger finds the loops of a process. docs/debug-format.md describes
 * each field.
 *
 * Fields are only appended. A field that is obsolete, or that does not exist on this machine, is
 * BLY_ABSENT. A change of meaning requires a new version.
 */
#ifndef BLY_DEBUG_H
#define BLY_DEBUG_H

#include <stdint.h>

struct belay_loop;

enum { BLY_DEBUG_VERSION = 1, BLY_ABSENT = 0xffff };

struct belay_debug_v1 {
        char magic[8];
        uint32_t version;
        uint32_t size; /* size up to the last field that this library has */
        uint16_t pointer_size;
        uint16_t machine;  /* ELF's e_machine; 0 if saved registers are unknown */
        uint32_t pid;      /* process of these loops, as getpid() returns it there */
        uint64_t note;     /* address of note descriptor; 0 before the first loop */
        uint64_t sequence; /* odd while the list of loops changes */
        uint64_t loops;    /* address of the first struct belay_loop */

        /* Sizes and offsets in the struct that the first part of the field's name denotes. */
        uint16_t link_next;

        uint16_t loop_size, loop_next, loop_current, loop_main, loop_slabs, loop_now,
                loop_is_virtual;
        uint16_t loop_running, loop_count, loop_tid, loop_heap;

        uint16_t deadline_size, deadline_when;

        uint16_t slab_next, slab_count, slab_tasks;

        uint16_t task_size, task_state, task_must_cancel, task_flags, task_sp, task_loop, task_wait;
        uint16_t task_place, task_requests, task_held, task_shield, task_outcome, task_timer_index,
                task_timer_state;
        uint16_t task_origin, task_origin_held, task_observers, task_owner, task_owned, task_scope;
        uint16_t task_stack_low, task_stack_top, task_name, task_started_at, task_id, task_since;

        uint16_t origin_sender, origin_place, origin_name, origin_reason, origin_when, origin_kind,
                origin_signal;

        uint16_t wait_class, class_what;
        uint16_t text_chars;

        uint16_t scope_outer, scope_task, scope_place, scope_kind, scope_state, scope_depth,
                scope_when;
        uint16_t group_owner, group_wait, group_name, group_limit, group_count, group_failed,
                group_exiting;
        uint16_t group_aborting, owner_members;

        /* Offsets from a suspended task's stack pointer. */
        uint16_t saved_size, saved_pc, saved_fp;
        uint16_t saved[32]; /* indexed by the register's number in DWARF */
        uint16_t saved_d8;  /* d8 to d15 on aarch64 */
};

/*
 * The library exports this as belay_debug. It uses the hidden name itself, because a symbol of
 * another object cannot replace that.
 */
extern struct belay_debug_v1 bly_debug __attribute__((visibility("hidden")));

void bly_debug_add(struct belay_loop *loop);
void bly_debug_remove(struct belay_loop *loop);

#endif
