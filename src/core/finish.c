/* SPDX-License-Identifier: MIT */
/*
 * What a task came to when its function has returned.
 */
#include "core/locals.h"
#include "core/wait.h"

void bly_finish(belay_task *self, int code) {
        belay_failure *failure = NULL;

        if (code >= 0) {
                if (self->node.must_cancel || (self->node.flags & BLY_TASK_HELD)) {
                        /* It was cancelled after its last wait: cancelled, whatever it returned. */
                        self->node.must_cancel = false;
                        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                        code = -ECANCELED;
                }
        } else {
                failure = bly_take_last_failure(self, code);
                if (code == -ECANCELED) {
                        /* From here on only the failure knows the reason, and gives it away once. */
                        bly_text_release(self->message);
                        self->message = NULL;
                        if (self->origin.kind == BELAY_ORIGIN_NONE)
                                self->origin = (struct bly_origin) {
                                        .kind = BELAY_ORIGIN_BODY,
                                        .asker = self->id,
                                        .name = bly_text_ref(self->name),
                                        .when = self->loop->now,
                                };
                }
        }
        /* Nobody can reach these any more, whoever has a handle. */
        if (unlikely(self->last_failure != NULL))
                bly_set_last_failure(self, 0, NULL);
        if (unlikely(self->locals != NULL)) {
                struct bly_local_node *locals = self->locals;

                self->locals = NULL;
                bly_locals_release(locals);
        }
        bly_end(self, code, failure);
}
