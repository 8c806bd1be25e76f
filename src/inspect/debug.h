/* SPDX-License-Identifier: MIT */
/*
 * The loops of the process, for those who look from outside.
 */
#ifndef BLY_DEBUG_H
#define BLY_DEBUG_H

struct belay_loop;

void bly_debug_add(struct belay_loop *loop);
void bly_debug_remove(struct belay_loop *loop);

#endif
