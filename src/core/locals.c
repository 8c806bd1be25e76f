/* SPDX-License-Identifier: MIT */
/*
 * Task-local values. Setting a value puts a node in front of the task's list. Tasks that share the
 * rest of the list do not see that node.
 */
#include "core/locals.h"
#include "core/loop.h"

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

/*
 * Removes the task's own nodes of a key, which no other task shares, and returns them for release.
 * A task that sets the same keys repeatedly therefore does not grow its list.
 */
static struct bly_local_node *take_own(belay_task *self, const belay_local *key) {
        struct bly_local_node **at = &self->locals, *own = NULL;

        while (*at != NULL && (*at)->refs == 1) {
                struct bly_local_node *node = *at;

                if (node->key == key) {
                        *at = node->next;
                        node->next = own;
                        own = node;
                } else {
                        at = &node->next;
                }
        }
        return own;
}

int belay_local_set(const belay_local *key, void *value) {
        belay_task *self = bly_current();
        struct bly_local_node *node, *own;

        if (self == NULL)
                return bly_misuse(-EPERM, NULL, "a task-local value is set outside of a task");
        node = bly_alloc(sizeof(*node));
        if (node == NULL)
                return -ENOMEM;
        own = take_own(self, key);
        *node = (struct bly_local_node) {
                .refs = 1,
                .next = self->locals,
                .key = key,
                .value = value,
                .destroy = key->destroy,
        };
        self->locals = node;
        bly_locals_release(own);
        return 0;
}

void *belay_local_get(const belay_local *key) {
        const belay_task *self = bly_current();

        if (self != NULL)
                for (const struct bly_local_node *node = self->locals; node != NULL;
                     node = node->next)
                        if (node->key == key)
                                return node->value;
        return NULL;
}
