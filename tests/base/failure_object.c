/* SPDX-License-Identifier: MIT */
/*
 * The object behind a failure: its references, its memory, and its text for a reader.
 */
#include "base/failure.h"

#include "guarded.h"

enum { REFS_MOST = 1 << 30 };

static belay_failure *new_failure(int code, const char *text) {
        belay_failure *failure = bly_failure_new(code, bly_text_new(text));

        CHECK(failure != NULL);
        return failure;
}

/* ---- references ---- */

static void references(void) {
        belay_failure *failure = new_failure(-EIO, "text");

        CHECK_EQ(belay_failure_code(failure), -EIO);
        CHECK_STR(belay_failure_text(failure), "text");
        CHECK(belay_failure_data(failure) == NULL);
        CHECK_EQ(belay_failure_count(failure), 0);
        for (int i = 0; i < 3; i++)
                CHECK(belay_failure_ref(failure) == failure);
        for (int i = 0; i < 3; i++) {
                belay_failure_release(failure);
                CHECK_STR(belay_failure_text(failure), "text");
        }
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

/* A count that would wrap stays, and the failure is never freed. */
static void too_many(void) {
        belay_failure *failure = new_failure(-EIO, NULL);

        failure->refs = REFS_MOST - 1;
        for (int i = 0; i < 3; i++) {
                CHECK(belay_failure_ref(failure) == failure);
                CHECK_EQ(failure->refs, REFS_MOST);
        }
        for (int i = 0; i < 3; i++) {
                belay_failure_release(failure);
                CHECK_EQ(failure->refs, REFS_MOST);
        }
        failure->refs = 1;
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

/* The failure for which there was no memory counts no references. */
static void no_memory(void) {
        belay_failure *none = belay_failure_ref(NULL);
        unsigned refs = none->refs;

        CHECK_EQ(belay_failure_code(none), -ENOMEM);
        CHECK(belay_failure_text(none) == NULL);
        CHECK(belay_failure_ref(none) == none && belay_failure_ref(none) == none);
        CHECK_EQ(none->refs, refs);
        for (int i = 0; i < 5; i++)
                belay_failure_release(none);
        CHECK_EQ(none->refs, refs);
        CHECK_EQ(belay_failure_code(none), -ENOMEM);
}

/* ---- failures beneath ---- */

static unsigned destroyed;

static void destroy(void *data) {
        CHECK(data == &destroyed);
        destroyed++;
}

static void beneath(void) {
        belay_failure *failure, *member, *members[20];
        char name[16];

        for (size_t count = 0; count <= ARRAY_SIZE(members); count++) {
                failure = new_failure(-EIO, "above");
                destroyed = 0;
                for (size_t i = 0; i < count; i++) {
                        snprintf(name, sizeof(name), "member %zu", i);
                        members[i] = new_failure(-1 - (int) i, name);
                        members[i]->data = &destroyed;
                        members[i]->destroy = destroy;
                        CHECK(bly_failure_add(failure, members[i]));
                }
                CHECK_EQ(belay_failure_count(failure), count);
                for (size_t i = 0; i < count; i++) {
                        CHECK(belay_failure_at(failure, i) == members[i]);
                        CHECK_EQ(belay_failure_code(members[i]), -1 - (int) i);
                }
                CHECK(belay_failure_at(failure, count) == NULL);
                CHECK(belay_failure_at(failure, SIZE_MAX) == NULL);
                /* One that the program holds lives on. */
                member = count > 0 ? belay_failure_ref(belay_failure_at(failure, count / 2)) : NULL;
                belay_failure_release(failure);
                CHECK_EQ(destroyed, count - (count > 0));
                if (member != NULL) {
                        snprintf(name, sizeof(name), "member %zu", count / 2);
                        CHECK_STR(belay_failure_text(member), name);
                        belay_failure_release(member);
                }
                CHECK_EQ(destroyed, count);
                CHECK_EQ(guarded_blocks, 0);
        }
}

/* Without memory, what was handed over is released. */
static void scarce(void) {
        struct bly_text *text = bly_text_new("text");
        belay_failure *failure = new_failure(-EIO, "above"), *member = new_failure(-EPIPE, NULL);

        guarded_refused_from = 1;
        CHECK(bly_failure_new(-EIO, text) == NULL);
        CHECK(bly_failure_new(-EIO, NULL) == NULL);
        CHECK(!bly_failure_add(failure, member));
        guarded_refused_from = 0;
        CHECK_EQ(belay_failure_count(failure), 0);
        CHECK_EQ(guarded_blocks, 2); /* the failure above and its text */
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

/* ---- the text for a reader ---- */

static void says(const belay_failure *failure, const char *expected) {
        char text[256];

        CHECK_EQ(belay_failure_format(failure, text, sizeof(text)), strlen(expected));
        CHECK_STR(text, expected);
}

static void texts(void) {
        belay_failure *failure = new_failure(-EIO, NULL);
        char expected[256];

        says(failure, strerror(EIO));
        failure->says_all = true; /* which matters only beside a text */
        says(failure, strerror(EIO));
        failure->text = bly_text_new("a text that is complete");
        says(failure, "a text that is complete");
        for (int i = 0; i < 3; i++)
                CHECK(bly_failure_add(failure, new_failure(-EPIPE, NULL)));
        snprintf(expected, sizeof(expected), "a text that is complete; 3 beneath: [%s, %s, %s]",
                 strerror(EPIPE), strerror(EPIPE), strerror(EPIPE));
        says(failure, expected);
        failure->says_all = false;
        snprintf(expected, sizeof(expected), "%s: a text that is complete; 3 beneath: [%s, %s, %s]",
                 strerror(EIO), strerror(EPIPE), strerror(EPIPE), strerror(EPIPE));
        says(failure, expected);
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

/* A failure stands for the one beneath it only if it has neither a text nor data of its own. */
static void speaks(void) {
        belay_failure *inner = new_failure(-EIO, "inner"), *failure = new_failure(-EIO, NULL);
        int own;

        CHECK(bly_failure_add(failure, inner));
        CHECK_STR(belay_failure_text(failure), "inner");
        failure->data = &own;
        CHECK(belay_failure_text(failure) == NULL);
        CHECK(belay_failure_data(failure) == &own);
        failure->data = NULL;
        inner->data = &own;
        CHECK(belay_failure_data(failure) == &own);
        failure->text = bly_text_new("outer");
        CHECK_STR(belay_failure_text(failure), "outer");
        CHECK(belay_failure_data(failure) == NULL);
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

/* 32 levels are written. */
static void levels(void) {
        belay_failure *failure = new_failure(-EIO, "x");
        char text[4096];
        unsigned opened = 0;

        for (int i = 0; i < 40; i++) {
                belay_failure *above = new_failure(-EIO, "x");

                CHECK(bly_failure_add(above, failure));
                failure = above;
        }
        CHECK(belay_failure_format(failure, text, sizeof(text)) < sizeof(text));
        for (const char *c = text; *c != '\0'; c++)
                opened += *c == '[';
        CHECK_EQ(opened, 32);
        CHECK(strstr(text, "[...]]") != NULL);
        belay_failure_release(failure);
        CHECK_EQ(guarded_blocks, 0);
}

int main(void) {
        belay_set_memory(guarded_memory, NULL);
        references();
        too_many();
        no_memory();
        beneath();
        scarce();
        texts();
        speaks();
        levels();
        return 0;
}
