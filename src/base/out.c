/* SPDX-License-Identifier: MIT */
/*
 * Buffered text output to a descriptor.
 */
#include <stdio.h>
#include <unistd.h>

#include "inspect/out.h"

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

static void put(struct bly_out *out, char c) {
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
