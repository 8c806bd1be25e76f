/* SPDX-License-Identifier: MIT */
/*
 * The line of a dump for a loop or a scope.
 */
#include "cancel/task_line.h"
#include "inspect/scope_line.h"
#include "scope/group.h"

/* ---- the loop ---- */

void bly_loop_line(struct bly_out *out, const struct belay_loop *loop) {
        size_t ready = 0, calls = 0, timers = loop->heap.count - loop->heap.dead;
        belay_time now = belay_loop_now(loop);

        for (const struct bly_node *node = loop->ready.head; node != NULL; node = node->next)
                if (node->kind == BLY_NODE_CALL)
                        calls++;
                else
                        ready++;
        bly_out(out, "loop %p (%s): %zu task%s, %zu ready", (const void *) loop,
                loop->running ? "running" : "suspended", loop->count, bly_plural(loop->count),
                ready);
        if (calls > 0)
                bly_out(out, ", %zu callback%s", calls, bly_plural(calls));
        bly_out(out, ", %zu timer%s", timers, bly_plural(timers));
        if (loop->is_virtual)
                bly_out_span(out, ", virtual clock at ", now, "");
        else
                bly_out(out, ", clock at %lld.%06lld s", (long long) (now / BELAY_SECOND),
                        (long long) (now % BELAY_SECOND / BELAY_MICROSECOND));
        if (loop->seed != 0)
                bly_out(out, ", seed %llu", (unsigned long long) loop->seed);
        if (loop->wave > 0)
                bly_out(out, ", shutting down: %zu cancelled task%s still there", loop->wave,
                        bly_plural(loop->wave));
        bly_out(out, "\n");
}

/* ---- a scope ---- */

static size_t length_of(const struct bly_link *list) {
        size_t length = 0;

        for (const struct bly_link *link = list->next; link != list; link = link->next)
                length++;
        return length;
}

static void put_group(struct bly_out *out, const struct bly_group *group) {
        size_t in_line = length_of(&group->room);

        bly_out(out, ", %zu member%s", group->count, bly_plural(group->count));
        if (group->limit > 0)
                bly_out(out, " of %zu at once", group->limit);
        if (in_line > 0)
                bly_out(out, ", %zu wait%s for room", in_line, in_line == 1 ? "s" : "");
        if (group->supervise)
                bly_out(out, ", supervised");
        if (group->failed > 0)
                bly_out(out, ", %zu failed", group->failed);
        if (group->aborting)
                bly_out(out, ", cancelled");
}

static void put_limit(struct bly_out *out, const struct bly_limited *limited, belay_time now) {
        bool is_shield = limited->scope.kind == BLY_SCOPE_SHIELD;

        if (limited->scope.state == BLY_SCOPE_EXPIRING)
                bly_out_span(out, ", expired ", now - limited->when, " ago");
        else if (limited->when != BELAY_NEVER)
                bly_out_left(out, ", ", limited->when, now);
        else
                bly_out(out, is_shield ? ", no limit" : ", not set");
}

void bly_scope_line(struct bly_out *out, const struct bly_scope *scope) {
        belay_time now = bly_now(scope->task->loop);

        switch (scope->kind) {
        case BLY_SCOPE_GROUP: {
                const struct bly_group *group = container_of(scope, struct bly_group, scope);

                bly_out(out, "group");
                if (group->name != NULL) {
                        bly_out(out, " \"");
                        bly_out_text(out, group->name);
                        bly_out(out, "\"");
                }
                bly_out_place(out, " entered at ", scope->place);
                put_group(out, group);
                break;
        }
        case BLY_SCOPE_TIMEOUT:
        case BLY_SCOPE_SHIELD:
                bly_out(out, scope->kind == BLY_SCOPE_TIMEOUT ? "timeout" : "shielded region");
                bly_out_place(out, " entered at ", scope->place);
                put_limit(out, container_of(scope, struct bly_limited, scope), now);
                break;
        }
}
