/* SPDX-License-Identifier: MIT */
/*
 * The origin of a task's cancellation requests.
 */
#include "core/wait.h"

bool belay_origin_of(const belay_task *task, belay_origin *origin) {
        static const struct bly_origin none;
        const struct bly_origin *kept = task != NULL ? &task->origin : &none;
        belay_origin known = {
                .size = origin->size,
                .kind = (belay_origin_kind) kept->kind,
                .signal = kept->signal,
                .task = kept->sender,
                .name = bly_text_chars(kept->name),
                .place = kept->place,
                .reason = bly_text_chars(kept->reason),
                .when = kept->when,
        };

        memcpy(origin, &known, origin->size < sizeof(known) ? origin->size : sizeof(known));
        return kept->kind != BELAY_ORIGIN_NONE;
}

const char *belay_origin_name(belay_origin_kind kind) {
        static const char *const names[] = {
                [BELAY_ORIGIN_NONE] = "none",         [BELAY_ORIGIN_CALLER] = "caller",
                [BELAY_ORIGIN_TIMEOUT] = "timeout",   [BELAY_ORIGIN_SIBLING] = "sibling",
                [BELAY_ORIGIN_GROUP] = "group",       [BELAY_ORIGIN_AWAITER] = "awaiter",
                [BELAY_ORIGIN_SHUTDOWN] = "shutdown", [BELAY_ORIGIN_INTERRUPT] = "interrupt",
                [BELAY_ORIGIN_SIGNAL] = "signal",     [BELAY_ORIGIN_BODY] = "body",
                [BELAY_ORIGIN_RACE] = "race",         [BELAY_ORIGIN_TEST] = "test",
        };

        return (size_t) kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}
