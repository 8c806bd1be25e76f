/* SPDX-License-Identifier: MIT */
/*
 * Messages that begin with their length.
 */
#include <arpa/inet.h>
#include <belay.h>
#include <string.h>
#include <sys/uio.h>

#include "check.h"

/* ---- the recipe ---- */

static int send_message(belay_stream *stream, const void *data, uint32_t size) {
        uint32_t head = htonl(size);
        struct iovec parts[] = { { &head, sizeof(head) }, { (void *) data, size } };
        ssize_t rc = belay_writev(stream, parts, 2);

        /* If the message is incomplete, the stream refuses all that would follow it. */
        return rc < 0 ? (int) rc : (size_t) rc < sizeof(head) + size ? -ENOTRECOVERABLE : 0;
}

/*
 * Returns the size of a message; -ENODATA at the end. If it fails, no byte of the message is taken.
 */
static ssize_t receive_message(belay_stream *stream, void *data, size_t room) {
        const void *seen;
        uint32_t size;
        ssize_t rc = belay_peek(stream, sizeof(size), &seen);

        if (rc < (ssize_t) sizeof(size))
                return rc < 0 ? rc : rc > 0 ? -EPROTO : -ENODATA;
        memcpy(&size, seen, sizeof(size));
        size = ntohl(size);
        if (size > room)
                return -EMSGSIZE;
        rc = belay_peek(stream, sizeof(size) + size, &seen);
        if (rc < (ssize_t) (sizeof(size) + size))
                return rc < 0 ? rc : -EPROTO;
        memcpy(data, (const char *) seen + sizeof(size), size);
        belay_skip(stream, sizeof(size) + size);
        return size;
}

/* ---- the check ---- */

static ssize_t receive_within(belay_stream *stream, char *data, size_t room, belay_time span) {
        belay_timeout limit;
        ssize_t rc;

        check(belay_timeout_enter(&limit, span) == 0);
        rc = receive_message(stream, data, room);
        return belay_timeout_leave(&limit, (int) rc);
}

static int send_two(void *stream) {
        check(send_message(stream, "hello", 5) == 0);
        check(send_message(stream, "", 0) == 0);
        check(belay_write(stream, "\0", 1) == 1);
        return belay_half_close(stream);
}

static int app(void *arg) {
        belay_stream *ends[2];
        char data[16];

        (void) arg;
        /* Byte by byte, a second each. */
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .delay = BELAY_SECOND,
                                                                             .room = 1,
                                                                             .read_most = 1 } }))
              == 0);
        check(belay_spawn_detached(send_two, ends[0], NULL) == 0);
        check(receive_within(ends[1], data, sizeof(data), 5 * BELAY_SECOND / 2) == -ETIMEDOUT);
        check(belay_buffered(ends[1]) == 2);
        /* The message that was begun is still there, whole. */
        check(receive_message(ends[1], data, sizeof(data)) == 5 && memcmp(data, "hello", 5) == 0);
        check(receive_message(ends[1], data, sizeof(data)) == 0);
        /* One byte of a length, and then the end. */
        check(receive_message(ends[1], data, sizeof(data)) == -EPROTO);
        check(belay_skip(ends[1], 1) == 1);
        check(receive_message(ends[1], data, sizeof(data)) == -ENODATA);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
