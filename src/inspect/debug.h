/* SPDX-License-Identifier: MIT */
/*
 * The loops of the process, for those who look from outside: what docs/debug-format.md describes, word for word.
 *
 * Only appended to. A field that is not there any more, or not on this machine, is BLY_ABSENT; what changes its
 * meaning makes another version.
 */
#ifndef BLY_DEBUG_H
#define BLY_DEBUG_H

#include <stdint.h>

struct belay_loop;

enum { BLY_DEBUG_VERSION = 1, BLY_ABSENT = 0xffff };

struct belay_debug_v1 {
        char magic[8];
        uint32_t version;
        uint32_t size;                  /* of this struct: how far it was appended to */
        uint16_t pointer_size;
        uint16_t machine;               /* ELF's e_machine; 0: suspended tasks cannot be unwound from here */
        uint32_t pid;                   /* whose loops these are, as it numbers itself */
        uint64_t note;                  /* the address of the note's descriptor; 0: there was no loop yet */
        uint64_t sequence;              /* odd while the list of loops changes */
        uint64_t loops;                 /* the first struct belay_loop */

        /* Sizes, and offsets from the beginning of the struct that the first word names. */
        uint16_t link_next;

        uint16_t loop_size, loop_next, loop_current, loop_main, loop_slabs, loop_now, loop_is_virtual;
        uint16_t loop_running, loop_count, loop_tid, loop_heap;

        uint16_t deadline_size, deadline_when;

        uint16_t slab_next, slab_count, slab_tasks;

        uint16_t task_size, task_state, task_must_cancel, task_flags, task_sp, task_loop, task_wait;
        uint16_t task_place, task_requests, task_held, task_shield, task_outcome, task_timer_index, task_timer_state;
        uint16_t task_origin, task_origin_held, task_observers, task_owner, task_owned, task_scope;
        uint16_t task_stack_low, task_stack_top, task_name, task_started_at, task_id, task_since;

        uint16_t origin_asker, origin_place, origin_name, origin_reason, origin_when, origin_kind, origin_signal;

        uint16_t wait_class, class_what;
        uint16_t text_chars;

        uint16_t scope_outer, scope_task, scope_place, scope_kind, scope_state, scope_depth, scope_when;
        uint16_t group_owner, group_wait, group_name, group_limit, group_count, group_failed, group_exiting;
        uint16_t group_aborting, owner_members;

        /* Offsets from a suspended task's stack pointer. */
        uint16_t saved_size, saved_pc, saved_fp;
        uint16_t saved[32];             /* by the number that DWARF has for the register */
        uint16_t saved_d8;              /* aarch64: d8 to d15 */
};

/* Under its own name it is exported; inside, nobody but the library itself can take its place. */
extern struct belay_debug_v1 bly_debug __attribute__((visibility("hidden")));

void bly_debug_add(struct belay_loop *loop);
void bly_debug_remove(struct belay_loop *loop);

#endif
