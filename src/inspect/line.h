/* SPDX-License-Identifier: MIT */
/*
 * The line that a dump prints for a loop, a task or a scope.
 */
#ifndef BLY_LINE_H
#define BLY_LINE_H

#include "inspect/out.h"
#include "scope/scope.h"

void bly_line_loop(struct bly_out *out, const struct belay_loop *loop);
void bly_line_task(struct bly_out *out, const belay_task *task);
void bly_line_scope(struct bly_out *out, const struct bly_scope *scope);

#endif
