/* SPDX-License-Identifier: MIT */
/*
 * Reading up to a delimiter, and lines.
 */
#define _GNU_SOURCE
#include <string.h>

#include "stream/stream.h"

/*
 * Returns the number of buffered bytes up to the end of the first delimiter, if it ends within the
 * first `limit` bytes; otherwise 0. The first *looked bytes do not hold a delimiter, so the search
 * skips them, except for those in which one may begin. The function updates *looked.
 */
static size_t find(const belay_stream *stream, const void *delimiter, size_t length, size_t limit,
                   size_t *looked) {
        const char *from = stream->buffer + stream->start;
        size_t there = bly_stream_buffered(stream),
               begin = *looked > length - 1 ? *looked - (length - 1) : 0;
        const char *found;

        if (there > limit)
                there = limit;
        if (there <= begin)
                return 0;
        found = length == 1 ? memchr(from + begin, *(const char *) delimiter, there - begin)
                            : memmem(from + begin, there - begin, delimiter, length);
        *looked = there;
        return found != NULL ? (size_t) (found - from) + length : 0;
}

/*
 * Reads ahead until the buffer holds the delimiter. Returns the number of bytes up to its end, or
 * of all bytes if the stream ends before. Returns -EMSGSIZE if no delimiter ends within `limit`
 * bytes, or another negative errno.
 */
static ssize_t wait_for(belay_stream *stream, const void *delimiter, size_t length, size_t limit) {
        size_t looked = 0, size;
        ssize_t rc;

        for (;;) {
                size = bly_stream_buffered(stream) > 0
                               ? find(stream, delimiter, length, limit, &looked)
                               : 0;
                if (size > 0)
                        return (ssize_t) size;
                if (bly_stream_buffered(stream) >= limit
                    && (bly_stream_buffered(stream) > limit || !stream->ended))
                        return -EMSGSIZE;
                rc = bly_stream_fill(stream, limit);
                if (rc < 0)
                        return rc;
                if (rc == 0)
                        return (ssize_t) bly_stream_buffered(stream);
        }
}

static ssize_t read_until(const char *place, const char *what, belay_stream *stream,
                          const void *delimiter, size_t length, void *buffer, size_t limit) {
        ssize_t rc = bly_stream_enter(stream, &stream->reader, place, what);

        if (rc < 0)
                return rc;
        rc = length == 0 || limit == 0 ? -EINVAL : wait_for(stream, delimiter, length, limit);
        if (rc > 0)
                bly_stream_take(stream, buffer, (size_t) rc);
        return (ssize_t) bly_stream_leave(stream, &stream->reader, rc);
}

ssize_t belay_read_until_placed(const char *place, belay_stream *stream, const void *delimiter,
                                size_t length, void *buffer, size_t size) {
        return read_until(place, "belay_read_until()", stream, delimiter, length, buffer, size);
}

ssize_t belay_read_line_placed(const char *place, belay_stream *stream, char *line, size_t size) {
        ssize_t rc = read_until(place, "belay_read_line()", stream, "\n", 1, line,
                                size > 0 ? size - 1 : 0);

        if (size > 0)
                line[rc > 0 ? rc : 0] = '\0';
        return rc;
}
