/* SPDX-License-Identifier: MIT */
/*
 * Tasks in the order in which they end.
 *
 * Each task is entered in `line` when it ends. A callback in the next turn enters the tasks that
 * were done at the beginning, as in asyncio. When the limit is reached, each missing task is
 * entered as a timeout.
 */
#include "many/watch.h"
#include "scope/scope.h"

struct each {
        uintptr_t mark; /* the struct's address from begin to end */
        const char *place;
        struct bly_watch *watch;
        struct bly_wait wait;
        belay_task *self;
        belay_ticket timer;
        belay_ticket first_check;
        struct bly_watched **line; /* NULL stands for a timeout */
        size_t stands, given;      /* entries of `line`; those of them that were returned */
        size_t missing;            /* tasks without an entry in `line` */
};

_Static_assert(sizeof(struct each) <= sizeof(belay_as_completed), "room for one after the other");

struct watch_of_each {
        struct bly_watch watch;
        struct bly_link link; /* in loop->each */
        struct each *each;
};

static bool goes_on(const struct each *each) {
        return each->mark == (uintptr_t) each;
}

/*
 * Returns whether the storage is in use. It may contain any bytes before begin, or a mark that is
 * left over, so the loop's list decides. Storage that another loop uses is not found.
 */
static bool is_in_use(struct belay_loop *loop, const struct each *each) {
        if (unlikely(bly_tools & BLY_TOOL_VALGRIND))
                bly_tool_written(each, sizeof(*each));
        if (likely(!goes_on(each)) || loop->each.next == NULL)
                return false;
        for (struct bly_link *link = loop->each.next; link != &loop->each; link = link->next)
                if (container_of(link, struct watch_of_each, link)->each == each)
                        return true;
        return false;
}

static void enlist(struct belay_loop *loop, struct watch_of_each *watch) {
        if (loop->each.next == NULL)
                bly_list_init(&loop->each);
        bly_list_append(&loop->each, &watch->link);
}

static void put_in_line(struct each *each, struct bly_watched *watched) {
        each->line[each->stands++] = watched;
        each->missing--;
        if (each->missing == 0 && each->timer != 0)
                belay_timer_cancel(each->timer);
        if (each->self->wait == &each->wait)
                bly_wake(each->self, 0);
}

static void one_ended(struct bly_watch *watch, struct bly_watched *watched) {
        struct each *each = container_of(watch, struct watch_of_each, watch)->each;

        if (each->missing > 0)
                put_in_line(each, watched);
}

static void note_done(void *arg) {
        struct each *each = arg;

        each->first_check = 0;
        for (size_t i = 0; i < each->watch->count && each->missing > 0; i++) {
                struct bly_watched *watched = &each->watch->watched[i];

                /* A task that was not done at the beginning has an observer or is in `line`. */
                if (watched->index == SIZE_MAX)
                        put_in_line(each, watched);
        }
}

static void time_is_over(void *arg) {
        struct each *each = arg;

        each->timer = 0;
        for (size_t i = 0; i < each->watch->count; i++)
                bly_unobserve(&each->watch->watched[i].observer);
        while (each->missing > 0)
                put_in_line(each, NULL);
}

int belay_as_completed_begin_placed(const char *place, belay_as_completed *handle,
                                    belay_task *const tasks[], size_t count, belay_time span) {
        belay_task *self = bly_waiter(place, "belay_as_completed_begin()");
        struct each *each = (struct each *) handle;
        struct watch_of_each *watch;
        bool some_done = false;
        int rc;

        if (self == NULL)
                return -EPERM;
        if (unlikely(is_in_use(self->loop, each)))
                return bly_misuse(
                        -EPERM, place,
                        "what was begun by belay_as_completed_begin() at %s is begun again "
                        "before its end",
                        bly_place_text(each->place));
        *each = (struct each) { 0 };
        watch = bly_zalloc(sizeof(*watch) + count * sizeof(*each->line));
        if (watch == NULL)
                return -ENOMEM;
        rc = bly_watch_begin(&watch->watch, tasks, count, one_ended);
        if (rc < 0) {
                bly_free(watch);
                return rc;
        }
        watch->each = each;
        /* Without tasks nothing refers to it later, so the loop's list does not need it. */
        if (watch->watch.count > 0)
                enlist(self->loop, watch);
        each->mark = (uintptr_t) each;
        each->place = place;
        each->watch = &watch->watch;
        each->self = self;
        each->line = (struct bly_watched **) (watch + 1);
        each->missing = watch->watch.count;
        for (size_t i = 0; i < watch->watch.count; i++)
                if (bly_is_done(watch->watch.watched[i].task)) {
                        watch->watch.watched[i].index = SIZE_MAX;
                        some_done = true;
                }
        if (some_done)
                each->first_check = bly_callback_soon(self->loop, note_done, each);
        if (span != BELAY_NEVER && each->missing > 0)
                each->timer = bly_callback_at(self->loop, bly_add_time(bly_now(self->loop), span),
                                              time_is_over, each);
        if ((some_done && each->first_check == 0)
            || (span != BELAY_NEVER && each->missing > 0 && each->timer == 0)) {
                belay_as_completed_end(handle);
                return -ENOMEM;
        }
        return 0;
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        return bly_watch_pending(container_of(wait, struct each, wait)->watch, cursor);
}

static const struct bly_wait_class each_class = {
        .what = "as completed",
        .on_request = bly_detach,
        .awaits = awaited,
};

int belay_as_completed_next_placed(const char *place, belay_as_completed *handle,
                                   belay_task **task) {
        belay_task *self = bly_waiter(place, "belay_as_completed_next()");
        struct each *each = (struct each *) handle;
        struct bly_watched *watched;

        if (self == NULL)
                return -EPERM;
        if (!goes_on(each) || each->self != self)
                return bly_misuse(-EPERM, place,
                                  "belay_as_completed_next() without its begin in this task");
        if (each->given == each->watch->count)
                return 0;
        while (each->given == each->stands) {
                int rc;

                each->wait.class = &each_class;
                rc = bly_wait(self, &each->wait, place);
                if (rc < 0)
                        return rc;
        }
        watched = each->line[each->given++];
        if (watched == NULL) {
                bly_set_last_failure(self, -ETIMEDOUT, NULL);
                return -ETIMEDOUT;
        }
        if (task != NULL)
                *task = watched->task;
        return 1;
}

void belay_as_completed_end(belay_as_completed *handle) {
        struct each *each = (struct each *) handle;
        struct watch_of_each *watch;

        if (!goes_on(each))
                return;
        if (each->timer != 0)
                belay_timer_cancel(each->timer);
        if (each->first_check != 0)
                belay_timer_cancel(each->first_check);
        watch = container_of(each->watch, struct watch_of_each, watch);
        bly_list_remove(&watch->link);
        bly_watch_end(each->watch);
        each->mark = 0;
        bly_free(watch);
}
