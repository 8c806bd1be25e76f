/* SPDX-License-Identifier: MIT */
/*
 * Buffered text output to a descriptor, or into a line for the log.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/out.h"

int bly_out_flush(struct bly_out *out) {
        const char *from = out->buffer;

        while (out->error == 0 && out->used > 0) {
                ssize_t written = write(out->fd, from, out->used);

                if (written > 0) {
                        from += written;
                        out->used -= (size_t) written;
                } else if (written == 0) {
                        out->error = -EIO;
                } else if (errno != EINTR) {
                        out->error = -errno;
                }
        }
        out->used = 0;
        return out->error;
}

const char *bly_out_line(struct bly_out *out) {
        out->buffer[out->used] = '\0';
        return out->buffer;
}

static void put(struct bly_out *out, char c) {
        if (out->fd < 0 && out->used == sizeof(out->buffer) - 1)
                return;
        if (out->used == sizeof(out->buffer))
                bly_out_flush(out);
        out->buffer[out->used++] = c;
}

void bly_out(struct bly_out *out, const char *format, ...) {
        char piece[200];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(piece, sizeof(piece), format, arguments);
        va_end(arguments);
        for (const char *c = piece; *c != '\0'; c++)
                put(out, *c);
}

void bly_out_text(struct bly_out *out, const char *text) {
        for (; *text != '\0'; text++)
                put(out, (unsigned char) *text < ' ' || *text == 0x7f ? '?' : *text);
}

void bly_out_place(struct bly_out *out, const char *before, const char *place) {
        if (place == NULL)
                return;
        bly_out(out, "%s", before);
        bly_out_text(out, place);
}

void bly_out_span(struct bly_out *out, const char *before, belay_time span, const char *after) {
        if (span < 0)
                span = 0;
        bly_out(out, "%s", before);
        /* "%.3g" would write 999.5 as "1e+03". */
        if (span < BELAY_MICROSECOND)
                bly_out(out, "%d ns", (int) span);
        else if (span < BELAY_MILLISECOND - BELAY_MICROSECOND / 2)
                bly_out(out, "%.3g us", (double) span / BELAY_MICROSECOND);
        else if (span < BELAY_SECOND - BELAY_MILLISECOND / 2)
                bly_out(out, "%.3g ms", (double) span / BELAY_MILLISECOND);
        else if (span < 2 * BELAY_MINUTE)
                bly_out(out, "%.3g s", (double) span / BELAY_SECOND);
        else
                bly_out(out, "%lld:%02d:%02d", (long long) (span / BELAY_HOUR),
                        (int) (span / BELAY_MINUTE % 60), (int) (span / BELAY_SECOND % 60));
        bly_out(out, "%s", after);
}
