/* SPDX-License-Identifier: MIT */
/*
 * The line that a dump prints for a loop or a scope.
 */
#ifndef BLY_SCOPE_LINE_H
#define BLY_SCOPE_LINE_H

#include "base/out.h"
#include "scope/scope.h"

void bly_loop_line(struct bly_out *out, const struct belay_loop *loop);
/* Writes a line without its end. */
void bly_scope_line(struct bly_out *out, const struct bly_scope *scope);

#endif
