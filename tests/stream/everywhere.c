/* SPDX-License-Identifier: MIT */
/*
 * Streams under cancel-everywhere. Wherever a task is cancelled, the reader receives exactly the
 * bytes that the writer was reported to have written.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "everywhere/everywhere.h"
#include "stream/streams.h"

enum { SIZE = 200, PIECE = 50 };

enum how_written { WRITE, WRITEV, WRITE_SOME, PRINT, SEND_FILE, COPY };
enum how_read { READ, EXACTLY, UNTIL, LINE, PEEK };

/* One direction, from a task that writes to one that reads. The main task is one of them. */
static struct flow {
        enum kind kind;
        enum how_written how_written;
        enum how_read how_read;
        bool main_reads;
        belay_stream *ends[2];
        belay_stream *source[2]; /* source of a copy */
        int file;                /* file to send */
        char got[SIZE + 1];
        size_t written, read;
        bool whole;          /* all bytes were written */
        bool began, checked; /* the reader has begun; it has checked what it read */
} flow;

/* Lines of seven bytes. */
static char text[SIZE];

static void open_flow(void) {
        static const belay_wire_options narrow = {
                .size = sizeof(narrow),
                .ways = { { .room = 40, .delay = BELAY_MILLISECOND } },
        };
        static const belay_wire_options ragged = {
                .size = sizeof(ragged),
                .ways = { { .room = 90, .jitter = BELAY_SECOND, .ragged = true } },
                .seed = 5,
        };

        if (flow.kind == WIRE)
                CHECK_EQ(belay_wire(flow.ends, &narrow), 0);
        else if (flow.kind == WIRE_RAGGED)
                CHECK_EQ(belay_wire(flow.ends, &ragged), 0);
        else
                open_ends(flow.kind, flow.ends);
        if (flow.how_written == COPY) {
                CHECK_EQ(belay_wire(flow.source, NULL), 0);
                CHECK_EQ(belay_write(flow.source[0], text, SIZE), SIZE);
                CHECK_EQ(belay_half_close(flow.source[0]), 0);
        }
        if (flow.how_written == SEND_FILE) {
                flow.file = memfd_create("sent", MFD_CLOEXEC);
                CHECK(flow.file >= 0);
                CHECK_EQ(write(flow.file, text, SIZE), SIZE);
        }
}

/* ---- writing ---- */

/*
 * Evaluates the result of a write of `size` bytes. Adds the number of bytes that it moved to
 * *moved, and returns 0 or the error.
 */
static int outcome_of(ssize_t rc, size_t size, size_t *moved) {
        if (rc < 0)
                return (int) rc;
        *moved += (size_t) rc;
        /* Fewer bytes: the request is pending, and the next wait delivers it. */
        return (size_t) rc < size ? belay_yield() : 0;
}

static int write_piece(const char *piece, size_t size, size_t *moved) {
        struct iovec parts[] = { { (char *) piece, 10 },
                                 { NULL, 0 },
                                 { (char *) piece + 10, size - 10 } };
        int64_t copied = 0;
        ssize_t rc;
        int why;

        switch (flow.how_written) {
        case WRITE:
                return outcome_of(belay_write(flow.ends[0], piece, size), size, moved);
        case WRITEV:
                return outcome_of(belay_writev(flow.ends[0], parts, 3), size, moved);
        case WRITE_SOME:
                for (why = 0; *moved < size && why == 0;) {
                        rc = belay_write_some(flow.ends[0], piece + *moved, size - *moved);
                        why = rc > 0 ? 0 : (int) rc;
                        *moved += rc > 0 ? (size_t) rc : 0;
                }
                return why;
        case PRINT:
                return outcome_of(belay_print(flow.ends[0], "%.*s", (int) size, piece), size,
                                  moved);
        case SEND_FILE:
                rc = (ssize_t) belay_send_file(flow.ends[0], flow.file, (int64_t) flow.written,
                                               (int64_t) size);
                return outcome_of(rc, size, moved);
        case COPY:
                why = belay_copy(flow.ends[0], flow.source[1], (int64_t) size, &copied);
                *moved += (size_t) copied;
                return why;
        }
        return -EINVAL;
}

static int do_write(void *arg) {
        int rc = 0;

        (void) arg;
        while (flow.written < SIZE && rc == 0) {
                size_t moved = 0;

                rc = write_piece(text + flow.written, PIECE, &moved);
                flow.written += moved;
                CHECK_EQ(belay_sent(flow.ends[0]), flow.written);
        }
        flow.whole = flow.written == SIZE;
        if (belay_is_cut(flow.ends[0])) {
                CHECK(!flow.whole);
                CHECK_EQ(belay_mend(flow.ends[0]), 0);
        }
        belay_close(flow.ends[0], 0);
        return rc == 0 ? belay_checkpoint() : rc;
}

/* ---- reading ---- */

/* Returns the number of bytes that were read, or 0 at the end of the stream. */
static ssize_t read_piece(char *to, size_t room) {
        const void *seen;
        char line[SIZE + 1];
        ssize_t rc;

        switch (flow.how_read) {
        case READ:
                return belay_read(flow.ends[1], to, room < 40 ? room : 40);
        case EXACTLY:
                return belay_read_exactly(flow.ends[1], to, room < 50 ? room : 50);
        case UNTIL:
                return belay_read_until(flow.ends[1], "f\n", 2, to, room + 1);
        case LINE:
                rc = belay_read_line(flow.ends[1], line, sizeof(line));
                if (rc > 0)
                        memcpy(to, line, (size_t) rc);
                return rc;
        case PEEK:
                rc = belay_peek(flow.ends[1], room < 30 ? room : 30, &seen);
                if (rc > 20)
                        rc = 20;
                if (rc > 0) {
                        memcpy(to, seen, (size_t) rc);
                        CHECK_EQ(belay_skip(flow.ends[1], (size_t) rc), rc);
                }
                return rc;
        }
        return -EINVAL;
}

static ssize_t read_some(void) {
        ssize_t rc = SIZE - flow.read > 0 ? read_piece(flow.got + flow.read, SIZE - flow.read)
                                          : belay_read(flow.ends[1], flow.got, 1);

        if (rc > 0)
                flow.read += (size_t) rc;
        CHECK_EQ(belay_received(flow.ends[1]), flow.read);
        return rc;
}

/*
 * If the reader was cancelled, the rest is read in a shielded region. The test checks that all
 * bytes are there.
 */
static void read_the_rest(void) {
        belay_shield_scope peace;
        ssize_t rc;

        CHECK_EQ(belay_shield_enter(&peace, BELAY_NEVER), 0);
        while ((rc = read_some()) > 0)
                ;
        CHECK_EQ(rc, 0);
        CHECK_EQ(belay_shield_leave(&peace, 0), 0);
}

static int do_read(void *arg) {
        ssize_t rc;

        (void) arg;
        flow.began = true;
        while ((rc = read_some()) > 0)
                ;
        if (rc < 0)
                read_the_rest();
        CHECK_EQ(flow.read, flow.written);
        CHECK(memcmp(flow.got, text, flow.read) == 0);
        flow.checked = true;
        belay_close(flow.ends[1], 0);
        /*
         * If the end of the stream was reached in spite of the request, the request is still
         * pending.
         */
        return rc == 0 ? belay_checkpoint() : (int) rc;
}

/* ---- together ---- */

static void reset_flow(void *arg) {
        const struct flow *wanted = arg;

        flow = *wanted;
}

static int run_flow(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        open_flow();
        CHECK_EQ(belay_group_enter(&group), 0);
        rc = belay_group_spawn(&group, flow.main_reads ? do_write : do_read, NULL);
        CHECK_EQ(rc, 0);
        rc = flow.main_reads ? do_read(NULL) : do_write(NULL);
        rc = belay_group_leave(&group, rc);
        /* The reader was cancelled before its first step. */
        if (!flow.began) {
                read_the_rest();
                (void) do_read(NULL);
        }
        if (flow.how_written == COPY) {
                belay_abort(flow.source[0]);
                belay_abort(flow.source[1]);
        }
        if (flow.how_written == SEND_FILE)
                close(flow.file);
        return rc;
}

static int check_flow(void *arg, int outcome) {
        (void) arg;
        if (!flow.checked)
                return -1;
        /* If the other task was cancelled, the main task does not find out. */
        return is_cancelled(outcome) || (outcome == 0 && (flow.whole || flow.main_reads)) ? 0 : -1;
}

static void flows(enum kind kind, enum how_written how_written, enum how_read how_read,
                  unsigned waits) {
        for (int main_reads = 0; main_reads < 2; main_reads++) {
                struct flow wanted = {
                        .kind = kind,
                        .how_written = how_written,
                        .how_read = how_read,
                        .main_reads = main_reads,
                };

                printf("over a %s, written by %d, read by %d, main %s\n", kind_names[kind],
                       how_written, how_read, main_reads ? "reads" : "writes");
                EVERYWHERE(run_flow, &wanted, reset_flow, check_flow, waits);
        }
}

/* ---- closing ---- */

static enum kind closing_kind;

/* Reads to the end of the stream, sends a long answer, and closes gracefully as well. */
static int answer(void *arg) {
        belay_stream **stream = arg;
        char buffer[20];
        ssize_t rc;
        int closed;

        while ((rc = belay_read(*stream, buffer, sizeof(buffer))) > 0)
                ;
        for (int i = 0; i < 5 && rc == 0; i++)
                rc = belay_write(*stream, text, SIZE) < 0 ? -ECANCELED : belay_yield();
        closed = belay_close(*stream, BELAY_MINUTE);
        *stream = NULL;
        return rc < 0 ? (int) rc : closed;
}

/* Called if the task never began. */
static void destroy_stream(void *arg) {
        belay_abort(*(belay_stream **) arg);
}

/* Two connections are closed one after the other. However that ends, nothing of them is left. */
static int closing(void *arg) {
        static const belay_wire_options slow = {
                .size = sizeof(slow),
                .ways = { { .delay = BELAY_SECOND }, { .room = 500 } },
        };
        belay_stream *ends[2], *theirs[2];
        belay_group group;
        int rc = 0;

        (void) arg;
        CHECK_EQ(belay_group_enter_with(&group,
                                        BELAY_OPTIONS(belay_group_options, .supervise = true)),
                 0);
        for (int i = 0; i < 2 && rc == 0; i++) {
                if (closing_kind == WIRE)
                        CHECK_EQ(belay_wire(ends, &slow), 0);
                else
                        open_ends(closing_kind, ends);
                theirs[i] = ends[1];
                CHECK_EQ(belay_group_spawn_with(
                                 &group, answer, &theirs[i],
                                 BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_stream),
                                 NULL),
                         0);
                rc = (int) belay_write(ends[0], text, SIZE);
                rc = rc == SIZE ? 0 : rc < 0 ? rc : belay_yield();
                if (rc == 0 && i == 1)
                        rc = belay_half_close(ends[0]);
                if (rc < 0)
                        belay_abort(ends[0]);
                else
                        rc = belay_close(ends[0], BELAY_HOUR);
                /* A request that arrived after the end of the stream is still pending. */
                if (rc == 0)
                        rc = belay_yield();
        }
        return belay_group_leave(&group, rc);
}

static int check_closing(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) || outcome == -ECONNRESET ? 0 : -1;
}

int main(void) {
        /* Each way to write and to read, and each kind of stream. */
        static const struct {
                enum how_written how_written;
                enum how_read how_read;
                enum kind kinds[3];
        } ways[] = {
                { WRITE, READ, { WIRE, WIRE_RAGGED, PIPE } },
                { WRITEV, EXACTLY, { WIRE, PAIR, PAIR } },
                { WRITE_SOME, UNTIL, { WIRE, WIRE_RAGGED, WIRE_RAGGED } },
                { PRINT, LINE, { WIRE, PAIR, PAIR } },
                { SEND_FILE, PEEK, { WIRE, PAIR, PAIR } },
                { COPY, READ, { WIRE, WIRE_RAGGED, PAIR } },
        };

        for (size_t i = 0; i < SIZE; i++)
                text[i] = i % 7 == 6 ? '\n' : (char) ('a' + i % 7);
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                for (int k = 0; k < 3; k++)
                        if (k == 0 || ways[i].kinds[k] != ways[i].kinds[k - 1])
                                flows(ways[i].kinds[k], ways[i].how_written, ways[i].how_read,
                                      ways[i].kinds[k] < WIRES ? 4 : 1);
        for (int kind = WIRE; kind <= PAIR; kind++) {
                closing_kind = (enum kind) kind;
                EVERYWHERE(closing, NULL, NULL, check_closing, 4);
        }
        return 0;
}
