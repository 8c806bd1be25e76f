/* SPDX-License-Identifier: MIT */
/*
 * The records of tasks and futures: allocation, references, and a walk over all records.
 *
 * A handle may outlive the loop. The loop's memory is therefore freed with the last record.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "core/loop.h"
#include "core/locals.h"

enum { SLAB_FIRST = 32, SLAB_MOST = 4096 };

static size_t size_of(const struct bly_slab *slab) {
        return sizeof(*slab) + slab->count * sizeof(slab->tasks[0]) + BLY_CACHE_LINE;
}

static void push_free(struct belay_loop *loop, belay_task *task) {
        task->node.next = loop->free_records != NULL ? &loop->free_records->node : NULL;
        loop->free_records = task;
}

/*
 * Slabs double from 32 to 4096 records. A small program thus takes little memory, and a million
 * tasks do not take thousands of slabs. A slab of 4096 records is mapped, so that freeing it
 * returns the memory to the kernel.
 *
 * If `apart` is set, each record gets a slab of its own, allocated by the spawn of its task. A leak
 * checker then names that call site if the program forgets a handle.
 */
bool bly_add_slab(struct belay_loop *loop) {
        struct bly_slab *slab, size = { .count = loop->apart           ? 1
                                                 : loop->slabs != NULL ? 2 * loop->slabs->count
                                                                       : SLAB_FIRST };
        bool mapped;
        void *memory;

        if (size.count > SLAB_MOST)
                size.count = SLAB_MOST;
        memory = bly_alloc_large(size_of(&size), size.count == SLAB_MOST, &mapped);
        if (memory == NULL)
                return false;
        slab = (struct bly_slab *) (((uintptr_t) memory + BLY_CACHE_LINE - 1)
                                    & ~(uintptr_t) (BLY_CACHE_LINE - 1));
        slab->memory = memory;
        slab->mapped = mapped;
        slab->count = size.count;
        slab->next = loop->slabs;
        if (slab->next != NULL)
                slab->next->prev = slab;
        loop->slabs = slab;
        for (size_t i = slab->count; i-- > 0;) {
                slab->tasks[i].loop = loop;
                bly_list_init(&slab->tasks[i].observers);
                push_free(loop, &slab->tasks[i]);
        }
        return true;
}

static size_t free_slab(struct belay_loop *loop, struct bly_slab *slab) {
        size_t size = size_of(slab);

        if (slab->prev != NULL)
                slab->prev->next = slab->next;
        else if (loop->slabs == slab)
                loop->slabs = slab->next;
        if (slab->next != NULL)
                slab->next->prev = slab->prev;
        bly_free_large(slab->memory, size, slab->mapped);
        return size;
}

static void free_loop_memory(struct belay_loop *loop) {
        while (loop->slabs != NULL)
                free_slab(loop, loop->slabs);
        bly_free(loop);
}

void bly_loop_unref(struct belay_loop *loop) {
        if (loop->closed && loop->records == 0)
                free_loop_memory(loop);
}

static bool is_unused(const struct bly_slab *slab) {
        for (size_t i = 0; i < slab->count; i++)
                if (slab->tasks[i].node.state != BLY_FREE)
                        return false;
        return true;
}

size_t bly_records_trim(struct belay_loop *loop, bool all) {
        struct bly_slab *slab = loop->slabs, *next;
        size_t bytes = 0;

        if (loop->apart)
                return 0;
        loop->free_records = NULL;
        for (; slab != NULL; slab = next) {
                next = slab->next;
                /*
                 * The first slab is the last in the list. A loop that lives on will need it again.
                 */
                if ((all || next != NULL) && is_unused(slab)) {
                        bytes += free_slab(loop, slab);
                        continue;
                }
                for (size_t i = slab->count; i-- > 0;)
                        if (slab->tasks[i].node.state == BLY_FREE)
                                push_free(loop, &slab->tasks[i]);
        }
        return bytes;
}

/*
 * Unlinks the slabs, so that no record leads to another. A leak checker then reports each forgotten
 * handle at its own call site.
 */
static void part(struct belay_loop *loop) {
        while (loop->slabs != NULL) {
                struct bly_slab *slab = loop->slabs;

                loop->slabs = slab->next;
                slab->next = slab->prev = NULL;
        }
}

/*
 * Gives back the pages of a mapped slab in which no record is in use. They read as zero afterwards,
 * which is the state of a free record.
 */
static void give_back_pages(struct bly_slab *slab) {
        uintptr_t page = bly_page_size(), low = (uintptr_t) slab->tasks;

        for (size_t i = 0; i <= slab->count; i++) {
                uintptr_t high = (uintptr_t) &slab->tasks[i] & ~(page - 1);

                if (i < slab->count && slab->tasks[i].node.state == BLY_FREE)
                        continue;
                low = (low + page - 1) & ~(page - 1);
                if (low < high)
                        madvise((void *) low, high - low, MADV_DONTNEED);
                low = (uintptr_t) (&slab->tasks[i] + 1);
        }
}

void bly_records_close(struct belay_loop *loop) {
        if (loop->apart) {
                part(loop);
                return;
        }
        bly_records_trim(loop, true);
        loop->free_records = NULL;
        for (struct bly_slab *slab = loop->slabs; slab != NULL; slab = slab->next)
                if (slab->mapped)
                        give_back_pages(slab);
}

/* ---- one record ---- */

static void report_unseen(const belay_task *task) {
        const char *place = bly_place_text(task->started_at);
        char label[32], text[512];

        if (task->node.flags & (BLY_TASK_CANCELLED | BLY_TASK_RETRIEVED))
                return;
        if (task->failure != NULL)
                belay_failure_format(task->failure, text, sizeof(text));
        else
                snprintf(text, sizeof(text), "%s", strerror(-task->outcome));
        if (task == task->loop->main)
                bly_log_limited(BELAY_LOG_ERROR, place, "main (started at %s) failed: %s", place,
                                text);
        else
                bly_log_limited(
                        BELAY_LOG_ERROR, place,
                        "%s %s (started at %s) failed, and its failure was not retrieved: %s",
                        bly_is_future(task) ? "future" : "task", bly_task_label(task, label), place,
                        text);
}

/* Releases what most tasks never have. */
static __attribute__((noinline)) void clean(belay_task *task) {
        /*
         * The destructor may inspect the task, or spawn, so it runs before the record is taken
         * apart.
         */
        if (task->destroy_value != NULL)
                task->destroy_value(task->value);
        belay_failure_release(task->failure);
        belay_failure_release(task->last_failure);
        bly_text_release(task->message);
        bly_text_release(task->wake_reason);
        bly_text_release(task->origin.name);
        bly_text_release(task->origin.reason);
        bly_text_release(task->name);
        bly_locals_release(task->locals);
        task->destroy_value = NULL;
        task->value = NULL;
        task->failure = task->last_failure = NULL;
        task->message = task->wake_reason = task->name = NULL;
        task->origin = (struct bly_origin) { 0 };
        task->locals = NULL;
}

static bool is_clean(const belay_task *task) {
        return ((uintptr_t) task->value | (uintptr_t) task->destroy_value
                | (uintptr_t) task->failure | (uintptr_t) task->last_failure
                | (uintptr_t) task->message | (uintptr_t) task->wake_reason
                | (uintptr_t) task->origin.name | (uintptr_t) task->origin.reason
                | (uintptr_t) task->name | (uintptr_t) task->locals)
               == 0;
}

/* Returns the slab of a record, if each has one of its own. */
static struct bly_slab *slab_of(const belay_task *task) {
        return (struct bly_slab *) ((char *) task - offsetof(struct bly_slab, tasks));
}

void bly_record_free(belay_task *task) {
        struct belay_loop *loop = task->loop;

        if (unlikely(task->outcome < 0) && bly_is_done(task))
                report_unseen(task);
        if (unlikely(bly_is_future(task)))
                bly_forget_callbacks(task);
        if (unlikely(!is_clean(task)))
                clean(task);
        task->node.state = BLY_FREE;
        loop->records--;
        if (unlikely(loop->apart))
                free_slab(loop, slab_of(task));
        else
                push_free(loop, task);
        if (unlikely(loop->closed))
                bly_loop_unref(loop);
}

belay_task *bly_record_next(const struct belay_loop *loop, const belay_task *task) {
        const struct bly_slab *slab = loop->slabs;
        size_t i = 0;

        if (task != NULL && loop->apart) {
                slab = slab_of(task)->next;
        } else if (task != NULL) {
                while (task < slab->tasks || task >= slab->tasks + slab->count)
                        slab = slab->next;
                i = (size_t) (task - slab->tasks) + 1;
        }
        for (; slab != NULL; slab = slab->next, i = 0)
                for (; i < slab->count; i++)
                        if (slab->tasks[i].node.state != BLY_FREE)
                                return (belay_task *) &slab->tasks[i];
        return NULL;
}

const char *bly_task_label(const belay_task *task, char buffer[32]) {
        if (task->name != NULL)
                return task->name->chars;
        snprintf(buffer, 32, "#%llu", (unsigned long long) task->id);
        return buffer;
}

void bly_options(void *options, size_t size, const void *given) {
        memset(options, 0, size);
        if (given != NULL) {
                size_t known = *(const size_t *) given;

                memcpy(options, given, known < size ? known : size);
        }
}
