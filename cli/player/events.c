/* SPDX-License-Identifier: MIT */
/*
 * The trace: the text of events, failures and outcomes.
 */
#include "player.h"

enum {
        MOST_EVENTS = 4000,
};

static void record(struct player *player, belay_time now, const char *label, const char *format,
                   va_list list) {
        if (player->giving_up)
                return;
        if (++player->events > MOST_EVENTS) {
                give_up(player, player->scenario->line,
                        "more than %d events: the scenario does not end", MOST_EVENTS);
                return;
        }
        text_add(player->trace, "%g %s ", (double) now / 1e9, label);
        text_add_list(player->trace, format, list);
        text_add(player->trace, "\n");
}

void say(struct frame *frame, const char *format, ...) {
        va_list list;

        va_start(list, format);
        record(frame->player, belay_now(), frame->label, format, list);
        va_end(list);
}

void say_as(struct player *player, belay_time now, const char *label, const char *format, ...) {
        va_list list;

        va_start(list, format);
        record(player, now, label, format, list);
        va_end(list);
}

static const struct code_name {
        int code;
        const char *name;
} code_names[] = {
        { -ETIMEDOUT, "timeout" }, { -ENODATA, "empty" },
        { -ENOBUFS, "full" },      { -ESHUTDOWN, "shutdown" },
        { -ENOTCONN, "broken" },   { -EALREADY, "invalid" },
        { -EPERM, "misuse" },      { -EDEADLK, "misuse" },
        { -EINVAL, "misuse" },     { 0, NULL },
};

static void name_code(int code, const char *detail, struct text *name) {
        const struct code_name *known = code_names;

        while (known->name && known->code != code)
                known++;
        if (code == -ECANCELED)
                text_add(name, detail ? "cancelled:%s" : "cancelled", detail);
        else if (code == SCENARIO_ERROR && detail)
                text_add(name, "error:%s", detail);
        else if (known->name)
                text_add(name, "%s", known->name);
        else
                text_add(name, "unnamed:%d", -code);
}

void name_failure(const belay_failure *failure, struct text *name) {
        size_t count = belay_failure_count(failure);

        if (count == 0 || belay_failure_code(failure) == -ECANCELED) {
                name_code(belay_failure_code(failure), belay_failure_text(failure), name);
                return;
        }
        for (size_t i = 0; i < count; i++) {
                text_add(name, i ? "," : "group[");
                name_failure(belay_failure_at(failure, i), name);
        }
        text_add(name, "]");
}

void name_outcome(belay_task *task, struct text *name) {
        const belay_failure *failure;

        if (!belay_done(task))
                text_add(name, "pending");
        else if (belay_cancelled(task))
                text_add(name, "cancelled");
        else if (belay_result(task) >= 0)
                text_add(name, "ok:%s", value_of(task));
        else if ((failure = belay_failure_of(task)))
                name_failure(failure, name);
        else
                name_code(belay_result(task), NULL, name);
}

bool failure_is(const belay_failure *failure, enum failure_kind kind) {
        int code = belay_failure_code(failure);
        bool group = code != -ECANCELED && belay_failure_count(failure) > 0;

        switch (kind) {
        case KIND_CANCELLED:
                return code == -ECANCELED;
        case KIND_GROUP:
                return group;
        case KIND_TIMEOUT:
                return code == -ETIMEDOUT && !group;
        case KIND_ERROR:
                return code != -ECANCELED && code != -ETIMEDOUT && !group;
        case KIND_ANY:
                return true;
        }
        return false;
}
