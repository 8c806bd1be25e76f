/* SPDX-License-Identifier: MIT */
/*
 * Operations that the back end performs as a whole.
 *
 * A cancellation request only makes the back end request the end of the operation. The operation's
 * own result says whether it had an effect, and its memory is in use until that result comes. The
 * cancellation request stays pending meanwhile, and is delivered if the operation had no effect.
 */
#include "io/io.h"
#include "scope/scope.h"

static void stop(struct bly_io *io, struct bly_op *op) {
        if (op->stopped)
                return;
        op->stopped = true;
        io->backend->stop(io, op);
        bly_wake_host(io->loop);
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
 * Counts the operations that a task begins while a request is pending, and returns true for every
 * 64th. An operation on an owned descriptor takes what is there, even if a request is pending.
 * Without the count, a task whose descriptors are always ready would never receive the request.
 * bly_tries cannot serve as the count: other tasks run during an operation, and their waits reset
 * it.
 */
static bool is_outrun(belay_task *self) {
        if (++self->origin.outrun < BLY_TRIES)
                return false;
        self->origin.outrun = 0;
        return true;
}

/* Yields. Returns -EBADF if another task closes the descriptor during the yield. */
static int yield_to_cancel(struct bly_io *io, const struct bly_fd *slot, const char *place) {
        uint16_t tenancy = slot->tenancy;
        int rc = bly_yield_before_trying(io, place);

        if (rc < 0)
                return rc;
        return slot->closing || slot->tenancy != tenancy ? -EBADF : 0;
}

/*
 * Called before an operation, if the task has a pending request or if a timeout may be overdue. If
 * the operation uses no owned descriptor and is no close, an overdue timeout expires first. If it
 * uses one, every 64th operation yields first, which delivers the request. Returns 0 or a negative
 * errno.
 */
static __attribute__((noinline)) int prepare(struct bly_io *io, const struct bly_op *op,
                                             belay_task *self, const char *place) {
        if (op->slot == NULL)
                return op->kind != BLY_OP_CLOSE ? bly_reach_limit(self, place) : 0;
        return self->node.must_cancel && is_outrun(self) ? yield_to_cancel(io, op->slot, place) : 0;
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
                /*
                 * The request was withdrawn, or a signal interrupted the operation. It had no
                 * effect, so it begins again.
                 */
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
