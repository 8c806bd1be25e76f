/* SPDX-License-Identifier: MIT */
/*
 * Output and checks of these programs.
 *
 *     shows(sentence)      prints the sentence; time counts from here
 *     say(format, ...)     prints a line: the time, the task's name, the text
 *     expect(condition)    evaluates the condition, and complains if it is false
 *     verdict(rc)          the exit code for main(): 0 if rc is 0 and no check failed
 *     state(task)          "pending", "cancelled", "failed", or "done"
 *     same(a, b)           whether the texts are equal; NULL equals no text
 *
 * SECOND is the real duration of a second of the program. Each program defines it before it
 * includes this header.
 */
#ifndef SAY_H
#define SAY_H

#ifndef SECOND
#error "define SECOND before including say.h"
#endif

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <belay.h>

static belay_time say_began;
static int say_wrong;

static inline void shows(const char *sentence) {
        setvbuf(stdout, NULL, _IOLBF, 0);
        puts(sentence);
        say_began = belay_now();
}

static inline void say(const char *format, ...) BELAY_PRINTF(1, 2);
static inline void say(const char *format, ...) {
        const belay_task *self = belay_self();
        const char *name = self ? belay_name(self) : NULL;
        va_list arguments;

        printf("%6.2f  %-7s ", (double) (belay_now() - say_began) / (double) SECOND,
               name ? name : "-");
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        putchar('\n');
}

#define expect(condition) say_expect((condition), #condition, BELAY_HERE)

static inline void say_expect(bool came_true, const char *condition, const char *place) {
        if (came_true)
                return;
        say_wrong++;
        fprintf(stderr, "WRONG: %s: false: %s\n", place, condition);
}

static inline int verdict(int rc) {
        if (rc < 0)
                fprintf(stderr, "WRONG: the run ended with: %s\n", strerror(-rc));
        return rc < 0 || say_wrong > 0;
}

static inline const char *state(belay_task *task) {
        if (!belay_done(task))
                return "pending";
        if (belay_cancelled(task))
                return "cancelled";
        return belay_result(task) < 0 ? "failed" : "done";
}

static inline bool same(const char *a, const char *b) {
        return a && b && strcmp(a, b) == 0;
}

#endif
