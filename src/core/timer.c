/* SPDX-License-Identifier: MIT */
/*
 * Timers: a heap with four children per node, whose array holds the deadlines.
 *
 * Withdrawing a timer leaves a dead entry in the heap. It costs one write instead of a walk through
 * cold memory. The heap is compacted if more than 64 entries, and more than half of all, are dead.
 * Each dead entry has then paid for its share of that work.
 *
 * A timer that is due does not fire at once. As in asyncio, it fires after everything that is ready
 * already, and until then it can still be withdrawn. The line of due timers is at the end of the
 * heap's array, which has room for every timer, and grows downwards. No links lie in the timers
 * themselves. If the memory of timers goes away, bly_timers_forget() can thus find them without
 * reading that memory.
 */
#include "core/loop.h"

static inline void put(struct bly_heap *heap, size_t i, struct bly_heap_entry entry) {
        heap->entries[i] = entry;
        if (entry.timer != NULL)
                entry.timer->index = i;
}

static void sift_up(struct bly_heap *heap, size_t i, struct bly_heap_entry entry) {
        while (i > 0) {
                size_t parent = (i - 1) / 4;

                if (heap->entries[parent].when <= entry.when)
                        break;
                put(heap, i, heap->entries[parent]);
                i = parent;
        }
        put(heap, i, entry);
}

static void sift_down(struct bly_heap *heap, size_t i, struct bly_heap_entry entry) {
        for (;;) {
                size_t child = 4 * i + 1, least, end;

                if (child >= heap->count)
                        break;
                least = child;
                end = child + 4 < heap->count ? child + 4 : heap->count;
                while (++child < end)
                        if (heap->entries[child].when < heap->entries[least].when)
                                least = child;
                if (heap->entries[least].when >= entry.when)
                        break;
                put(heap, i, heap->entries[least]);
                i = least;
        }
        put(heap, i, entry);
}

static void remove_first(struct bly_heap *heap) {
        struct bly_heap_entry last = heap->entries[--heap->count];

        if (heap->count > 0)
                sift_down(heap, 0, last);
}

/*
 * Drops dead entries at the top, where they would hide the first deadline. Also drops those at the
 * end, which costs almost nothing.
 */
static void drop_dead(struct bly_heap *heap) {
        while (heap->count > 0 && heap->entries[heap->count - 1].timer == NULL) {
                heap->count--;
                heap->dead--;
        }
        while (heap->count > 0 && heap->entries[0].timer == NULL) {
                remove_first(heap);
                heap->dead--;
        }
}

static void compact(struct bly_heap *heap) {
        size_t live = 0;

        for (size_t i = 0; i < heap->count; i++)
                if (heap->entries[i].timer != NULL)
                        put(heap, live++, heap->entries[i]);
        heap->count = live;
        heap->dead = 0;
        if (live > 1)
                for (size_t i = (live - 2) / 4 + 1; i-- > 0;)
                        sift_down(heap, i, heap->entries[i]);
}

static struct bly_heap_entry *due_entry(const struct bly_heap *heap, size_t i) {
        return &heap->entries[heap->room - 1 - i];
}

static bool grow(struct bly_heap *heap) {
        size_t room = heap->room == 0 ? 16 : 2 * heap->room, moved = room - heap->room;
        struct bly_heap_entry *entries = bly_realloc(heap->entries, room * sizeof(*heap->entries));

        if (entries == NULL)
                return false;
        heap->entries = entries;
        for (size_t i = 0; i < heap->due; i++) {
                struct bly_heap_entry entry = *due_entry(heap, i);

                due_entry(heap, i)[moved] = entry;
                if (i >= heap->fired && entry.timer != NULL)
                        entry.timer->index += moved;
        }
        heap->room = room;
        return true;
}

int bly_timer_set(struct belay_loop *loop, struct bly_timer *timer, belay_time when) {
        struct bly_heap *heap = &loop->heap;

        if (unlikely(heap->count + heap->due == heap->room) && !grow(heap))
                return -ENOMEM;
        timer->state = BLY_TIMER_HEAP;
        sift_up(heap, heap->count++, (struct bly_heap_entry) { when, timer });
        bly_wake_host(loop);
        return 0;
}

void bly_timer_off(struct belay_loop *loop, struct bly_timer *timer) {
        struct bly_heap *heap = &loop->heap;

        if (timer->state == BLY_TIMER_DUE) {
                heap->entries[timer->index].timer = NULL;
        } else if (timer->state == BLY_TIMER_HEAP) {
                if (timer->index == heap->count - 1) {
                        heap->count--;
                } else {
                        heap->entries[timer->index].timer = NULL;
                        heap->dead++;
                        if (heap->dead > 64 && heap->dead > heap->count / 2)
                                compact(heap);
                }
        }
        timer->state = BLY_TIMER_OFF;
}

belay_time bly_timer_when(const struct belay_loop *loop, const struct bly_timer *timer) {
        if (timer->state == BLY_TIMER_HEAP)
                return loop->heap.entries[timer->index].when;
        return timer->state == BLY_TIMER_DUE ? loop->now : BELAY_NEVER;
}

belay_time bly_timers_first(struct belay_loop *loop) {
        drop_dead(&loop->heap);
        return loop->heap.count > 0 ? loop->heap.entries[0].when : BELAY_NEVER;
}

static void fire_due(struct bly_call *call) {
        struct belay_loop *loop = container_of(call, struct belay_loop, fire_due);

        struct bly_heap *heap = &loop->heap;

        loop->fire_queued = false;
        while (heap->fired < heap->due) {
                struct bly_timer *timer = due_entry(heap, heap->fired++)->timer;

                if (unlikely(timer == NULL))
                        continue;
                timer->state = BLY_TIMER_OFF;
                timer->fire(timer);
        }
        heap->fired = heap->due = 0;
}

void bly_timers_look(struct belay_loop *loop) {
        struct bly_heap *heap = &loop->heap;

        while (bly_timers_first(loop) <= loop->now) {
                struct bly_timer *timer = heap->entries[0].timer;

                /* The line grows into the place that this removal frees in the array. */
                remove_first(heap);
                timer->state = BLY_TIMER_DUE;
                timer->index = heap->room - 1 - heap->due++;
                heap->entries[timer->index].timer = timer;
        }
        if (heap->fired < heap->due && !loop->fire_queued) {
                loop->fire_queued = true;
                bly_call_soon(loop, &loop->fire_due, fire_due);
        }
}

void bly_timers_forget(struct belay_loop *loop, const char *low, const char *high) {
        struct bly_heap *heap = &loop->heap;

        for (size_t i = 0; i < heap->count; i++)
                if ((const char *) heap->entries[i].timer >= low
                    && (const char *) heap->entries[i].timer < high) {
                        heap->entries[i].timer = NULL;
                        heap->dead++;
                }
        for (size_t i = heap->fired; i < heap->due; i++) {
                struct bly_heap_entry *entry = due_entry(heap, i);

                if ((const char *) entry->timer >= low && (const char *) entry->timer < high)
                        entry->timer = NULL;
        }
}

size_t bly_timers_trim(struct belay_loop *loop) {
        struct bly_heap *heap = &loop->heap;
        size_t room = 16, before = heap->room;
        struct bly_heap_entry *entries;

        while (room < heap->count)
                room *= 2;
        /*
         * The line of due timers lies at the end of the array, so the array cannot shrink while it
         * is in use.
         */
        if (heap->due > 0 || room >= before)
                return 0;
        entries = bly_realloc(heap->entries, room * sizeof(*heap->entries));
        if (entries == NULL)
                return 0;
        heap->entries = entries;
        heap->room = room;
        return (before - room) * sizeof(*entries);
}

/*
 * Marks all timers as off. A timer on the stack of an abandoned task may still be withdrawn later.
 */
void bly_timers_free(struct belay_loop *loop) {
        struct bly_heap *heap = &loop->heap;

        for (size_t i = 0; i < heap->count; i++)
                if (heap->entries[i].timer != NULL)
                        heap->entries[i].timer->state = BLY_TIMER_OFF;
        for (size_t i = heap->fired; i < heap->due; i++)
                if (due_entry(heap, i)->timer != NULL)
                        due_entry(heap, i)->timer->state = BLY_TIMER_OFF;
        bly_free(heap->entries);
        *heap = (struct bly_heap) { 0 };
}
