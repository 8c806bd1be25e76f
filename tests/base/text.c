/* SPDX-License-Identifier: MIT */
/*
 * Texts that are shared by reference counting, with a memory function that finds wrong uses.
 */
#include "base/base.h"

#include "guarded.h"

static struct bly_text *format(const char *format, ...) BELAY_PRINTF(1, 2);

static struct bly_text *format(const char *format, ...) {
        struct bly_text *text;
        va_list arguments;

        va_start(arguments, format);
        text = bly_text_format(format, arguments);
        va_end(arguments);
        return text;
}

static const char *const all[] = { "", "a", "four", "a text that is a little longer" };

/* Releases the only reference. */
static void check_and_release(struct bly_text *text, const char *chars) {
        CHECK_STR(bly_text_chars(text), chars);
        CHECK_EQ(guarded_blocks, 1);
        bly_text_release(text);
        CHECK_EQ(guarded_blocks, 0);
}

static void texts(void) {
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                check_and_release(bly_text_new(all[i]), all[i]);
                check_and_release(format("%s", all[i]), all[i]);
        }
        check_and_release(format("%d and %s", 5, "more"), "5 and more");
}

static void shared(void) {
        struct bly_text *text = bly_text_new("shared");

        CHECK(bly_text_ref(text) == text);
        CHECK(bly_text_ref(text) == text);
        for (int i = 0; i < 2; i++) {
                bly_text_release(text);
                CHECK_STR(bly_text_chars(text), "shared");
                CHECK_EQ(guarded_blocks, 1);
        }
        check_and_release(text, "shared");
}

/* No function of the library depends on a text. */
static void missing(void) {
        const char *none = NULL;

        CHECK(bly_text_new(NULL) == NULL);
        CHECK(format(none, 0) == NULL);
        CHECK(bly_text_ref(NULL) == NULL);
        CHECK(bly_text_chars(NULL) == NULL);
        bly_text_release(NULL);
        guarded_refused_from = 1;
        CHECK(bly_text_new("text") == NULL);
        CHECK(format("%s", "text") == NULL);
        guarded_refused_from = 0;
        CHECK_EQ(guarded_blocks, 0);
}

int main(void) {
        belay_set_memory(guarded_memory, NULL);
        texts();
        shared();
        missing();
        return 0;
}
