/* SPDX-License-Identifier: MIT */
/*
 * Failures as objects: creating, sharing, reading and printing them. core/fail.c keeps the latest
 * failure of each task.
 */
#include <stdio.h>

#include "base/failure.h"

/*
 * A failure with this number of references belongs to a program that forgets to release them. The
 * failure is then never freed, since a count that wraps would free it early.
 */
enum { REFS_MOST = 1 << 30 };

/* Stands for a failure for which there was no memory. Never freed. */
static struct belay_failure no_memory = { .refs = 1, .code = -ENOMEM };

belay_failure *bly_failure_new(int code, struct bly_text *text) {
        belay_failure *failure = bly_zalloc(sizeof(*failure));

        if (failure == NULL) {
                bly_text_release(text);
                return NULL;
        }
        failure->refs = 1;
        failure->code = code;
        failure->text = text;
        return failure;
}

bool bly_failure_add(belay_failure *failure, belay_failure *beneath) {
        /* The array is full at each power of two, and doubles. */
        if ((failure->count & (failure->count - 1)) == 0) {
                size_t room = failure->count == 0 ? 1 : 2 * failure->count;
                void *grown = bly_realloc(failure->beneath, room * sizeof(*failure->beneath));

                if (grown == NULL) {
                        belay_failure_release(beneath);
                        return false;
                }
                failure->beneath = grown;
        }
        failure->beneath[failure->count++] = beneath;
        return true;
}

belay_failure *belay_failure_ref(const belay_failure *failure) {
        belay_failure *shared = (belay_failure *) failure;

        if (shared == NULL)
                return &no_memory;
        if (shared != &no_memory && likely(shared->refs < REFS_MOST))
                shared->refs++;
        return shared;
}

/* Releases a reference. Returns whether it was the last. */
static bool drop(belay_failure *failure) {
        return failure != NULL && failure != &no_memory && likely(failure->refs < REFS_MOST)
               && --failure->refs == 0;
}

/*
 * Failures beneath are linked into a list instead of released by recursion. Deeply nested groups
 * would overflow the stack.
 */
void belay_failure_release(belay_failure *failure) {
        belay_failure *dead;

        if (!drop(failure))
                return;
        for (dead = failure; dead != NULL;) {
                failure = dead;
                dead = failure->next_dead;
                for (size_t i = failure->count; i-- > 0;)
                        if (drop(failure->beneath[i])) {
                                failure->beneath[i]->next_dead = dead;
                                dead = failure->beneath[i];
                        }
                bly_free(failure->beneath);
                if (failure->destroy != NULL)
                        failure->destroy(failure->data);
                bly_text_release(failure->text);
                bly_free(failure);
        }
}

int belay_failure_code(const belay_failure *failure) {
        return failure != NULL ? failure->code : -ENOMEM;
}

/*
 * A failure that has neither text nor data, and a single failure beneath it, stands for that
 * failure. Returns the failure that it stands for.
 */
static const belay_failure *the_one_that_speaks(const belay_failure *failure) {
        while (failure != NULL && failure->count == 1 && failure->text == NULL
               && failure->data == NULL)
                failure = failure->beneath[0];
        return failure;
}

const char *belay_failure_text(const belay_failure *failure) {
        const belay_failure *speaks = the_one_that_speaks(failure);

        return speaks != NULL ? bly_text_chars(speaks->text) : NULL;
}

void *belay_failure_data(const belay_failure *failure) {
        const belay_failure *speaks = the_one_that_speaks(failure);

        return speaks != NULL ? speaks->data : NULL;
}

size_t belay_failure_count(const belay_failure *failure) {
        return failure != NULL ? failure->count : 0;
}

const belay_failure *belay_failure_at(const belay_failure *failure, size_t index) {
        return index < belay_failure_count(failure) ? failure->beneath[index] : NULL;
}

struct writer {
        char *buffer;
        size_t size, length;
};

static void write_text(struct writer *writer, const char *text) {
        size_t length = strlen(text);

        if (writer->length + 1 < writer->size) {
                size_t room = writer->size - writer->length - 1;
                size_t part = length < room ? length : room;

                memcpy(writer->buffer + writer->length, text, part);
                writer->buffer[writer->length + part] = '\0';
        }
        writer->length += length;
}

/* No person reads further down, and the recursion must not overflow a stack. */
enum { DEPTH_MOST = 32 };

static void write_failure(struct writer *writer, const belay_failure *failure, int depth) {
        char number[64];
        bool says_all;

        failure = the_one_that_speaks(failure);
        says_all = failure != NULL && failure->says_all && failure->text != NULL;
        if (!says_all)
                write_text(writer, strerror(-belay_failure_code(failure)));
        if (belay_failure_text(failure) != NULL) {
                write_text(writer, says_all ? "" : ": ");
                write_text(writer, belay_failure_text(failure));
        }
        if (belay_failure_count(failure) == 0)
                return;
        snprintf(number, sizeof(number), "; %zu beneath: [", belay_failure_count(failure));
        write_text(writer, number);
        if (depth == DEPTH_MOST)
                write_text(writer, "...");
        for (size_t i = 0; depth < DEPTH_MOST && i < belay_failure_count(failure); i++) {
                if (i > 0)
                        write_text(writer, ", ");
                write_failure(writer, belay_failure_at(failure, i), depth + 1);
        }
        write_text(writer, "]");
}

size_t belay_failure_format(const belay_failure *failure, char *buffer, size_t size) {
        struct writer writer = { .buffer = buffer, .size = size };

        if (size > 0)
                buffer[0] = '\0';
        write_failure(&writer, failure, 1);
        return writer.length;
}
