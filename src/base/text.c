/* SPDX-License-Identifier: MIT */
/*
 * Texts that are shared by reference counting: names of tasks, and reasons of cancellations.
 */
#include <stdio.h>

#include "base/base.h"

struct bly_text *bly_text_new(const char *chars) {
        size_t length;
        struct bly_text *text;

        if (chars == NULL)
                return NULL;
        length = strlen(chars);
        text = bly_alloc(sizeof(*text) + length + 1);
        if (text == NULL)
                return NULL;
        text->refs = 1;
        memcpy(text->chars, chars, length + 1);
        return text;
}

struct bly_text *bly_text_format(const char *format, va_list arguments) {
        va_list again;
        struct bly_text *text;
        int length;

        if (format == NULL)
                return NULL;
        va_copy(again, arguments);
        length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (length < 0)
                return NULL;
        text = bly_alloc(sizeof(*text) + (size_t) length + 1);
        if (text == NULL)
                return NULL;
        text->refs = 1;
        vsnprintf(text->chars, (size_t) length + 1, format, arguments);
        return text;
}

void bly_text_release(struct bly_text *text) {
        if (text != NULL && --text->refs == 0)
                bly_free(text);
}
