/* SPDX-License-Identifier: MIT */
/*
 * Operations that the back end does as a whole.
 *
 * A request for cancellation only asks for their end: the operation's own result says what happened, and until it is
 * there its memory is in use. So the request stays pending meanwhile, and is delivered if nothing happened.
 */
#include "io/io.h"
#include "scope/scope.h"

static void stop(struct bly_io *io, struct bly_op *op) {
        if (op->stopped)
                return;
        op->stopped = true;
        io->backend->stop(io, op);
        bly_tell_host(io->loop);
}

static enum bly_answer meet_op(belay_task *task, struct bly_wait *wait) {
        stop(task->loop->io, container_of(wait, struct bly_op, wait));
        return BLY_REFUSED;
}

static const char *name_of_op(const struct bly_wait *wait) {
        const struct bly_op *op = container_of(wait, struct bly_op, wait);

        return op->fd >= 0 ? bly_fd_doing(op->what, op->fd) : op->what;
}

static const struct bly_wait_class op_class = {
        .what = "operation",
        .on_request = meet_op,
        .on = name_of_op,
        .between = ": ",
        .outside = true,
        .breaks = BLY_BREAK_NEVER,
};

/*
 * An operation with a descriptor of ours takes what is there, even if a request is pending. A task whose descriptors are always
 * ready would never meet the request, so that it meets it after 64 operations. The tries of the thread do not serve here: other
 * tasks run during an operation, and their waits refill the tries.
 */
static bool is_outrun(belay_task *self) {
        if (++self->origin.outrun < BLY_TRIES)
                return false;
        self->origin.outrun = 0;
        return true;
}

/* Others may close the descriptor meanwhile. */
static int give_way(struct bly_io *io, const struct bly_fd *slot, const char *place) {
        uint16_t tenancy = slot->tenancy;
        int rc = bly_give_way_before_trying(io, place);

        if (rc < 0)
                return rc;
        return slot->closing || slot->tenancy != tenancy ? -EBADF : 0;
}

/* What comes before an operation of a task that is cancelled, or may be. 0 or a negative errno. */
static __attribute__((noinline)) int prepare(struct bly_io *io, const struct bly_op *op, belay_task *self, const char *place) {
        if (op->slot == NULL)
                return op->kind != BLY_OP_CLOSE ? bly_meet_limit(self, place) : 0;
        return self->node.must_cancel && is_outrun(self) ? give_way(io, op->slot, place) : 0;
}

ssize_t bly_perform(struct bly_io *io, struct bly_op *op, const char *place) {
        belay_task *self = io->loop->current;
        int rc;

        if (unlikely(self->node.must_cancel || (op->slot == NULL && self->scope != NULL))) {
                rc = prepare(io, op, self, place);
                if (rc < 0)
                        return rc;
        }
        op->task = self;
        op->wait.class = &op_class;
        op->forgotten = false;
        for (;;) {
                op->stopped = false;
                rc = io->backend->begin(io, op);
                if (unlikely(rc < 0))
                        return rc;
                if (op->slot != NULL)
                        bly_list_append(&op->slot->ops, &op->link);
                io->waiting++;
                io->holding += op->holds_time;
                if (likely(!self->node.must_cancel))
                        bly_io_refill(io);
                bly_suspend(self, &op->wait, place);
                if (likely(op->result != -ECANCELED && op->result != -EINTR))
                        return op->result;
                if (op->forgotten)
                        return -EBADF;
                if (self->node.must_cancel)
                        return bly_settle(self);
                /* Whoever asked for the end took it back, or it was a signal: nothing happened, so once more. */
        }
}

void bly_op_over(struct bly_io *io, struct bly_op *op, ssize_t result) {
        op->result = result;
        if (op->slot != NULL)
                bly_list_remove(&op->link);
        io->waiting--;
        io->holding -= op->holds_time;
        bly_wake(op->task, 0);
}
