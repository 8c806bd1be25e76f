/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving single messages: by the back end if it can, otherwise by repeated tries.
 *
 * Other tasks run while a task waits, or yields before a try. They may close the socket, and its
 * number may become another descriptor's. So the task checks *closed before each try.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "net/message.h"
#include "net/pause.h"

static ssize_t perform(struct bly_io *io, struct bly_fd *fd, const struct bly_message *message,
                       const char *place) {
        struct bly_op op = {
                .slot = fd,
                .what = message->what,
                .kind = message->kind,
                .fd = fd->fd,
                .address = &message->header,
                .flags = message->flags,
        };

        return bly_perform(io, &op, place);
}

/*
 * Other C libraries accept less control data than the kernel, so there the function calls the
 * kernel directly. The kernel requires that the padding in their structs is 0, and it is.
 */
static ssize_t send_message(int fd, const struct msghdr *header, int flags) {
#ifdef __GLIBC__
        return sendmsg(fd, header, flags);
#else
        return syscall(SYS_sendmsg, fd, header, flags);
#endif
}

static ssize_t try_once(int fd, struct bly_message *message) {
        int flags = message->flags | MSG_DONTWAIT;
        ssize_t rc;

        do
                rc = message->kind == BLY_OP_SEND_MESSAGE
                             ? send_message(fd, &message->header, flags)
                             : recvmsg(fd, &message->header, flags);
        while (rc < 0 && errno == EINTR);
        return rc >= 0 ? rc : -errno;
}

static ssize_t move_when_ready(struct bly_io *io, struct bly_fd *fd, struct bly_message *message,
                               const char *place) {
        unsigned events = message->kind == BLY_OP_SEND_MESSAGE ? BELAY_WRITABLE : BELAY_READABLE,
                 pauses = 0;
        ssize_t rc = 0;

        while (rc >= 0 && !*message->closed) {
                rc = bly_fd_try(io, fd, events, place);
                if (rc < 0 || *message->closed)
                        break;
                rc = try_once(fd->fd, message);
                if (rc != -EAGAIN)
                        return rc;
                rc = message->without_events ? bly_pause(&pauses, place)
                                             : bly_fd_wait(io, fd, events, message->what, place);
        }
        return rc < 0 ? rc : -EBADF;
}

ssize_t bly_message_move(struct bly_io *io, struct bly_fd *fd, struct bly_message *message,
                         const char *place) {
        ssize_t rc = -EAGAIN;

        /*
         * io_uring must not send a datagram that has to wait. Its first try consumes the bytes
         * before it finds that the peer's queue is full. When there is room, the kernel sends the
         * bytes that it has left of the datagram, which are none.
         */
        if (bly_performs(io) && !message->without_events && !message->is_datagram)
                rc = perform(io, fd, message, place);
        if (rc == -EAGAIN)
                rc = move_when_ready(io, fd, message, place);
        /* The detail of an earlier failure with the same code must not be taken for this one's. */
        if (unlikely(rc < 0) && rc != -ECANCELED)
                bly_set_last_failure(io->loop->current, (int) rc, NULL);
        return rc;
}
