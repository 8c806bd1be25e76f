/* SPDX-License-Identifier: MIT */
/*
 * Transports of the program: one that writes in capitals, and one whose count of bytes cannot be
 * trusted. The tests also check when the library calls interrupt() and destroy().
 */
#include <ctype.h>

#include "stream/streams.h"

/* ---- capitals, over another stream ---- */

struct capitals {
        belay_stream *below;
        unsigned interrupted, destroyed;
        bool aborted;
        bool is_sound;
        size_t most; /* most bytes that a write moves */
};

static ssize_t read_below(void *self, void *buffer, size_t size) {
        CHECK(size > 0);
        return belay_read(((struct capitals *) self)->below, buffer, size);
}

static ssize_t write_capitals(void *self, const struct iovec *parts, int count) {
        struct capitals *capitals = self;
        char text[100];
        size_t size = 0;

        for (int i = 0; i < count; i++)
                for (size_t k = 0; k < parts[i].iov_len && size < capitals->most; k++)
                        text[size++] = (char) toupper(((const char *) parts[i].iov_base)[k]);
        CHECK(size > 0);
        return belay_write_some(capitals->below, text, size);
}

static void interrupt_below(void *self) {
        ((struct capitals *) self)->interrupted++;
        belay_abort(((struct capitals *) self)->below);
        ((struct capitals *) self)->below = NULL;
}

static void destroy_capitals(void *self, bool abort) {
        struct capitals *capitals = self;

        capitals->destroyed++;
        capitals->aborted = abort;
        if (capitals->below != NULL && abort)
                belay_abort(capitals->below);
        else if (capitals->below != NULL)
                CHECK_EQ(belay_close(capitals->below, 0), 0);
}

static bool is_sound(const void *self) {
        return ((const struct capitals *) self)->is_sound;
}

static const belay_transport capitals_transport = {
        .size = sizeof(capitals_transport),
        .name = "capitals",
        .read = read_below,
        .write = write_capitals,
        .interrupt = interrupt_below,
        .destroy = destroy_capitals,
        .is_sound = is_sound,
};

/* Opens a stream of this transport over one end of a wire with `room` bytes, and the other end. */
static void open_capitals(struct capitals *capitals, belay_stream **stream, belay_stream **other,
                          size_t room) {
        belay_stream *ends[2];

        CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = room } })),
                 0);
        *capitals = (struct capitals) { .below = ends[0], .is_sound = true, .most = 7 };
        *other = ends[1];
        CHECK_EQ(belay_stream_new(stream, &capitals_transport, capitals), 0);
}

static int works(void *arg) {
        struct iovec parts[] = { { "one, ", 5 }, { NULL, 0 }, { "two, and three", 14 } };
        struct capitals capitals;
        belay_stream *stream, *other;
        char line[100];

        (void) arg;
        open_capitals(&capitals, &stream, &other, 0);
        CHECK_STR(belay_stream_name(stream), "capitals");
        CHECK_EQ(belay_stream_fd(stream), -EOPNOTSUPP);
        CHECK_EQ(belay_half_close(stream), -EOPNOTSUPP);
        CHECK_EQ(belay_print(stream, "hello, %s\n", "world"), 13);
        CHECK_EQ(belay_read_line(other, line, 100), 13);
        CHECK_STR(line, "HELLO, WORLD\n");
        CHECK_EQ(belay_writev(stream, parts, 3), 19);
        CHECK_EQ(belay_read_exactly(other, line, 19), 19);
        CHECK(memcmp(line, "ONE, TWO, AND THREE", 19) == 0);
        CHECK_EQ(belay_write(other, "back\nagain", 10), 10);
        CHECK_EQ(belay_read_line(stream, line, 100), 5);
        CHECK_EQ(belay_close(other, 0), 0);
        CHECK_EQ(belay_read_line(stream, line, 100), 5);
        CHECK_STR(line, "again");
        CHECK_EQ(belay_read_line(stream, line, 100), 0);
        CHECK_EQ(belay_sent(stream), 32);
        CHECK_EQ(belay_received(stream), 10);
        /* The transport has no half-close, so the close does not wait for the peer. */
        CHECK_EQ(belay_close(stream, BELAY_HOUR), 0);
        CHECK_EQ(belay_now(), 0);
        CHECK(capitals.destroyed == 1 && !capitals.aborted && capitals.interrupted == 0);
        return 0;
}

static int ends(void *arg) {
        struct once reader = { .size = 10 };
        struct capitals capitals;
        belay_stream *stream, *other;
        belay_task *task;
        char buffer[10];

        (void) arg;
        open_capitals(&capitals, &stream, &other, 0);
        belay_abort(stream);
        CHECK(capitals.destroyed == 1 && capitals.aborted && capitals.interrupted == 0);
        CHECK_EQ(belay_read(other, buffer, 10), -ECONNRESET);
        belay_abort(other);

        /*
         * A task is inside the stream. It is interrupted, and the transport is destroyed after it
         * has left.
         */
        for (int abort = 0; abort < 2; abort++) {
                open_capitals(&capitals, &stream, &other, 0);
                reader.stream = stream;
                reader.buffer = buffer;
                task = must(belay_spawn(read_once, &reader));
                let_run();
                if (abort)
                        belay_abort(stream);
                else
                        CHECK_EQ(belay_close(stream, 0), 0);
                CHECK(capitals.destroyed == 0 && capitals.interrupted == 1);
                join_task(task, 0);
                CHECK_EQ(reader.result, -EBADF);
                CHECK(capitals.destroyed == 1 && capitals.aborted == abort
                      && capitals.interrupted == 1);
                belay_abort(other);
        }
        return 0;
}

/* ---- incomplete, and whether writing can resume ---- */

static int cut(void *arg) {
        struct capitals capitals;
        belay_stream *stream, *other;
        char buffer[100];
        belay_timeout limit;
        ssize_t rc;

        (void) arg;
        for (int sound = 1; sound >= 0; sound--) {
                open_capitals(&capitals, &stream, &other, 20);
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
                rc = belay_write_some(stream, "twelve bytes", 12);
                CHECK_EQ(rc, 7);
                capitals.is_sound = sound;
                rc = belay_write(stream, "more than there is room for", 27);
                CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 13);
                CHECK(belay_is_cut(stream));
                CHECK_EQ(belay_write(stream, "x", 1), -ENOTRECOVERABLE);
                CHECK_EQ(belay_mend(stream), sound ? 0 : -ENOTRECOVERABLE);
                CHECK_EQ(belay_is_cut(stream), !sound);
                CHECK_EQ(belay_read_exactly(other, buffer, 20), 20);
                CHECK(memcmp(buffer, "TWELVE MORE THAN THE", 20) == 0);
                CHECK_EQ(belay_write(stream, "x", 1), sound ? 1 : -ENOTRECOVERABLE);
                /* Reading goes on all the same. */
                CHECK_EQ(belay_write(other, "back", 4), 4);
                CHECK_EQ(belay_read(stream, buffer, 10), 4);
                CHECK_EQ(belay_close(stream, 0), 0);
                CHECK(capitals.aborted == !sound);
                belay_abort(other);
        }
        return 0;
}

/* The transport reports that it moved nothing, but its count cannot be trusted. */
static int cut_at_the_beginning(void *arg) {
        struct capitals capitals;
        belay_stream *stream, *other;
        belay_timeout limit;
        ssize_t rc;

        (void) arg;
        open_capitals(&capitals, &stream, &other, 5);
        CHECK_EQ(belay_write(stream, "12345", 5), 5);
        capitals.is_sound = false;
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        rc = belay_write(stream, "more", 4);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        CHECK(belay_is_cut(stream));
        CHECK_EQ(belay_mend(stream), -ENOTRECOVERABLE);
        CHECK_EQ(belay_write_some(stream, "x", 1), -ENOTRECOVERABLE);
        belay_abort(stream);
        belay_abort(other);
        return 0;
}

/* ---- missing functions ---- */

static int misuse(void *arg) {
        belay_transport transport = capitals_transport;
        struct capitals capitals = { .is_sound = true };
        belay_stream *stream = (belay_stream *) &stream;

        (void) arg;
        transport.read = NULL;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), -EINVAL);
        CHECK(stream == NULL);
        transport = capitals_transport;
        transport.write = NULL;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), -EINVAL);
        transport = capitals_transport;
        transport.interrupt = NULL;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), -EINVAL);
        transport = capitals_transport;
        transport.destroy = NULL;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), -EINVAL);
        transport = capitals_transport;
        transport.name = NULL;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), -EINVAL);
        CHECK_EQ(belay_stream_new(&stream, NULL, &capitals), -EINVAL);
        /* The state still belongs to the caller. */
        CHECK_EQ(capitals.destroyed, 0);
        /*
         * A program that was compiled with an older, shorter struct. Members beyond its size count
         * as absent.
         */
        transport = capitals_transport;
        transport.size = offsetof(belay_transport, is_sound);
        capitals.is_sound = false;
        CHECK_EQ(belay_stream_new(&stream, &transport, &capitals), 0);
        CHECK_EQ(belay_mend(stream), 0);
        belay_abort(stream);
        CHECK(capitals.destroyed == 1 && capitals.aborted);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(works);
        RUN_VIRTUAL(ends);
        RUN_VIRTUAL(cut);
        RUN_VIRTUAL(cut_at_the_beginning);
        RUN_VIRTUAL(misuse);
        return 0;
}
