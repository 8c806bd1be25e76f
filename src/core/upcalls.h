/* SPDX-License-Identifier: MIT */
/*
 * Functions of higher layers that the core calls. tests/layers.sh allows these upward calls and no
 * others.
 */
#ifndef BLY_UPCALLS_H
#define BLY_UPCALLS_H

#include "core/loop.h"

/* loop/attend.c: handles signals and the inbox. Called if inbox->attention is set. */
void bly_attend(struct belay_loop *loop);

/*
 * io/io.c: polls descriptors and completed operations without waiting, unless it did so recently.
 */
void bly_io_poll(struct belay_loop *loop);

/*
 * scope/scope.c: called when a task ends inside scopes that it has not left. Makes those scopes
 * ineffective.
 */
void bly_forget_scopes(belay_task *task);

/*
 * scope/shield.c: returns the memory in the outermost shield for a held request that has no room in
 * the record.
 */
struct bly_held *bly_shield_held(belay_task *task);
/* scope/shield.c: makes the outermost shield that holds back a request from `depth` count it. */
void bly_shield_count(belay_task *task, int depth);

#endif
