/* SPDX-License-Identifier: MIT */
/*
 * Queues. A wake-up reserves nothing. A getter that was woken checks the queue again when it runs,
 * and a getter that is cancelled instead wakes the next getter. No item and no room is therefore
 * lost or given out twice.
 */
#include "sync/queue_store.h"
#include "sync/waiters.h"

struct belay_queue {
        struct bly_store store;
        size_t most; /* SIZE_MAX if there is no bound */
        belay_destroy *destroy;
        const char *name;
        struct bly_waiters getters, putters, joiners;
        size_t unfinished;
        bool shut;
};

static const struct bly_wait_class get_class = { .what = "get from queue",
                                                 .on_request = bly_waiter_meet,
                                                 .on = bly_waiter_on };
static const struct bly_wait_class put_class = { .what = "put into queue",
                                                 .on_request = bly_waiter_meet,
                                                 .on = bly_waiter_on };
static const struct bly_wait_class join_class = { .what = "join queue",
                                                  .on_request = bly_waiter_meet,
                                                  .on = bly_waiter_on };

belay_queue *belay_queue_new_with(const belay_queue_options *given) {
        belay_queue_options options;
        belay_queue *queue;

        bly_options(&options, sizeof(options), given);
        if ((unsigned) options.order > BELAY_QUEUE_PRIORITY
            || (options.order == BELAY_QUEUE_PRIORITY && options.compare == NULL)) {
                errno = EINVAL;
                return NULL;
        }
        queue = bly_zalloc(sizeof(*queue));
        if (queue == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        bly_store_init(&queue->store, options.order, options.compare);
        queue->most = options.capacity > 0 ? options.capacity : SIZE_MAX;
        queue->destroy = options.destroy;
        queue->name = options.name;
        return queue;
}

belay_queue *belay_queue_new(size_t capacity) {
        return belay_queue_new_with(&(belay_queue_options) { .size = sizeof(belay_queue_options),
                                                             .capacity = capacity });
}

static void drop_items(belay_queue *queue) {
        while (queue->store.count > 0) {
                void *item = bly_store_take(&queue->store);

                if (queue->destroy != NULL)
                        queue->destroy(item);
        }
}

int belay_queue_free(belay_queue *queue) {
        if (queue == NULL)
                return 0;
        if (!bly_waiters_empty(&queue->getters) || !bly_waiters_empty(&queue->putters)
            || !bly_waiters_empty(&queue->joiners))
                return -EBUSY;
        drop_items(queue);
        bly_store_free(&queue->store);
        bly_free(queue);
        return 0;
}

/* ---- putting and getting ---- */

static int failed(int code) {
        belay_task *self = bly_current();

        if (self != NULL)
                bly_set_last_failure(self, code, NULL);
        return code;
}

static inline bool is_full(const belay_queue *queue) {
        return queue->store.count >= queue->most;
}

/* Puts an item. There must be room, and the queue must not be shut down. */
static inline int put_now(belay_queue *queue, void *item) {
        if (unlikely(!bly_store_put(&queue->store, item)))
                return failed(-ENOMEM);
        queue->unfinished++;
        if (queue->getters.first != NULL)
                bly_waiters_serve(&queue->getters);
        return 0;
}

/*
 * The next two functions are separate and are tail calls, so taking an item needs no stack frame.
 */
static __attribute__((noinline)) int serve_putters(belay_queue *queue) {
        bly_waiters_serve(&queue->putters);
        return 0;
}

static __attribute__((noinline)) int get_in_order(belay_queue *queue, void **item) {
        *item = bly_store_take_slowly(&queue->store);
        return serve_putters(queue);
}

static inline int get_now(belay_queue *queue, void **item) {
        if (unlikely(queue->store.order != BELAY_QUEUE_FIFO))
                return get_in_order(queue, item);
        *item = bly_store_take_first(&queue->store);
        return likely(queue->putters.first == NULL) ? 0 : serve_putters(queue);
}

static __attribute__((noinline)) int put_slowly(belay_queue *queue, void *item, const char *place) {
        belay_task *self;

        while (is_full(queue)) {
                enum bly_waiter_state state;
                int rc;

                if (queue->shut)
                        return failed(-ESHUTDOWN);
                self = bly_waiter(place, put_class.what);
                if (self == NULL)
                        return -EPERM;
                rc = bly_waiters_wait(&queue->putters, self, &put_class, queue->name, &state,
                                      place);
                if (unlikely(rc < 0)) {
                        /* This task was woken and cannot use the room. The next putter gets it. */
                        if (state == BLY_WAITER_WOKEN && !is_full(queue))
                                bly_waiters_serve(&queue->putters);
                        return rc;
                }
        }
        return queue->shut ? failed(-ESHUTDOWN) : put_now(queue, item);
}

static __attribute__((noinline)) int get_slowly(const char *place, belay_queue *queue,
                                                void **item) {
        belay_task *self;

        if (queue->store.count > 0) {
                int rc = bly_try_slowly(place);

                if (rc < 0)
                        return rc;
        }
        while (queue->store.count == 0) {
                enum bly_waiter_state state;
                int rc;

                if (queue->shut)
                        return failed(-ESHUTDOWN);
                self = bly_waiter(place, get_class.what);
                if (self == NULL)
                        return -EPERM;
                rc = bly_waiters_wait(&queue->getters, self, &get_class, queue->name, &state,
                                      place);
                if (unlikely(rc < 0)) {
                        if (state == BLY_WAITER_WOKEN && queue->store.count > 0)
                                bly_waiters_serve(&queue->getters);
                        return rc;
                }
        }
        return get_now(queue, item);
}

int belay_queue_put_placed(const char *place, belay_queue *queue, void *item) {
        if (likely(!is_full(queue) && !queue->shut))
                return put_now(queue, item);
        return put_slowly(queue, item, place);
}

int belay_queue_get_placed(const char *place, belay_queue *queue, void **item) {
        if (likely(queue->store.count > 0 && --bly_tries != 0))
                return get_now(queue, item);
        return get_slowly(place, queue, item);
}

int belay_queue_try_put(belay_queue *queue, void *item) {
        if (queue->shut)
                return failed(-ESHUTDOWN);
        return is_full(queue) ? failed(-ENOBUFS) : put_now(queue, item);
}

int belay_queue_try_get(belay_queue *queue, void **item) {
        if (queue->store.count == 0)
                return failed(queue->shut ? -ESHUTDOWN : -ENODATA);
        return get_now(queue, item);
}

/* ---- unfinished items ---- */

int belay_queue_task_done_placed(const char *place, belay_queue *queue) {
        if (queue->unfinished == 0)
                return bly_misuse(-EPERM, place,
                                  "belay_queue_task_done() for more items than were put");
        if (--queue->unfinished == 0)
                bly_waiters_wake(&queue->joiners, SIZE_MAX);
        return 0;
}

int belay_queue_join_placed(const char *place, belay_queue *queue) {
        belay_task *self;

        if (queue->unfinished == 0) {
                int rc = bly_try(place);

                if (rc < 0 || queue->unfinished == 0)
                        return rc;
        }
        self = bly_waiter(place, join_class.what);
        return self != NULL ? bly_waiters_wait(&queue->joiners, self, &join_class, queue->name,
                                               NULL, place)
                            : -EPERM;
}

/* ---- shutdown ---- */

static void serve_all(struct bly_waiters *waiters) {
        while (!bly_waiters_empty(waiters))
                bly_waiters_serve(waiters);
}

void belay_queue_shutdown(belay_queue *queue, bool now) {
        queue->shut = true;
        if (now) {
                size_t dropped = queue->store.count;

                drop_items(queue);
                queue->unfinished -= dropped < queue->unfinished ? dropped : queue->unfinished;
                if (queue->unfinished == 0)
                        bly_waiters_wake(&queue->joiners, SIZE_MAX);
        }
        serve_all(&queue->getters);
        serve_all(&queue->putters);
}

size_t belay_queue_count(const belay_queue *queue) {
        return queue->store.count;
}

bool belay_queue_empty(const belay_queue *queue) {
        return queue->store.count == 0;
}

bool belay_queue_full(const belay_queue *queue) {
        return is_full(queue);
}
