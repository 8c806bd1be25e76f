/* SPDX-License-Identifier: MIT */
/*
 * One message of a socket, with the address and the descriptors that may go with it.
 */
#ifndef BLY_MESSAGE_H
#define BLY_MESSAGE_H

#include <sys/socket.h>

#include "io/io.h"

struct bly_message {
        struct msghdr header;
        enum bly_op_kind kind; /* BLY_OP_SEND_MESSAGE or BLY_OP_RECEIVE_MESSAGE */
        int flags;
        const char *what;    /* "send", for reports */
        const bool *closed;  /* set by closing: the descriptor must not be used */
        bool without_events; /* no event reports when there is room */
        bool is_datagram;    /* datagram to send: a try sends all of it or nothing */
};

/*
 * Works as sendmsg() or recvmsg(), and waits if necessary. Returns the number of bytes, -EBADF if
 * *closed became true meanwhile, or another negative errno.
 */
ssize_t bly_message_move(struct bly_io *io, struct bly_fd *fd, struct bly_message *message,
                         const char *place);

#endif
