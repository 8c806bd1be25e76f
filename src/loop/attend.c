/* SPDX-License-Identifier: MIT */
/*
 * Handles signals, and the items that other threads posted.
 */
#include "loop/run.h"

void bly_attend(struct belay_loop *loop) {
        bly_inbox_take(loop->inbox);
        bly_signals_attend(loop);
}
