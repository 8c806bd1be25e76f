/* SPDX-License-Identifier: MIT */
/*
 * A stream with a transport of its own, which changes each byte on its way to another stream.
 */
#include <belay.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "check.h"

/* ---- the recipe ---- */

struct veil {
        belay_stream *inner;
        unsigned char key;
};

static ssize_t veil_read(void *self, void *buffer, size_t size) {
        struct veil *veil = self;
        ssize_t got = belay_read(veil->inner, buffer, size);

        for (ssize_t i = 0; i < got; i++)
                ((unsigned char *) buffer)[i] ^= veil->key;
        return got;
}

/* Moves at least one byte. The stream calls again for the rest. */
static ssize_t veil_write(void *self, const struct iovec *parts, int count) {
        struct veil *veil = self;
        unsigned char veiled[1024];
        size_t size = 0;

        for (int i = 0; i < count; i++) {
                const unsigned char *bytes = parts[i].iov_base;

                for (size_t at = 0; at < parts[i].iov_len && size < sizeof(veiled); at++)
                        veiled[size++] = bytes[at] ^ veil->key;
        }
        return belay_write_some(veil->inner, veiled, size);
}

static int veil_half_close(void *self) {
        return belay_half_close(((struct veil *) self)->inner);
}

/* Tasks inside return -EBADF when the inner stream is closed. */
static void veil_interrupt(void *self) {
        struct veil *veil = self;

        belay_abort(veil->inner);
        veil->inner = NULL;
}

static void veil_destroy(void *self, bool abort) {
        struct veil *veil = self;

        if (abort)
                belay_abort(veil->inner);
        else
                belay_close(veil->inner, 0);
        free(veil);
}

/* The inner stream is the new one's, unless this fails. */
static int veil_new(belay_stream **stream, belay_stream *inner, unsigned char key) {
        static const belay_transport transport = {
                .size = sizeof(transport),
                .name = "veil",
                .read = veil_read,
                .write = veil_write,
                .half_close = veil_half_close,
                .interrupt = veil_interrupt,
                .destroy = veil_destroy,
        };
        struct veil *veil = malloc(sizeof(*veil));
        int rc = veil ? 0 : -ENOMEM;

        if (veil)
                *veil = (struct veil) { inner, key };
        if (rc == 0)
                rc = belay_stream_new(stream, &transport, veil);
        if (rc < 0)
                free(veil);
        return rc;
}

/* ---- the check ---- */

static int wait_for_line(void *stream) {
        char line[32];
        ssize_t rc = belay_read_line(stream, line, sizeof(line));

        return rc < 0 ? (int) rc : 0;
}

static int app(void *arg) {
        belay_stream *ends[2], *veiled[2];
        char text[32];
        belay_task *task;
        int outcome;

        (void) arg;
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .write_most = 3 } }))
              == 0);
        check(veil_new(&veiled[0], ends[0], 0x55) == 0);
        check(belay_print(veiled[0], "hello\n") == 6);
        check(belay_read_exactly(ends[1], text, 6) == 6 && text[0] == ('h' ^ 0x55));
        check(veil_new(&veiled[1], ends[1], 0x55) == 0);
        check(belay_print(veiled[0], "hello\n") == 6);
        check(belay_read_line(veiled[1], text, sizeof(text)) == 6 && strcmp(text, "hello\n") == 0);
        check(strstr(belay_stream_name(veiled[1]), "veil") != NULL);

        /* Lines, limits, and a reader that another task closes under: all as with any stream. */
        task = belay_spawn(wait_for_line, veiled[1]);
        check(belay_sleep(BELAY_SECOND) == 0);
        belay_abort(veiled[1]);
        check(belay_join(task, &outcome) == 0 && outcome == -EBADF);
        belay_release(task);
        check(belay_close(veiled[0], 0) == 0);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
