/* SPDX-License-Identifier: MIT */
/*
 * What a dump says of one task or one scope, in one line.
 */
#ifndef BLY_LINE_H
#define BLY_LINE_H

#include "inspect/out.h"
#include "scope/scope.h"

void bly_line_loop(struct bly_out *out, const struct belay_loop *loop);
void bly_line_task(struct bly_out *out, const belay_task *task);
void bly_line_scope(struct bly_out *out, const struct bly_scope *scope);

#endif
