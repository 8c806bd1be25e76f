/* SPDX-License-Identifier: MIT */
/*
 * belay_interrupt() cancels main, as the first signal does.
 */
#include "loop/run.h"

int bly_interrupt(struct belay_loop *loop, belay_origin_kind kind, int signal, const char *place) {
        struct bly_request request = {
                .kind = kind,
                .place = place,
                .sender = bly_current(),
                .signal = signal,
        };

        if (loop->main == NULL || bly_is_done(loop->main) || loop->interrupts > 0)
                return -EALREADY;
        loop->interrupts++;
        loop->signal = signal;
        bly_request_cancel(loop->main, &request);
        return 0;
}

int belay_interrupt_placed(const char *place, belay_loop *loop) {
        if (loop == NULL)
                loop = bly_loop;
        if (loop == NULL)
                return bly_misuse(-EPERM, place, "belay_interrupt() where no loop runs");
        return bly_interrupt(loop, BELAY_ORIGIN_INTERRUPT, 0, place);
}
