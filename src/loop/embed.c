/* SPDX-License-Identifier: MIT */
/*
 * Lets the event loop of another library, the host loop, drive a loop.
 *
 * The host loop polls one descriptor: an epoll instance that watches two others. The descriptor of
 * the back end is readable for events, and when the eventfd of the inbox is. A timerfd is readable
 * when the earliest timer is due.
 *
 * Between two dispatches, each function that makes a task or callback ready, sets an earlier timer
 * or submits work to the back end calls wake_host(). So the descriptor is always up to date.
 * Switching a timer off leaves the timerfd as it is, because a dispatch without work costs less
 * than setting the timerfd each time.
 */
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/timespec.h"
#include "io/io.h"
#include "loop/run.h"
#include "core/inbox.h"

#include <belay/embed.h>

/* The time after which a dispatch returns although tasks are still ready. */
#define TURN BELAY_MILLISECOND

struct bly_embed {
        struct bly_visit visit;
        int fd;
        int timer_fd;
        belay_time armed; /* instant to which the timerfd is set, or BELAY_NEVER */
        bool rung;        /* the eventfd was written to since the latest dispatch */
        bool rests;       /* nothing is ready */
        bool main_ended;
        int verdict; /* verdict of the run, valid if main_ended */
};

/* ---- the descriptor ---- */

static void set_timer(struct bly_embed *embed, belay_time when) {
        struct itimerspec setting = { 0 };

        embed->armed = when;
        if (when != BELAY_NEVER) {
                /* An all-zero setting would disarm the timerfd. */
                if (when <= 0)
                        when = 1;
                setting.it_value = bly_timespec(when);
        }
        if (timerfd_settime(embed->timer_fd, TFD_TIMER_ABSTIME, &setting, NULL) < 0)
                bly_log_limited(BELAY_LOG_ERROR, NULL, "setting the loop's timer: %s",
                                strerror(errno));
}

/*
 * A timerfd that has expired (`has_come`) stays readable until it is set again, so the function
 * always sets it then.
 */
static void follow_deadlines(struct belay_loop *loop, bool has_come) {
        belay_time first = bly_timers_first(loop);

        if (first < loop->embed->armed || has_come)
                set_timer(loop->embed, first);
}

static void ring_once(struct belay_loop *loop) {
        if (!loop->embed->rung)
                bly_inbox_wake(loop->inbox);
        loop->embed->rung = true;
}

static void wake_host(struct belay_loop *loop) {
        int saved = errno;

        /*
         * descriptor() may wake tasks, which must not call this function again: the code below
         * handles the ready tasks.
         */
        loop->wake_host = NULL;
        loop->io->backend->descriptor(loop->io);
        follow_deadlines(loop, false);
        if (loop->ready.head != NULL)
                ring_once(loop);
        loop->wake_host = wake_host;
        errno = saved;
}

/* ---- starting and ending ---- */

static int watch(const struct bly_embed *embed, int fd) {
        struct epoll_event event = { .events = EPOLLIN };

        return epoll_ctl(embed->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptor(struct belay_loop *loop, struct bly_embed *embed) {
        struct bly_io *io = bly_io_of(loop);
        int fd, rc;

        if (io == NULL)
                return -errno;
        embed->fd = epoll_create1(EPOLL_CLOEXEC);
        embed->timer_fd = embed->fd >= 0
                                  ? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
                                  : -1;
        if (embed->timer_fd < 0)
                return -errno;
        fd = io->backend->descriptor(io);
        rc = fd < 0 ? fd : watch(embed, fd);
        return rc < 0 ? rc : watch(embed, embed->timer_fd);
}

static void release(struct bly_embed *embed) {
        if (embed->timer_fd >= 0)
                close(embed->timer_fd);
        if (embed->fd >= 0)
                close(embed->fd);
        bly_free(embed);
}

static void rest(struct belay_loop *loop) {
        loop->embed->rests = true;
}

static int begin(struct belay_loop *loop, struct bly_embed *embed, belay_fn *fn, void *arg,
                 const char *place) {
        int rc = open_descriptor(loop, embed);

        if (rc < 0)
                return rc;
        rc = bly_visit_begin(loop, &embed->visit);
        if (rc < 0)
                return rc;
        loop->running = false;
        rc = bly_main_begin(loop, fn, arg, place);
        if (rc < 0)
                bly_visit_end(loop, &embed->visit);
        return rc;
}

int belay_loop_start_placed(const char *place, belay_loop *loop, belay_fn *fn, void *arg) {
        struct bly_embed *embed;
        int rc;

        if (bly_loop != NULL || loop->embed != NULL)
                return -EBUSY;
        if (loop->is_virtual)
                return -EINVAL;
        embed = bly_zalloc(sizeof(*embed));
        if (embed == NULL)
                return -ENOMEM;
        embed->fd = embed->timer_fd = -1;
        embed->armed = BELAY_NEVER;
        rc = begin(loop, embed, fn, arg, place);
        if (rc < 0) {
                release(embed);
                return rc;
        }
        loop->embed = embed;
        loop->wants_signals = false;
        loop->idle = rest;
        wake_host(loop);
        return 0;
}

int bly_embed_end(struct belay_loop *loop) {
        struct bly_embed *embed = loop->embed;

        if (embed == NULL)
                return 0;
        if (bly_loop != loop || loop->running || loop->current != NULL)
                return -EBUSY;
        loop->wake_host = NULL;
        loop->idle = bly_idle;
        bly_visit_end(loop, &embed->visit);
        loop->embed = NULL;
        release(embed);
        return 0;
}

/* ---- dispatching ---- */

int belay_loop_fd(const belay_loop *loop) {
        return loop->embed != NULL ? loop->embed->fd : -EINVAL;
}

static bool turn_is_over(struct belay_loop *loop) {
        return loop->embed->rests || loop->now >= loop->returns_at;
}

static void take_turn(struct belay_loop *loop) {
        struct bly_embed *embed = loop->embed;

        loop->wake_host = NULL;
        loop->running = true;
        embed->rung = embed->rests = false;
        bly_io_wait(loop->io, 0);
        loop->now = bly_clock();
        loop->returns_at = loop->now + TURN;
        bly_spin(loop, turn_is_over);
        loop->returns_at = BELAY_NEVER;
        loop->switches = loop->switches_cxx = 0;
        loop->running = false;
        follow_deadlines(loop, embed->armed <= loop->now);
        wake_host(loop);
}

int belay_loop_dispatch(belay_loop *loop) {
        struct bly_embed *embed = loop->embed;

        if (embed == NULL)
                return -EINVAL;
        if (bly_loop != loop)
                return bly_misuse(-EPERM, NULL,
                                  "belay_loop_dispatch() in a thread that is not the loop's");
        if (loop->running || loop->current != NULL)
                return -EBUSY;
        take_turn(loop);
        if (!bly_is_done(loop->main))
                return 1;
        if (!embed->main_ended)
                embed->verdict = bly_main_verdict(loop);
        embed->main_ended = true;
        return 0;
}

int belay_loop_outcome(const belay_loop *loop, int *outcome) {
        const struct bly_embed *embed = loop->embed;

        if (embed == NULL)
                return -EINVAL;
        if (!embed->main_ended)
                return -EINPROGRESS;
        bly_main_outcome(loop, outcome);
        return embed->verdict;
}
