/* SPDX-License-Identifier: MIT */
/*
 * Operations that the back end does as a whole.
 *
 * A request for cancellation only asks for their end: the operation's own result says what happened, and until it is
 * there its memory is in use. So the request stays pending meanwhile, and is delivered if nothing happened.
 */
#include "io/io.h"

static void stop(struct bly_io *io, struct bly_op *op) {
        if (op->stopped)
                return;
        op->stopped = true;
        io->backend->stop(io, op);
        bly_tell_host(io->loop);
}

static enum bly_meet meet_op(belay_task *task, struct bly_wait *wait) {
        stop(task->loop->io, container_of(wait, struct bly_op, wait));
        return BLY_CANNOT;
}

static const char *name_of_op(const struct bly_wait *wait) {
        const struct bly_op *op = container_of(wait, struct bly_op, wait);

        return op->fd >= 0 ? bly_fd_doing(op->what, op->fd) : op->what;
}

static const struct bly_wait_class op_class = {
        .what = "operation",
        .meet = meet_op,
        .on = name_of_op,
        .between = ": ",
        .outside = true,
        .hold = BLY_HOLD_FAST,
};

ssize_t bly_perform(struct bly_io *io, struct bly_op *op, const char *place) {
        belay_task *self = io->loop->current;
        int rc;

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
