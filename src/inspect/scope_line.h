/* SPDX-License-Identifier: MIT */
/*
 * The line that a dump prints for a loop or a scope.
 */
#ifndef BLY_LINE_H
#define BLY_LINE_H

#include "base/out.h"
#include "scope/scope.h"

void bly_line_loop(struct bly_out *out, const struct belay_loop *loop);
/* Writes a line without its end. */
void bly_line_scope(struct bly_out *out, const struct bly_scope *scope);

#endif
