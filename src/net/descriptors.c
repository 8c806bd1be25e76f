/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving descriptors with the bytes of a Unix socket's stream.
 *
 * The kernel sends descriptors with the first byte of a message, and delivers them with it. So the
 * rest of the message is written as on any stream, and the stream may become incomplete as any.
 *
 * A receive always has room for all descriptors that can arrive. Otherwise the library would not
 * know their number, and could not close those that the caller cannot have. The bytes that came
 * with such descriptors stay in the stream, so a reader that does without them loses no bytes.
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "net/message.h"
#include "net/net.h"

/* Room for other control data, such as the sender's credentials, if the program enabled it. */
enum { ROOM_FOR_OTHERS = 512 };

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

union control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(BELAY_DESCRIPTORS_MOST * sizeof(int)) + ROOM_FOR_OTHERS];
};

/* ---- sending ---- */

static void attach(struct msghdr *message, union control *control, const int *fds, size_t count) {
        size_t size = count * sizeof(*fds);
        struct cmsghdr *header;

        if (count == 0)
                return;
        memset(control->bytes, 0, CMSG_SPACE(size));
        message->msg_control = control;
        message->msg_controllen = CMSG_SPACE(size);
        header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), fds, size);
}

/* Sends the descriptors with as many bytes as there is room for, and returns their number. */
static ssize_t send_first(belay_stream *stream, struct bly_descriptor *socket, struct iovec *part,
                          const int *fds, size_t count, const char *place) {
        union control control;
        struct bly_message message = {
                .kind = BLY_OP_SEND_MESSAGE,
                .what = "send descriptors",
                .flags = MSG_NOSIGNAL,
                .closed = &stream->closed,
                .header.msg_iov = part,
                .header.msg_iovlen = 1,
        };
        ssize_t rc;

        attach(&message.header, &control, fds, count);
        rc = bly_message_move(socket->io, socket->fd, &message, place);
        if (rc > 0)
                stream->sent += (size_t) rc;
        else if (rc == -EPIPE || rc == -ECONNRESET)
                stream->writer.error = (int) rc;
        return rc;
}

static ssize_t send_all(belay_stream *stream, struct bly_descriptor *socket, const void *data,
                        size_t size, const int *fds, size_t count, const char *place) {
        struct iovec part = { .iov_base = (void *) data, .iov_len = size };
        ssize_t moved = 0, rc = bly_stream_writable(stream);

        if (rc == 0)
                rc = send_first(stream, socket, &part, fds, count, place);
        while (rc > 0) {
                moved += rc;
                part.iov_base = (char *) part.iov_base + rc;
                part.iov_len -= (size_t) rc;
                if (part.iov_len == 0)
                        break;
                rc = bly_stream_write(stream, &part, 1);
        }
        return bly_stream_written(stream, moved, rc);
}

ssize_t belay_send_descriptors_placed(const char *place, belay_stream *stream, const void *data,
                                      size_t size, const int *fds, size_t count) {
        struct bly_descriptor *socket = bly_stream_socket(stream);
        ssize_t rc;

        if (socket == NULL || !socket->is_unix)
                return -EOPNOTSUPP;
        if (size == 0 || count > BELAY_DESCRIPTORS_MOST)
                return -EINVAL;
        rc = bly_stream_enter(stream, &stream->writer, place, "belay_send_descriptors()");
        if (rc < 0)
                return rc;
        rc = send_all(stream, socket, data, size, fds, count, place);
        return (ssize_t) bly_stream_leave(stream, &stream->writer, rc);
}

/* ---- receiving ---- */

static void close_all(const int *fds, size_t count) {
        for (size_t i = 0; i < count; i++)
                close(fds[i]);
}

/*
 * Stores the descriptors that came with a message, and returns their number. The function closes a
 * descriptor of the sender's process (SCM_PIDFD), which comes if the program enabled it.
 */
static size_t detach(struct msghdr *message, int *fds) {
        size_t count = 0;

        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
             header = CMSG_NXTHDR(message, header)) {
                size_t size = header->cmsg_len - CMSG_LEN(0);

                if (header->cmsg_level != SOL_SOCKET
                    || (header->cmsg_type != SCM_RIGHTS && header->cmsg_type != SCM_PIDFD))
                        continue;
                memcpy(fds + count, CMSG_DATA(header), size);
                if (header->cmsg_type == SCM_RIGHTS)
                        count += size / sizeof(*fds);
                else
                        close_all(fds + count, size / sizeof(*fds));
        }
        return count;
}

/*
 * Keeps bytes for the next call that reads. Without memory for them the stream has a gap, so all
 * later reads return -ENOTRECOVERABLE.
 */
static void keep_bytes(belay_stream *stream, const void *bytes, size_t size) {
        char *buffer = stream->room < size ? bly_realloc(stream->buffer, size) : stream->buffer;

        if (buffer == NULL) {
                stream->reader.error = -ENOTRECOVERABLE;
                return;
        }
        if (stream->room < size)
                stream->room = size;
        stream->buffer = memcpy(buffer, bytes, size);
        stream->start = 0;
        stream->end = size;
}

/*
 * Gives the caller all descriptors of a message or none. If the caller has no room for all, or the
 * kernel could not deliver all (MSG_CTRUNC), the function closes them and keeps the bytes.
 */
static ssize_t hand_over(belay_stream *stream, struct msghdr *message, size_t size, int *fds,
                         size_t room, size_t *count) {
        int came[sizeof(union control) / sizeof(int)];
        size_t number = detach(message, came);

        if (number > room || message->msg_flags & MSG_CTRUNC) {
                close_all(came, number);
                keep_bytes(stream, message->msg_iov->iov_base, size);
                return number > room ? -EMSGSIZE : -EMFILE;
        }
        for (size_t i = 0; i < number; i++)
                fds[i] = came[i];
        *count = number;
        stream->received += size;
        return (ssize_t) size;
}

static ssize_t receive(belay_stream *stream, struct bly_descriptor *socket, void *buffer,
                       size_t size, int *fds, size_t room, size_t *count, const char *place) {
        struct iovec part = { .iov_base = buffer, .iov_len = size };
        union control control;
        struct bly_message message = {
                .kind = BLY_OP_RECEIVE_MESSAGE,
                .what = "receive descriptors",
                .flags = MSG_CMSG_CLOEXEC,
                .closed = &stream->closed,
                .header.msg_iov = &part,
                .header.msg_iovlen = 1,
                .header.msg_control = &control,
                .header.msg_controllen = sizeof(control),
        };
        ssize_t rc;

        if (stream->reader.error != 0)
                return stream->reader.error;
        if (stream->ended)
                return 0;
        rc = bly_message_move(socket->io, socket->fd, &message, place);
        stream->ended = rc == 0;
        if (rc == -ECONNRESET)
                stream->reader.error = (int) rc;
        if (rc <= 0)
                return rc;
        return hand_over(stream, &message.header, (size_t) rc, fds, room, count);
}

/*
 * Takes bytes that were read ahead. They have no descriptors: the kernel discards descriptors at an
 * ordinary read.
 */
static ssize_t take_buffered(belay_stream *stream, void *buffer, size_t size) {
        size_t buffered = bly_stream_buffered(stream);

        if (size > buffered)
                size = buffered;
        bly_stream_take(stream, buffer, size);
        return (ssize_t) size;
}

ssize_t belay_receive_descriptors_placed(const char *place, belay_stream *stream, void *buffer,
                                         size_t size, int *fds, size_t *count) {
        struct bly_descriptor *socket = bly_stream_socket(stream);
        size_t room = *count;
        ssize_t rc;

        *count = 0;
        if (socket == NULL || !socket->is_unix)
                return -EOPNOTSUPP;
        rc = bly_stream_enter(stream, &stream->reader, place, "belay_receive_descriptors()");
        if (rc < 0)
                return rc;
        if (size > 0)
                rc = bly_stream_buffered(stream) > 0
                             ? take_buffered(stream, buffer, size)
                             : receive(stream, socket, buffer, size, fds, room, count, place);
        rc = (ssize_t) bly_stream_leave(stream, &stream->reader, rc);
        if (unlikely(rc < 0)) {
                close_all(fds, *count);
                *count = 0;
        }
        return rc;
}
