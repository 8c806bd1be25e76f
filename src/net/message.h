/* SPDX-License-Identifier: MIT */
/*
 * One message of a socket, with all that may go with it: addresses, descriptors.
 */
#ifndef BLY_MESSAGE_H
#define BLY_MESSAGE_H

#include <sys/socket.h>

#include "io/io.h"

struct bly_message {
        struct msghdr header;
        enum bly_op_kind kind;          /* BLY_OP_SEND_MESSAGE or BLY_OP_RECEIVE_MESSAGE */
        int flags;
        const char *what;               /* "send", for reports */
        const bool *closed;             /* the descriptor is not to be touched any more */
        bool untold;                    /* the system does not tell when there is room */
        bool is_datagram;               /* that is sent: it goes at the first try, or not at all */
};

/* As sendmsg() or recvmsg(), by the calling task, waiting if it must. -EBADF: closed meanwhile. */
ssize_t bly_message_move(struct bly_io *io, struct bly_fd *fd, struct bly_message *message, const char *place);

#endif
