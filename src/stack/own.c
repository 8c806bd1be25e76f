/* SPDX-License-Identifier: MIT */
/*
 * Stacks of other sizes than the default. Programs use few sizes, and use them repeatedly. The pool
 * therefore remembers up to BLY_OWN_CLASSES sizes and keeps some free stacks of each.
 */
#include "own.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "pool.h"

/* A class keeps IDLE_MOST free stacks, plus one for each IDLE_SHARE stacks in use. */
#define IDLE_MOST  16
#define IDLE_SHARE 4

int bly_stack_map_failed(void) {
        return bly_stack_fail(-ENOMEM,
                              "no address space for another stack: a limit of the process "
                              "(RLIMIT_AS), strict overcommit, or the kernel's limit on mappings "
                              "(vm.max_map_count)");
}

void bly_stack_own_stack(struct bly_stack_own *own, struct bly_stack *out) {
        out->low = own->low;
        out->top = own->low + own->size - own->stagger;
        out->own = own;
}

static void unmap(struct bly_stack_pool *pool, struct bly_stack_own *own) {
        munmap(own->low - pool->page, own->size + pool->page);
        if (own->prev)
                own->prev->next = own->next;
        else
                pool->owns = own->next;
        if (own->next)
                own->next->prev = own->prev;
        pool->allocator.free(own, sizeof(*own), pool->allocator.user);
}

static struct bly_stack_own *pop_idle(struct bly_own_class *class_) {
        struct bly_stack_own *own = class_->idle;

        class_->idle = own->next_idle;
        class_->idle_count--;
        return own;
}

static void drop_idle(struct bly_stack_pool *pool, struct bly_own_class *class_, size_t most) {
        while (class_->idle_count > most)
                unmap(pool, pop_idle(class_));
}

/*
 * Returns the class for a size. A size without a class gets the class with the fewest idle stacks
 * among those without live ones. If all classes have live stacks, the size is a misfit.
 */
static struct bly_own_class *class_for(struct bly_stack_pool *pool, size_t size) {
        struct bly_own_class *unused = NULL;

        for (size_t i = 0; i < BLY_OWN_CLASSES; i++) {
                struct bly_own_class *class_ = &pool->classes[i];

                if (class_->size == size)
                        return class_;
                if (class_->live == 0 && (!unused || class_->idle_count < unused->idle_count))
                        unused = class_;
        }
        if (!unused)
                return &pool->misfits;
        drop_idle(pool, unused, 0);
        unused->size = size;
        return unused;
}

static struct bly_stack_own *map_new(struct bly_stack_pool *pool, size_t size) {
        const struct bly_stack_allocator *a = &pool->allocator;
        struct bly_stack_own *own;
        char *low;
        int r;

        own = a->alloc(sizeof(*own), a->user);
        if (!own) {
                bly_stack_fail(-ENOMEM, "no memory for the books of another stack");
                return NULL;
        }
        low = bly_stack_map(size + pool->page);
        if (!low) {
                a->free(own, sizeof(*own), a->user);
                bly_stack_map_failed();
                return NULL;
        }
        if (bly_guard_install(low, 0, 1, &r) == 0) {
                munmap(low, size + pool->page);
                a->free(own, sizeof(*own), a->user);
                bly_stack_guard_failed(r);
                return NULL;
        }
        memset(own, 0, sizeof(*own));
        own->low = low + pool->page;
        own->size = size;
        own->stagger = pool->own_made++ % BLY_STACK_STAGGER_STEPS * 64;
        own->next = pool->owns;
        if (own->next)
                own->next->prev = own;
        pool->owns = own;
        return own;
}

int bly_stack_own_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out) {
        struct bly_own_class *class_ = class_for(pool, size);
        struct bly_stack_own *own;

        drop_idle(pool, &pool->misfits, 0);
        if (class_->idle)
                own = pop_idle(class_);
        else {
                own = map_new(pool, size);
                if (!own)
                        return -ENOMEM;
        }
        own->class_ = class_;
        own->is_idle = false;
        own->trimmed = false;
        class_->live++;
        bly_stack_own_stack(own, out);
        return 0;
}

void bly_stack_own_put(struct bly_stack_pool *pool, struct bly_stack_own *own) {
        struct bly_own_class *class_ = own->class_;

        /*
         * Frees surplus stacks before this one is in the list, so that this one is never unmapped:
         * the caller may still run on it.
         */
        class_->live--;
        drop_idle(pool, class_,
                  class_ == &pool->misfits ? 0 : IDLE_MOST + class_->live / IDLE_SHARE);
        own->is_idle = true;
        own->next_idle = class_->idle;
        class_->idle = own;
        class_->idle_count++;
}

/* Skips misfits, because the next stack of another size unmaps them. */
size_t bly_stack_own_trim(struct bly_stack_pool *pool, size_t keep, size_t limit) {
        size_t bytes = 0;

        for (size_t i = 0; i < BLY_OWN_CLASSES; i++) {
                for (struct bly_stack_own *own = pool->classes[i].idle; own; own = own->next_idle) {
                        if (own->trimmed)
                                continue;
                        if (limit-- == 0)
                                return bytes;
                        if (keep < own->size)
                                bytes += bly_stack_give_back_range(
                                        own->low, own->low + own->size - keep, pool->page);
                        own->trimmed = true;
                }
        }
        return bytes;
}

void bly_stack_own_untrimmed(struct bly_stack_pool *pool) {
        for (size_t i = 0; i < BLY_OWN_CLASSES; i++) {
                for (struct bly_stack_own *own = pool->classes[i].idle; own; own = own->next_idle)
                        own->trimmed = false;
        }
}

void bly_stack_own_destroy(struct bly_stack_pool *pool) {
        while (pool->owns)
                unmap(pool, pool->owns);
}
