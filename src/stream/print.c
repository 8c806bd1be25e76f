/* SPDX-License-Identifier: MIT */
/*
 * Writing formatted text, as printf() does.
 */
#include <stdio.h>

#include "stream/stream.h"

static ssize_t print(const char *place, belay_stream *stream, const char *format,
                     va_list arguments) {
        char small[256], *text = small;
        va_list again;
        ssize_t rc;
        int length;

        va_copy(again, arguments);
        length = vsnprintf(small, sizeof(small), format, arguments);
        if (length >= (int) sizeof(small)) {
                text = bly_alloc((size_t) length + 1);
                if (text != NULL)
                        vsnprintf(text, (size_t) length + 1, format, again);
        }
        va_end(again);
        if (length < 0)
                return -EINVAL;
        if (text == NULL)
                return -ENOMEM;
        rc = belay_write_placed(place, stream, text, (size_t) length);
        if (text != small)
                bly_free(text);
        return rc;
}

ssize_t belay_print_placed(const char *place, belay_stream *stream, const char *format, ...) {
        va_list arguments;
        ssize_t rc;

        va_start(arguments, format);
        rc = print(place, stream, format, arguments);
        va_end(arguments);
        return rc;
}

ssize_t belay_print(belay_stream *stream, const char *format, ...) {
        va_list arguments;
        ssize_t rc;

        va_start(arguments, format);
        rc = print(NULL, stream, format, arguments);
        va_end(arguments);
        return rc;
}
