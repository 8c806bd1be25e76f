/* SPDX-License-Identifier: MIT */
/*
 * The books of the conversations. Each side enters what it sent and received, and in the end the
 * entries of both sides must agree.
 *
 * All data is cut out of one long pattern. If a reader knows where a conversation begins in the
 * pattern, it knows each byte that must arrive. A side enters what its calls returned. The books
 * are compared when all sides have ended.
 */
#ifndef BELAY_SOAK_LEDGER_H
#define BELAY_SOAK_LEDGER_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak/dice.h"

/* ---- the pattern ---- */

enum { PERIOD = 1000003, PIECE_MOST = 256 * 1024 };

static char pattern[2 * PERIOD];
static char pattern_path[256]; /* a file that contains one period of the pattern */

/* The pattern has no zero bytes, so that belay_print() can print it, and about 2 % line ends. */
static inline void make_pattern(struct dice dice, const char *directory) {
        FILE *file;

        for (size_t i = 0; i < PERIOD; i++) {
                uint64_t chance = roll(&dice);

                pattern[i] = pattern[i + PERIOD] = chance % 50 == 0
                                                           ? '\n'
                                                           : (char) (1 + (chance >> 32) % 255);
        }
        snprintf(pattern_path, sizeof(pattern_path), "%s/pattern", directory);
        file = fopen(pattern_path, "w");
        if (file == NULL || fwrite(pattern, 1, PERIOD, file) != PERIOD || fclose(file) != 0) {
                perror(pattern_path);
                exit(2);
        }
}

/* ---- conversations ---- */

enum transport { TCP, UNIX, PAIR, PIPE };

static const char *const transport_names[] = { "tcp", "unix", "pair", "pipe" };

/* One direction of a conversation. */
struct way {
        size_t offset;  /* position in the pattern */
        size_t planned; /* number of bytes to send if nothing intervenes */
        uint64_t sent, received;
        /* more may have been sent: the stream was closed while its writer waited */
        bool is_unsure;
        bool has_ended; /* the writer ended it in good order */
        bool saw_end;   /* the reader found the end */
        /* failures other than a cancellation or an abort of its own side */
        int write_failed, read_failed;
};

struct talk {
        uint32_t id; /* number, from 1 */
        enum transport transport;
        struct dice dice;
        bool is_echo; /* side 1 sends back what it receives */
        /* the server runs to the end of the round, so it must accept each connection */
        bool must_begin;
        bool has_begun[2]; /* whether each side has begun */
        /* whether each side broke off before everything was sent and received */
        bool broke_off[2];
        struct way ways[2]; /* [0]: from side 0, the connecting side, to side 1 */
};

/* ---- faults ---- */

static uint64_t soak_seed;
static const char *soak_backend;
static atomic_uint wrong_count;

static inline void wrong(const struct talk *talk, const char *format, ...) BELAY_PRINTF(2, 3);
static inline void wrong(const struct talk *talk, const char *format, ...) {
        char line[512];
        size_t length;
        va_list arguments;

        if (atomic_fetch_add(&wrong_count, 1) > 20)
                return;
        length = (size_t) snprintf(line, sizeof(line), "soak: wrong (seed %llu, %s)",
                                   (unsigned long long) soak_seed, soak_backend);
        if (talk != NULL)
                length += (size_t) snprintf(
                        line + length, sizeof(line) - length, " in talk %u over %s%s", talk->id,
                        transport_names[talk->transport], talk->is_echo ? ", an echo" : "");
        length += (size_t) snprintf(line + length, sizeof(line) - length, ": ");
        va_start(arguments, format);
        vsnprintf(line + length, sizeof(line) - length, format, arguments);
        va_end(arguments);
        fprintf(stderr, "%s\n", line);
}

/* ---- entries ---- */

static inline const char *next_bytes(const struct way *way, uint64_t position) {
        return pattern + (way->offset + position) % PERIOD;
}

/* Enters received bytes, after a comparison with the pattern. */
static inline void note_received(const struct talk *talk, struct way *way, const void *data,
                                 size_t size) {
        const char *bytes = data;

        while (size > 0) {
                size_t piece = size < PERIOD ? size : PERIOD;

                if (memcmp(bytes, next_bytes(way, way->received), piece) != 0)
                        wrong(talk, "after %llu bytes others came than were sent",
                              (unsigned long long) way->received);
                way->received += piece;
                bytes += piece;
                size -= piece;
        }
}

/* ---- comparison ---- */

static inline void judge_way(const struct talk *talk, int number) {
        const struct way *way = &talk->ways[number];
        bool is_whole = !talk->broke_off[0] && !talk->broke_off[1];
        int writer = number, reader = 1 - number;

        if (way->received > way->sent && !way->is_unsure)
                wrong(talk, "way %d: %llu bytes were received of %llu", number,
                      (unsigned long long) way->received, (unsigned long long) way->sent);
        if (!talk->has_begun[reader]) {
                if (talk->must_begin && way->has_ended && !talk->broke_off[writer])
                        wrong(talk, "way %d: nobody accepted it", number);
                return;
        }
        if (way->has_ended && way->saw_end && way->received != way->sent)
                wrong(talk, "way %d: %llu bytes were sent, and the end came after %llu", number,
                      (unsigned long long) way->sent, (unsigned long long) way->received);
        if (way->saw_end && !way->has_ended && talk->has_begun[writer] && !talk->broke_off[writer])
                wrong(talk, "way %d: an end came that nobody has made", number);
        if (!is_whole || !talk->has_begun[writer])
                return;
        if (way->read_failed != 0 || way->write_failed != 0)
                wrong(talk, "way %d: nobody broke off, but reading came to %d and writing to %d",
                      number, way->read_failed, way->write_failed);
        else if (!way->has_ended || !way->saw_end || way->sent < way->planned)
                wrong(talk,
                      "way %d: nobody broke off, but of %zu bytes %llu were sent and %llu "
                      "received%s%s",
                      number, way->planned, (unsigned long long) way->sent,
                      (unsigned long long) way->received,
                      way->has_ended ? "" : ", it was not ended",
                      way->saw_end ? "" : ", no end was found");
}

static inline void judge(const struct talk *talk) {
        judge_way(talk, 0);
        if (talk->transport != PIPE)
                judge_way(talk, 1);
        if (talk->is_echo && talk->ways[1].sent > talk->ways[0].received)
                wrong(talk, "%llu bytes came back of %llu", (unsigned long long) talk->ways[1].sent,
                      (unsigned long long) talk->ways[0].received);
}

#endif
