/* SPDX-License-Identifier: MIT */
/*
 * Standard output and standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

enum {
        /* greatest length of a message in bytes; a quoted file may have no blank at all */
        LONGEST = 4000,
};

const char *message_name = "belay";

/* ---- characters that can be shown ---- */

/* Returns the length of the UTF-8 character at the start of the bytes, or 0 if there is none. */
static size_t decode(const unsigned char *at, size_t rest, uint32_t *character) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t length = at[0] < 0x80   ? 1
                        : at[0] < 0xc0 ? 0
                        : at[0] < 0xe0 ? 2
                        : at[0] < 0xf0 ? 3
                        : at[0] < 0xf8 ? 4
                                       : 0;

        if (length == 0 || length > rest)
                return 0;
        *character = length == 1 ? at[0] : at[0] & (0x7fu >> length);
        for (size_t i = 1; i < length; i++) {
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
                *character = *character << 6 | (at[i] & 0x3f);
        }
        if (*character < least[length] || *character > 0x10ffff
            || (*character >= 0xd800 && *character <= 0xdfff))
                return 0;
        return length;
}

/*
 * Control characters of both sets, line separators, and characters that change the direction of
 * text.
 */
static bool is_obeyed(uint32_t character) {
        return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x61c
               || (character >= 0x200e && character <= 0x200f)
               || (character >= 0x2028 && character <= 0x202e)
               || (character >= 0x2066 && character <= 0x2069);
}

void text_add_escaped(struct text *text, const char *bytes, size_t length, const char *keep) {
        const unsigned char *at = (const unsigned char *) bytes, *end = at + length;

        while (at < end) {
                uint32_t character = 0;
                size_t size = decode(at, (size_t) (end - at), &character);

                if (size > 0
                    && (!is_obeyed(character)
                        || (character > 0 && character < 0x80 && strchr(keep, (int) character)))) {
                        text_add_bytes(text, (const char *) at, size);
                        at += size;
                        continue;
                }
                for (size_t i = 0; i < (size > 0 ? size : 1); i++)
                        text_add(text, "\\x%02x", *at++);
        }
}

/* ---- standard error ---- */

void message_line(const char *line) {
        size_t length = strlen(line);
        struct text text = { 0 };

        text_add_escaped(&text, line, length < LONGEST ? length : LONGEST, "");
        text_add(&text, length < LONGEST ? "\n" : "...\n");
        fflush(stdout);
        fwrite(text.data, 1, text.length, stderr);
        text_free(&text);
}

void message(const char *format, ...) {
        struct text text = { 0 };
        va_list list;

        text_add(&text, "%s: ", message_name);
        va_start(list, format);
        text_add_list(&text, format, list);
        va_end(list);
        message_line(text.data);
        text_free(&text);
}

void message_at_list(const char *path, int line, const char *format, va_list list) {
        struct text text = { 0 };

        text_add(&text, "%s:%d: ", path, line);
        text_add_list(&text, format, list);
        message_line(text.data);
        text_free(&text);
}

void message_at(const char *path, int line, const char *format, ...) {
        va_list list;

        va_start(list, format);
        message_at_list(path, line, format, list);
        va_end(list);
}

/* ---- standard output ---- */

void show(const char *bytes, size_t length) {
        struct text text = { 0 };

        if (!isatty(STDOUT_FILENO)) {
                fwrite(bytes, 1, length, stdout);
                return;
        }
        text_add_escaped(&text, bytes, length, "\n\t");
        if (text.length > 0)
                fwrite(text.data, 1, text.length, stdout);
        text_free(&text);
}

void show_escaped(const char *format, ...) {
        struct text text = { 0 }, escaped = { 0 };
        va_list list;

        va_start(list, format);
        text_add_list(&text, format, list);
        va_end(list);
        text_add_escaped(&escaped, text.data, text.length, "\n\t");
        if (escaped.length > 0)
                fwrite(escaped.data, 1, escaped.length, stdout);
        text_free(&text);
        text_free(&escaped);
}

/*
 * Opens the descriptors in the opposite direction, so that writing to an output that was closed
 * still is an error.
 */
void open_output(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
                        (void) !open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool close_output(void) {
        bool failed = ferror(stdout);
        int code = 0;

        /* Some file systems report write errors only when the file is closed. */
        if (fflush(stdout) != 0 || close(STDOUT_FILENO) < 0)
                code = errno;
        if (failed || code != 0)
                message(code != 0 ? "cannot write to standard output: %s"
                                  : "cannot write to standard output",
                        strerror(code));
        return !failed && code == 0;
}
