/* SPDX-License-Identifier: MIT */
/*
 * What came from outside: signals, and what other threads posted.
 */
#include "loop/run.h"

void bly_attend(struct belay_loop *loop) {
        bly_inbox_take(loop->inbox);
        bly_signals_attend(loop);
}
