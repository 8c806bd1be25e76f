/* SPDX-License-Identifier: MIT */
/*
 * What every part of the library stands on: memory, log lines, shared texts, and a few words of C.
 */
#ifndef BLY_BASE_H
#define BLY_BASE_H

#define BELAY_NO_PLACES
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <belay/base.h>
#include <belay/failure.h>
#include <belay/loop.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* A prefetch to be read is dropped by some processors if the page, too, is to be looked up; this one is not. */
#if defined(__x86_64__)
#  define BLY_PREFETCH_WRITE(address) __asm__ volatile("prefetchw %0" : : "m" (*(const char *) (address)))
#else
#  define BLY_PREFETCH_WRITE(address) __builtin_prefetch(address, 1)
#endif
#define container_of(pointer, type, member) ((type *) ((char *) (pointer) - offsetof(type, member)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ---- memory: through belay_set_memory()'s function ---- */

void *bly_realloc(void *block, size_t size);
void *bly_alloc(size_t size);
void *bly_zalloc(size_t size);
void bly_free(void *block);
/* Memory that begins at a multiple of `alignment`, a power of two; goes by bly_free_aligned(). */
void *bly_alloc_aligned(size_t alignment, size_t size);
void bly_free_aligned(void *block);

/*
 * Zeroed memory that comes from the system itself if it is `large` and the program has no function of its own, so that it goes
 * back there when it is freed. *mapped tells, and is to be given back with it.
 */
void *bly_alloc_large(size_t size, bool large, bool *mapped);
void bly_free_large(void *block, size_t size, bool mapped);
/* Has the C library give the system what it keeps of freed memory, if that is where memory comes from. */
void bly_trim_memory(void);

/* Told of what this thread takes, moves and gives back (0: nothing before, or after), for testing/; NULL otherwise. */
typedef void bly_memory_watch_fn(uintptr_t before, uintptr_t after, size_t size);
extern __thread bly_memory_watch_fn *bly_memory_watch __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* ---- log lines ---- */

void bly_log(belay_log_level level, const char *format, ...) BELAY_PRINTF(2, 3);
/*
 * The same of what the outside can bring about often: too many lines of one format and `place` (may be NULL) are left
 * out and counted, see base/log_limit.h.
 */
void bly_log_limited(belay_log_level level, const char *place, const char *format, ...) BELAY_PRINTF(3, 4);
/* A programming error of the caller: reported with its place, limited likewise. Returns `code`, so that it can be returned. */
int bly_misuse(int code, const char *place, const char *format, ...) BELAY_PRINTF(3, 4);

/* ---- texts that several hold ---- */

struct bly_text {
        unsigned refs;
        char chars[];
};

/* NULL for a NULL text, and where there is no memory: texts are comfort, what goes without them goes. */
struct bly_text *bly_text_new(const char *chars);
struct bly_text *bly_text_format(const char *format, va_list arguments);

static inline struct bly_text *bly_text_ref(struct bly_text *text) {
        if (text != NULL)
                text->refs++;
        return text;
}

void bly_text_release(struct bly_text *text);

static inline const char *bly_text_chars(const struct bly_text *text) {
        return text != NULL ? text->chars : NULL;
}

/* ---- lists whose links lie in their members ---- */

struct bly_link {
        struct bly_link *next, *prev;
};

static inline void bly_list_init(struct bly_link *list) {
        list->next = list->prev = list;
}

static inline bool bly_list_empty(const struct bly_link *list) {
        return list->next == list;
}

static inline void bly_list_append(struct bly_link *list, struct bly_link *link) {
        link->next = list;
        link->prev = list->prev;
        list->prev->next = link;
        list->prev = link;
}

/* Taking out what is in no list (both links NULL) does nothing. */
static inline void bly_list_remove(struct bly_link *link) {
        if (link->next == NULL)
                return;
        link->next->prev = link->prev;
        link->prev->next = link->next;
        link->next = link->prev = NULL;
}

#endif
