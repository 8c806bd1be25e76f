/* SPDX-License-Identifier: MIT */
/*
 * Functions of higher layers that the core calls. tests/layers.sh allows these calls, and no others, to go upwards.
 */
#ifndef BLY_UPCALLS_H
#define BLY_UPCALLS_H

#include "core/loop.h"

/* loop/attend.c: handles signals and the inbox, since inbox->attention is set. */
void bly_attend(struct belay_loop *loop);

/* io/io.c: looks which descriptors are ready and which operations have completed, without waiting. */
void bly_io_look(struct belay_loop *loop);

/* scope/scope.c: a task has ended within scopes that it had not left. They have no effect from then on. */
void bly_forget_scopes(belay_task *task);

/* scope/shield.c: where a request for a shielded task is kept if the place in the record is taken: in the outermost shield. */
struct bly_held *bly_shield_held(belay_task *task);
void bly_shield_count(belay_task *task, int depth);

#endif
