/* SPDX-License-Identifier: MIT */
/*
 * Task-local values: a list that never changes except by new nodes in front, so that a child shares
 * its parent's list.
 */
#ifndef BLY_LOCALS_H
#define BLY_LOCALS_H

#include "base/base.h"

struct bly_local_node;

struct bly_local_node *bly_locals_ref(struct bly_local_node *locals);
void bly_locals_release(struct bly_local_node *locals);

#endif
