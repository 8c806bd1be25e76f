/* SPDX-License-Identifier: MIT */
/*
 * The end of a task whose body has returned or never ran: the outcome that follows from the return
 * value.
 */
#include "core/locals.h"
#include "core/wait.h"

void bly_finish(belay_task *self, int code) {
        belay_failure *failure = NULL;

        if (code >= 0) {
                if (self->node.must_cancel || (self->node.flags & BLY_TASK_HELD)) {
                        /*
                         * A request arrived after the last wait, or a shield holds one back. The
                         * task ends cancelled, although its body returned a result.
                         */
                        self->node.must_cancel = false;
                        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                        code = -ECANCELED;
                }
        } else {
                failure = bly_take_last_failure(self, code);
                if (code == -ECANCELED) {
                        /*
                         * From here on the reason is only in the failure, which
                         * bly_take_cancellation() hands out once.
                         */
                        bly_text_release(self->message);
                        self->message = NULL;
                        if (self->origin.kind == BELAY_ORIGIN_NONE)
                                self->origin = (struct bly_origin) {
                                        .kind = BELAY_ORIGIN_BODY,
                                        .sender = self->id,
                                        .name = bly_text_ref(self->name),
                                        .when = self->loop->now,
                                };
                }
        }
        /* No handle gives access to these. */
        if (unlikely(self->last_failure != NULL))
                bly_set_last_failure(self, 0, NULL);
        if (unlikely(self->locals != NULL)) {
                struct bly_local_node *locals = self->locals;

                self->locals = NULL;
                bly_locals_release(locals);
        }
        bly_end(self, code, failure);
}
