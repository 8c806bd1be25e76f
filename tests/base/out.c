/* SPDX-License-Identifier: MIT */
/*
 * Buffered text output: spans, texts that the program supplied, long texts, and writes that fail or
 * move only a part.
 */
#define _GNU_SOURCE
#include "base/out.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../base/help.h"

/* ---- write(), which takes precedence over that of the C library ---- */

enum { REAL = 1 << 20 };

/* Results of the next calls: a greatest number of bytes, 0, or a negative errno. */
static const int *script;
static int calls;

ssize_t write(int fd, const void *buffer, size_t size) {
        int next = script != NULL ? *script++ : REAL;

        calls++;
        if (next < 0) {
                errno = -next;
                return -1;
        }
        if (next == 0)
                return 0;
        return syscall(SYS_write, fd, buffer, (size_t) next < size ? (size_t) next : size);
}

/* ---- a file of the test ---- */

static char content[8192];

static int new_file(void) {
        int fd = memfd_create("out", MFD_CLOEXEC);

        CHECK(fd >= 0);
        return fd;
}

static void read_back(int fd) {
        ssize_t size = pread(fd, content, sizeof(content) - 1, 0);

        CHECK(size >= 0);
        content[size] = '\0';
}

/* ---- spans ---- */

static void says(belay_time span, const char *text) {
        struct bly_out out = { .fd = -1 };
        char expected[64];

        bly_out_span(&out, "<", span, ">");
        snprintf(expected, sizeof(expected), "<%s>", text);
        CHECK_STR(bly_out_line(&out), expected);
}

static void spans(void) {
        says(0, "0 ns");
        says(-5, "0 ns");
        says(-BELAY_HOUR, "0 ns");
        says(1, "1 ns");
        says(BELAY_MICROSECOND - 1, "999 ns");
        says(BELAY_MICROSECOND, "1 us");
        says(12345, "12.3 us");
        says(999 * BELAY_MICROSECOND, "999 us");
        says(BELAY_MILLISECOND - BELAY_MICROSECOND / 2 - 1, "999 us");
        says(BELAY_MILLISECOND - BELAY_MICROSECOND / 2, "1 ms");
        says(BELAY_MILLISECOND, "1 ms");
        says(12 * BELAY_MILLISECOND, "12 ms");
        says(999 * BELAY_MILLISECOND, "999 ms");
        says(BELAY_SECOND - BELAY_MILLISECOND / 2 - 1, "999 ms");
        says(BELAY_SECOND - BELAY_MILLISECOND / 2, "1 s");
        says(BELAY_SECOND, "1 s");
        says(3200 * BELAY_MILLISECOND, "3.2 s");
        says(2 * BELAY_MINUTE - BELAY_SECOND, "119 s");
        says(2 * BELAY_MINUTE, "0:02:00");
        says(BELAY_HOUR - 1, "0:59:59");
        says(26 * BELAY_HOUR + 59 * BELAY_MINUTE + 7 * BELAY_SECOND, "26:59:07");
        says(26 * BELAY_HOUR + 3 * BELAY_MINUTE + 59 * BELAY_SECOND, "26:03:59");
        says(BELAY_NEVER, "2562047:47:16");
}

/* ---- texts ---- */

static void texts(void) {
        struct bly_out out = { .fd = -1 };

        bly_out_text(&out, "a b\n\t\x1f\x7f~\xc3\xa9!");
        bly_out_place(&out, " at ", NULL);
        bly_out_place(&out, " at ", "file\r.c:1");
        CHECK_STR(bly_out_line(&out), "a b????~\xc3\xa9! at file?.c:1");
        CHECK_STR(bly_plural(0), "s");
        CHECK_STR(bly_plural(1), "");
        CHECK_STR(bly_plural(2), "s");
}

/* A line that is too long for the buffer, and a piece that is too long for bly_out(). */
static void cut_off(void) {
        struct {
                struct bly_out out;
                char beyond;
        } line = { .out.fd = -1, .beyond = 'B' };
        char piece[400];

        memset(piece, 'p', sizeof(piece) - 1);
        piece[sizeof(piece) - 1] = '\0';
        bly_out(&line.out, "%s", piece);
        CHECK_EQ(strlen(bly_out_line(&line.out)), 199);
        for (int i = 0; i < 10; i++)
                bly_out_text(&line.out, piece);
        CHECK_EQ(strlen(bly_out_line(&line.out)), sizeof(line.out.buffer) - 1);
        CHECK_EQ(strspn(line.out.buffer, "p"), sizeof(line.out.buffer) - 1);
        CHECK_EQ(line.out.error, 0);
        CHECK_EQ(line.beyond, 'B');
}

/* ---- descriptors ---- */

static void put_numbers(struct bly_out *out, char *expected, size_t size) {
        size_t length = 0;

        for (int i = 0; i < 1000; i++) {
                bly_out(out, "%d ", i);
                length += (size_t) snprintf(expected + length, size - length, "%d ", i);
        }
}

/* A text of several buffers. Descriptor 0 is as good as any other. */
static void long_texts(void) {
        static char expected[8192];

        for (int is_null = 0; is_null < 2; is_null++) {
                int fd = new_file();
                struct bly_out out = { .fd = fd };

                if (is_null) {
                        CHECK_EQ(dup2(fd, 0), 0);
                        out.fd = 0;
                }
                put_numbers(&out, expected, sizeof(expected));
                CHECK_EQ(bly_out_flush(&out), 0);
                read_back(fd);
                CHECK_STR(content, expected);
                /* Without a text there is nothing to write. */
                calls = 0;
                CHECK_EQ(bly_out_flush(&out), 0);
                CHECK_EQ(calls, 0);
                /* A single byte is written as well, and nothing twice. */
                bly_out(&out, "!");
                CHECK_EQ(bly_out_flush(&out), 0);
                CHECK_EQ(calls, 1);
                read_back(fd);
                CHECK_EQ(strncmp(content, expected, strlen(expected)), 0);
                CHECK_STR(content + strlen(expected), "!");
                close(fd);
        }
}

/* Signals interrupt the writes, and each moves only a part. */
static void parts(void) {
        static const int one_by_one[] = { -EINTR, 1, 1, -EINTR, 2, -EINTR, -EINTR, 1, REAL };
        int fd = new_file();
        struct bly_out out = { .fd = fd };

        bly_out(&out, "%s", "abcdefghij");
        script = one_by_one;
        CHECK_EQ(bly_out_flush(&out), 0);
        CHECK_EQ(script - one_by_one, (int) ARRAY_SIZE(one_by_one));
        script = NULL;
        read_back(fd);
        CHECK_STR(content, "abcdefghij");
        close(fd);
}

/* After the first error no more is written, and the error is kept. */
static void fails_with(const int *results, int error) {
        struct {
                struct bly_out out;
                char beyond[4096];
        } into = { .out.fd = new_file() };
        static char expected[8192];

        memset(into.beyond, 'B', sizeof(into.beyond) - 1);
        into.beyond[sizeof(into.beyond) - 1] = '\0';
        bly_out(&into.out, "%s", "abc");
        script = results;
        calls = 0;
        CHECK_EQ(bly_out_flush(&into.out), error);
        CHECK_EQ(calls, 2);
        put_numbers(&into.out, expected, sizeof(expected));
        CHECK_EQ(bly_out_flush(&into.out), error);
        CHECK_EQ(calls, 2);
        script = NULL;
        CHECK_EQ(strspn(into.beyond, "B"), sizeof(into.beyond) - 1);
        read_back(into.out.fd);
        CHECK_STR(content, "a");
        close(into.out.fd);
}

static void errors(void) {
        fails_with((const int[]) { 1, -ENOSPC, REAL, REAL }, -ENOSPC);
        fails_with((const int[]) { 1, 0, REAL, REAL }, -EIO);
}

int main(void) {
        spans();
        texts();
        cut_off();
        long_texts();
        parts();
        errors();
        return 0;
}
