/* SPDX-License-Identifier: MIT */
/*
 * Read standard input and write standard output, line by line.
 */
#include <belay.h>
#include <ctype.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * For a program: filter(STDIN_FILENO, STDOUT_FILENO). The descriptors stay open, and as blocking as
 * they were.
 */
static int filter(int from, int to) {
        belay_stream *in, *out = NULL;
        char line[4096];
        ssize_t rc = belay_stream_open_fd(&in, from,
                                          BELAY_OPTIONS(belay_stream_options, .keep_open = true));

        if (rc < 0)
                return (int) rc;
        rc = belay_stream_open_fd(&out, to, BELAY_OPTIONS(belay_stream_options, .keep_open = true));
        if (rc == 0) {
                while ((rc = belay_read_line(in, line, sizeof(line))) > 0) {
                        for (ssize_t i = 0; i < rc; i++)
                                line[i] = (char) toupper((unsigned char) line[i]);
                        rc = belay_write(out, line, (size_t) rc);
                        if (rc < 0)
                                break;
                }
                belay_close(out, 0);
        }
        belay_close(in, 0);
        return (int) rc;
}

/* ---- the check ---- */

static int in[2], out[2];

static int app(void *arg) {
        belay_stream *reader, *writer;
        char line[32];

        (void) arg;
        check(write(in[1], "one\ntwo", 7) == 7 && close(in[1]) == 0);
        check(filter(in[0], out[1]) == 0);
        check(close(out[1]) == 0);
        check(belay_stream_open_fd(&reader, out[0], NULL) == 0);
        check(belay_stream_fd(reader) == out[0]);
        check(belay_read_line(reader, line, sizeof(line)) == 4 && strcmp(line, "ONE\n") == 0);
        check(belay_read_line(reader, line, sizeof(line)) == 3 && strcmp(line, "TWO") == 0);
        check(belay_read(reader, line, sizeof(line)) == 0);
        check(belay_close(reader, 0) == 0);

        /* The peer has closed the pipe, so a write returns an error and raises no signal. */
        check(belay_stream_pipe(&reader, &writer) == 0);
        check(belay_close(reader, 0) == 0 && belay_print(writer, "three\n") == -EPIPE);
        belay_abort(writer);
        return 0;
}

int main(void) {
        check(pipe(in) == 0 && pipe(out) == 0);
        check(belay_run(app, NULL) == 0);
        check(close(in[0]) == 0);
        return 0;
}
