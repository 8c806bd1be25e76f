/* SPDX-License-Identifier: MIT */
/*
 * Hand descriptors to another process over a Unix socket.
 */
#include <belay.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/* Sends a descriptor with a name. The caller keeps its own copy. */
static int send_descriptor(belay_stream *stream, int fd, const char *name) {
        size_t size = strlen(name) + 1;
        ssize_t rc = belay_send_descriptors(stream, name, size, &fd, 1);

        return rc < 0 ? (int) rc : (size_t) rc < size ? -ENOTRECOVERABLE : 0;
}

/*
 * Receives one, with its name. The descriptor is the caller's, and closed on exec. 0: there are no
 * more.
 */
static int receive_descriptor(belay_stream *stream, int *fd, char *name, size_t size) {
        size_t count = 1;
        ssize_t rc = belay_receive_descriptors(stream, name, 1, fd, &count);

        /* The descriptor comes with the first byte. The rest of the name may come later. */
        if (rc <= 0 || count == 0)
                return rc < 0 ? (int) rc : rc > 0 ? -EPROTO : 0;
        if (name[0] != '\0')
                rc = belay_read_until(stream, "", 1, name + 1, size - 1);
        if (rc > 0)
                return 1;
        close(*fd);
        return rc < 0 ? (int) rc : -EPROTO;
}

/* ---- the check ---- */

static int app(void *arg) {
        belay_stream *ends[2];
        int sides[2], fd;
        char name[32], byte = 0;

        (void) arg;
        check(pipe(sides) == 0);
        check(belay_stream_pair(&ends[0], &ends[1]) == 0);
        check(send_descriptor(ends[0], sides[1], "the writing side") == 0);
        check(belay_half_close(ends[0]) == 0);
        check(receive_descriptor(ends[1], &fd, name, sizeof(name)) == 1);
        check(strcmp(name, "the writing side") == 0 && fd != sides[1]);
        check((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        check(write(fd, "x", 1) == 1 && read(sides[0], &byte, 1) == 1 && byte == 'x');
        check(receive_descriptor(ends[1], &fd, name, sizeof(name)) == 0);
        check(close(fd) == 0 && close(sides[0]) == 0 && close(sides[1]) == 0);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(belay_run(app, NULL) == 0);
        return 0;
}
