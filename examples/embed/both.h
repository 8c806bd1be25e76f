/* SPDX-License-Identifier: MIT */
/*
 * The tasks, callbacks and checks that the programs of this directory share.
 *
 *     a timer of the other loop     sends numbers to a task, wakes a task that reads bytes,
 *                                   and finally cancels a task
 *     a descriptor of that loop     receives a byte each time a task has slept
 *     main of belay                 ends when all of its tasks have ended
 *
 * So each side has timers and descriptors, and each wakes the other.
 */
#ifndef BOTH_H
#define BOTH_H

#include <belay.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICKS = 8 }; /* of the other loop's timer */
#define TICK_MILLISECONDS 10

static struct {
        belay_loop *loop;
        belay_queue *numbers;
        belay_task *sender;
        int to_task[2], from_task[2];
        int ticks, sum, bytes_read, bytes_sent, bytes_seen;
        bool was_cancelled;
} both;

/* ---- the tasks ---- */

static int add_numbers(void *arg) {
        void *number;
        int rc = 0;

        (void) arg;
        for (int i = 1; i < TICKS && rc == 0; i++) {
                rc = belay_queue_get(both.numbers, &number);
                if (rc == 0)
                        both.sum += (int) (intptr_t) number;
        }
        return rc;
}

static int read_bytes(void *arg) {
        char byte;
        int rc;

        (void) arg;
        while (both.bytes_read < TICKS / 2) {
                rc = belay_wait_fd(both.to_task[0], BELAY_READABLE);
                if (rc < 0)
                        return rc;
                both.bytes_read += (int) read(both.to_task[0], &byte, 1);
        }
        return 0;
}

/* Sends bytes until the other loop cancels the task. */
static int send_bytes(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_sleep(3 * BELAY_MILLISECOND)) == 0)
                both.bytes_sent += write(both.from_task[1], "x", 1) == 1;
        both.was_cancelled = rc == -ECANCELED;
        return rc;
}

static int app(void *arg) {
        belay_group group;
        int rc = belay_group_enter(&group);

        (void) arg;
        if (rc == 0)
                rc = belay_group_spawn(&group, add_numbers, NULL);
        if (rc == 0)
                rc = belay_group_spawn(&group, read_bytes, NULL);
        if (rc == 0)
                rc = belay_group_spawn_with(&group, send_bytes, NULL, NULL, &both.sender);
        return belay_group_leave(&group, rc);
}

/* ---- functions for the other loop ---- */

/* Returns 0 with both.loop started, or a negative errno value. */
static inline int both_begin(void) {
        if (pipe2(both.to_task, O_NONBLOCK | O_CLOEXEC) < 0
            || pipe2(both.from_task, O_NONBLOCK | O_CLOEXEC) < 0)
                return -errno;
        both.numbers = belay_queue_new(0);
        both.loop = belay_loop_new(NULL);
        return both.numbers != NULL && both.loop != NULL ? belay_loop_start(both.loop, app, NULL)
                                                         : -ENOMEM;
}

/* The other loop's timer calls this every TICK_MILLISECONDS. Returns false after the last tick. */
static inline bool both_tick(void) {
        both.ticks++;
        if (both.ticks == TICKS) {
                belay_cancel(both.sender, "enough");
                return false;
        }
        if (belay_queue_try_put(both.numbers, (void *) (intptr_t) both.ticks) < 0)
                fprintf(stderr, "the queue is full\n");
        if (both.ticks % 2 == 1 && write(both.to_task[1], "x", 1) < 0)
                perror("write");
        return true;
}

/* The other loop calls this when both.from_task[0] is readable. */
static inline void both_byte(void) {
        char byte;

        both.bytes_seen += read(both.from_task[0], &byte, 1) == 1;
}

/* The program calls this when main has ended. Returns the exit code of the program. */
static inline int both_end(const char *name) {
        int outcome, rc = belay_loop_outcome(both.loop, &outcome);
        bool good = rc == 0 && outcome == 0 && both.ticks == TICKS
                    && both.sum == TICKS * (TICKS - 1) / 2 && both.bytes_read == TICKS / 2
                    && both.bytes_sent > 1 && both.bytes_seen > 0 && both.was_cancelled;

        printf("%s and belay (%s): %d ticks, sum %d, %d bytes read, %d sent, %d seen, "
               "the sender was %scancelled: %s\n",
               name, belay_loop_backend(both.loop), both.ticks, both.sum, both.bytes_read,
               both.bytes_sent, both.bytes_seen, both.was_cancelled ? "" : "not ",
               good ? "good" : "WRONG");
        belay_release(both.sender);
        rc = belay_loop_close(both.loop);
        belay_queue_free(both.numbers);
        for (int i = 0; i < 2; i++) {
                close(both.to_task[i]);
                close(both.from_task[i]);
        }
        return rc < 0 || !good;
}

#endif
