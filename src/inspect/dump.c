/* SPDX-License-Identifier: MIT */
/*
 * The dump of a loop: its tasks, drawn as trees.
 *
 * Beneath a task stand its scopes, the innermost first. Beneath a group stand its members. The walk
 * follows the pointers in tasks and scopes, down, along and up again. It therefore needs no memory
 * and no recursion, whatever the depth of the tree. Only the drawing has a limit. LEVELS_DRAWN
 * levels are indented, and the lines of deeper nodes contain the number of their level.
 */
#include "cancel/task_line.h"
#include "inspect/scope_line.h"
#include "scope/group.h"

#include <belay/inspect.h>

/* A node of the tree: a scope of a task, or the task itself if `scope` is NULL. */
struct node {
        const belay_task *task;
        const struct bly_scope *scope;
};

enum { LEVELS_DRAWN = 24 };

struct walk {
        struct bly_out out;
        size_t level;
        /* For the present node and its ancestors, by level: whether a sibling follows. */
        bool more[LEVELS_DRAWN + 1];
};

static const struct bly_group *group_at(struct node node) {
        if (node.scope == NULL || node.scope->kind != BLY_SCOPE_GROUP)
                return NULL;
        return container_of(node.scope, struct bly_group, scope);
}

static struct node task_at(const struct bly_link *link) {
        return (struct node) { .task = container_of(link, belay_task, owned) };
}

/* Moves to the first node beneath this one. Returns false if there is none. */
static bool go_down(struct node *node) {
        const struct bly_group *group = group_at(*node);

        if (node->scope == NULL) {
                node->scope = bly_scope_of(node->task);
                return node->scope != NULL;
        }
        if (group == NULL || bly_list_empty(&group->owner.members))
                return false;
        *node = task_at(group->owner.members.next);
        return true;
}

/* Moves to the next node beneath the same parent. Returns false if there is none. */
static bool go_along(struct node *node) {
        const struct bly_group *group;

        if (node->scope != NULL) {
                const struct bly_scope *outer = bly_scope_outer(node->scope);

                if (outer == NULL)
                        return false;
                node->scope = outer;
                return true;
        }
        group = bly_group_of(node->task);
        if (group == NULL || node->task->owned.next == &group->owner.members)
                return false;
        *node = task_at(node->task->owned.next);
        return true;
}

/* Moves to the parent. Each node has one, except the task at the top. */
static void go_up(struct node *node) {
        if (node->scope != NULL) {
                node->task = node->scope->task;
                node->scope = NULL;
        } else {
                node->scope = &bly_group_of(node->task)->scope;
        }
}

static void draw(struct walk *walk, struct node node) {
        size_t drawn = walk->level < LEVELS_DRAWN ? walk->level : LEVELS_DRAWN;
        struct node next = node;
        bool more = go_along(&next);

        if (walk->level <= LEVELS_DRAWN)
                walk->more[walk->level] = more;
        for (size_t i = 1; i < drawn; i++)
                bly_out(&walk->out, walk->more[i] ? "|  " : "   ");
        if (walk->level > 0)
                bly_out(&walk->out, more ? "|- " : "`- ");
        if (walk->level > LEVELS_DRAWN)
                bly_out(&walk->out, "[level %zu] ", walk->level);
        if (node.scope != NULL)
                bly_scope_line(&walk->out, node.scope);
        else
                bly_task_line(&walk->out, node.task);
        bly_out(&walk->out, "\n");
}

/*
 * Moves to the next node in the order of drawing. Returns false after the last node beneath the
 * task at the top, and is at this task again.
 */
static bool go_on(struct walk *walk, struct node *node) {
        struct node beneath = *node;

        if (go_down(&beneath)) {
                *node = beneath;
                walk->level++;
                return true;
        }
        while (walk->level > 0) {
                if (go_along(node))
                        return true;
                go_up(node);
                walk->level--;
        }
        return false;
}

static void draw_tree(struct walk *walk, const belay_task *top) {
        struct node node = { .task = top };

        do
                draw(walk, node);
        while (walk->out.error == 0 && go_on(walk, &node));
}

int belay_loop_dump(belay_loop *loop, int fd) {
        struct walk walk = { .out.fd = fd };
        size_t ended = 0;

        bly_loop_line(&walk.out, loop);
        for (const belay_task *task = bly_record_next(loop, NULL);
             task != NULL && walk.out.error == 0; task = bly_record_next(loop, task)) {
                if (bly_group_of(task) != NULL)
                        continue;
                if (bly_is_done(task))
                        ended++;
                else
                        draw_tree(&walk, task);
        }
        if (ended > 0)
                bly_out(&walk.out, "%zu more %s ended, and the program holds %s\n", ended,
                        ended == 1 ? "has" : "have",
                        ended == 1 ? "a handle of it" : "handles of them");
        return bly_out_flush(&walk.out);
}

int belay_dump(int fd) {
        return bly_loop != NULL ? belay_loop_dump(bly_loop, fd) : -EPERM;
}

/* ---- one task, for the program itself ---- */

void belay_waiting(const belay_task *task, belay_wait_info *info) {
        const struct bly_wait *wait = task != NULL && task->node.state == BLY_WAITING ? task->wait
                                                                                      : NULL;
        size_t cursor = 0, size = info->size;
        belay_wait_info known = { .size = size, .what = task != NULL ? bly_what(task) : "none" };

        if (wait != NULL) {
                known.on = wait->class->on != NULL ? wait->class->on(wait) : NULL;
                known.place = task->place;
                known.since = task->since;
                known.task = wait->class->awaits != NULL ? wait->class->awaits(wait, &cursor)
                                                         : NULL;
        }
        memcpy(info, &known, size < sizeof(known) ? size : sizeof(known));
}
