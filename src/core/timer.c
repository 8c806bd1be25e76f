/* SPDX-License-Identifier: MIT */
/*
 * Timers: a heap with four children a node and the deadlines in its array.
 *
 * A timer that is taken back leaves a dead entry, so that taking back costs a write and not a walk through cold memory;
 * the heap is made anew when more than half of it is dead, which each dead entry has paid for.
 *
 * What is due is not fired at once but stands in line behind what is ready already, as asyncio has it. Until its turn comes
 * it can still be taken back. The line is at the end of the heap's array, which has an entry for each, and goes backwards: no
 * link lies in a timer, so that timers which are gone without a word can be found and not be touched.
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

/* Frees the end and the top of dead entries: what is there decides, and is cheap to see. */
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
        bly_tell_host(loop);
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

                /* The place that this gives up is what the line grows by. */
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
                if ((const char *) heap->entries[i].timer >= low && (const char *) heap->entries[i].timer < high) {
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
        /* The line of those that are due lies at the end. */
        if (heap->due > 0 || room >= before)
                return 0;
        entries = bly_realloc(heap->entries, room * sizeof(*heap->entries));
        if (entries == NULL)
                return 0;
        heap->entries = entries;
        heap->room = room;
        return (before - room) * sizeof(*entries);
}

/* Who still has one, on the stack of a task that was given up, may take it back later. */
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
