/* SPDX-License-Identifier: MIT */
/*
 * Read a head up to an empty line, and then a body of the size that it names.
 */
#include <belay.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- the recipe ---- */

/* Returns the size of the body, which is read into `body`. */
static ssize_t read_request(belay_stream *client, char *head, size_t head_room, char *body,
                            size_t body_room) {
        ssize_t rc = belay_read_until(client, "\r\n\r\n", 4, head, head_room - 1);
        const char *length;
        size_t size;

        if (rc <= 0)
                return rc < 0 ? rc : -ENODATA;
        head[rc] = '\0';
        /* At the end of the stream what is left comes without the delimiter. */
        if (rc < 4 || strcmp(head + rc - 4, "\r\n\r\n") != 0)
                return -EPROTO;
        length = strstr(head, "\r\nContent-Length: ");
        size = length ? strtoul(length + 18, NULL, 10) : 0;
        if (size > body_room)
                return -EMSGSIZE;
        rc = belay_read_exactly(client, body, size);
        /*
         * Fewer bytes: the stream ended, or the task was cancelled after some. Either way the
         * request is of no use.
         */
        return rc < 0 ? rc : (size_t) rc < size ? -EPROTO : rc;
}

/* ---- the check ---- */

static int app(void *arg) {
        static const char text[] = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
                                   "GET / HTTP/1.1\r\n\r\nGET";
        belay_stream *ends[2];
        char head[256], body[16];

        (void) arg;
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                             .ways = { { .read_most = 7, .ragged = true } }))
              == 0);
        check(belay_write(ends[0], text, strlen(text)) == (ssize_t) strlen(text));
        check(belay_half_close(ends[0]) == 0);
        check(read_request(ends[1], head, sizeof(head), body, sizeof(body)) == 5);
        check(memcmp(body, "hello", 5) == 0);
        check(read_request(ends[1], head, sizeof(head), body, sizeof(body)) == 0);
        check(strcmp(head, "GET / HTTP/1.1\r\n\r\n") == 0);
        check(read_request(ends[1], head, sizeof(head), body, sizeof(body)) == -EPROTO);
        check(read_request(ends[1], head, sizeof(head), body, sizeof(body)) == -ENODATA);
        check(belay_received(ends[1]) == belay_sent(ends[0]));
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
