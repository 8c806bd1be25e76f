/* SPDX-License-Identifier: MIT */
/*
 * Task-local values. Setting puts a node in front of the task's list; whoever shares the rest does not see it.
 */
#include "task/locals.h"
#include "task/loop.h"

struct bly_local_node {
        unsigned refs;
        struct bly_local_node *next;
        const belay_local *key;
        void *value;
        belay_destroy *destroy;
};

struct bly_local_node *bly_locals_ref(struct bly_local_node *locals) {
        if (locals != NULL)
                locals->refs++;
        return locals;
}

void bly_locals_release(struct bly_local_node *locals) {
        while (locals != NULL && --locals->refs == 0) {
                struct bly_local_node *next = locals->next;

                if (locals->destroy != NULL)
                        locals->destroy(locals->value);
                bly_free(locals);
                locals = next;
        }
}

int belay_local_set(const belay_local *key, void *value) {
        belay_task *self = bly_current();
        struct bly_local_node *node;

        if (self == NULL)
                return bly_misuse(-EPERM, NULL, "a task-local value is set outside of a task");
        node = bly_alloc(sizeof(*node));
        if (node == NULL)
                return -ENOMEM;
        /* One that only we see is replaced, so that a loop that sets does not grow the list. */
        while (self->locals != NULL && self->locals->key == key && self->locals->refs == 1) {
                struct bly_local_node *old = self->locals;

                self->locals = bly_locals_ref(old->next);
                bly_locals_release(old);
        }
        *node = (struct bly_local_node) {
                .refs = 1,
                .next = self->locals,
                .key = key,
                .value = value,
                .destroy = key->destroy,
        };
        self->locals = node;
        return 0;
}

void *belay_local_get(const belay_local *key) {
        const belay_task *self = bly_current();

        if (self != NULL)
                for (const struct bly_local_node *node = self->locals; node != NULL; node = node->next)
                        if (node->key == key)
                                return node->value;
        return NULL;
}
