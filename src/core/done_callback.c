/* SPDX-License-Identifier: MIT */
/*
 * Callbacks at the end of a task or future.
 */
#include "core/wait.h"

struct done_callback {
        struct bly_observer observer;
        struct bly_call call;
        belay_task *task;
        belay_done_fn *fn;
        void *arg;
};

static void call_done(struct bly_call *call) {
        struct done_callback *callback = container_of(call, struct done_callback, call);
        belay_task *task = callback->task;

        callback->fn(task, callback->arg);
        bly_free(callback);
        bly_record_unref(task);
}

static void call_done_soon(struct bly_observer *observer, belay_task *task) {
        struct done_callback *callback = container_of(observer, struct done_callback, observer);

        /* The future has outlived its loop, which calls nothing after it is closed. */
        if (unlikely(task->loop->closed)) {
                bly_free(callback);
                return;
        }
        callback->task = bly_record_ref(task);
        bly_call_soon(task->loop, &callback->call, call_done);
}

int belay_on_done(belay_task *task, belay_done_fn *fn, void *arg) {
        struct done_callback *callback = task != NULL ? bly_zalloc(sizeof(*callback)) : NULL;

        if (callback == NULL)
                return -ENOMEM;
        callback->observer.ended = call_done_soon;
        callback->fn = fn;
        callback->arg = arg;
        if (bly_is_done(task))
                call_done_soon(&callback->observer, task);
        else
                bly_observe(task, &callback->observer);
        return 0;
}

void bly_forget_callbacks(belay_task *future) {
        /* A waiting task holds a reference, so only callbacks can be left. */
        while (!bly_list_empty(&future->observers)) {
                struct bly_observer *observer = container_of(future->observers.next,
                                                             struct bly_observer, link);

                bly_unobserve(observer);
                bly_free(container_of(observer, struct done_callback, observer));
        }
}

int belay_off_done(belay_task *task, belay_done_fn *fn, void *arg) {
        struct bly_link *link;
        int count = 0;

        if (task == NULL)
                return 0;
        link = task->observers.next;
        while (link != &task->observers) {
                struct bly_observer *observer = container_of(link, struct bly_observer, link);

                link = link->next;
                if (observer->ended == call_done_soon) {
                        struct done_callback *callback = container_of(
                                observer, struct done_callback, observer);

                        if (callback->fn == fn && callback->arg == arg) {
                                bly_unobserve(observer);
                                bly_free(callback);
                                count++;
                        }
                }
        }
        return count;
}
