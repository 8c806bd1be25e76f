/* SPDX-License-Identifier: MIT */
/*
 * A text buffer that grows.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void out_of_memory(void) {
        fputs("belay: no memory\n", stderr);
        exit(2);
}

static void make_room(struct text *text, size_t length) {
        size_t room = text->room ? text->room : 64;
        char *data;

        while (room - text->length <= length) {
                if (room > SIZE_MAX / 2)
                        out_of_memory();
                room *= 2;
        }
        if (room == text->room)
                return;
        data = realloc(text->data, room);
        if (!data)
                out_of_memory();
        text->data = data;
        text->room = room;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length) {
        make_room(text, length);
        if (length > 0)
                memcpy(text->data + text->length, bytes, length);
        text->length += length;
        text->data[text->length] = '\0';
}

void text_add_list(struct text *text, const char *format, va_list list) {
        va_list again;
        size_t room;
        int length;

        /*
         * Most texts fit into the space that is there. A text that does not fit is formatted a
         * second time.
         */
        make_room(text, 64);
        va_copy(again, list);
        room = text->room - text->length;
        length = vsnprintf(text->data + text->length, room, format, list);
        if (length < 0)
                out_of_memory();
        if ((size_t) length >= room) {
                make_room(text, (size_t) length);
                vsnprintf(text->data + text->length, (size_t) length + 1, format, again);
        }
        va_end(again);
        text->length += (size_t) length;
}

void text_add(struct text *text, const char *format, ...) {
        va_list list;

        va_start(list, format);
        text_add_list(text, format, list);
        va_end(list);
}

void text_free(struct text *text) {
        free(text->data);
        *text = (struct text) { 0 };
}

int text_read_file(struct text *text, const char *path) {
        FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
        char buffer[16384];
        size_t got;
        int rc = 0;

        if (!file)
                return -errno;
        /* fopen() succeeds for a directory; fread() fails. */
        errno = 0;
        while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0)
                text_add_bytes(text, buffer, got);
        if (ferror(file))
                rc = errno ? -errno : -EIO;
        if (file != stdin)
                fclose(file);
        return rc;
}
