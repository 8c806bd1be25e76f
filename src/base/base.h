/* SPDX-License-Identifier: MIT */
/*
 * The base of all parts of the library: memory, log lines, shared texts, lists, and a few macros.
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

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/*
 * Some processors drop a prefetch for reading if the TLB has no entry for the page. They do not
 * drop a prefetch for writing.
 */
#if defined(__x86_64__)
#define BLY_PREFETCH_WRITE(address) \
        __asm__ volatile("prefetchw %0" : : "m"(*(const char *) (address)))
#else
#define BLY_PREFETCH_WRITE(address) __builtin_prefetch(address, 1)
#endif
#define container_of(pointer, type, member) ((type *) ((char *) (pointer) -offsetof(type, member)))
#define ARRAY_SIZE(array)                   (sizeof(array) / sizeof((array)[0]))

/* ---- memory, from the function that belay_set_memory() sets ---- */

void *bly_realloc(void *block, size_t size);
void *bly_alloc(size_t size);
void *bly_zalloc(size_t size);
void bly_free(void *block);
/* Allocates memory at a multiple of `alignment`, a power of two. bly_free_aligned() frees it. */
void *bly_alloc_aligned(size_t alignment, size_t size);
void bly_free_aligned(void *block);

/*
 * Allocates zeroed memory. If `large` is set and the program has no memory function, the memory
 * comes from the kernel and returns to it when it is freed. *mapped says whether that is so, and
 * the caller passes it to bly_free_large().
 */
void *bly_alloc_large(size_t size, bool large, bool *mapped);
void bly_free_large(void *block, size_t size, bool mapped);
/*
 * Makes the C library return freed memory to the system. Does nothing if the program has a memory
 * function.
 */
void bly_trim_memory(void);

/*
 * Called for each block that this thread allocates, moves or frees. `before` is 0 for a new block,
 * and `after` for a freed block. Set by testing/, and NULL otherwise.
 */
typedef void bly_memory_watch_fn(uintptr_t before, uintptr_t after, size_t size);
extern __thread bly_memory_watch_fn *bly_memory_watch
        __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* ---- log lines ---- */

void bly_log(belay_log_level level, const char *format, ...) BELAY_PRINTF(2, 3);
/*
 * Does the same for events that the outside can cause often. Too many lines of one format and
 * `place` (may be NULL) are not written but counted, see base/log_limit.h.
 */
void bly_log_limited(belay_log_level level, const char *place, const char *format, ...)
        BELAY_PRINTF(3, 4);
/*
 * Reports a programming error with the call site of the caller, limited in the same way. Returns
 * `code`, so that the caller can return it.
 */
int bly_misuse(int code, const char *place, const char *format, ...) BELAY_PRINTF(3, 4);

/* ---- texts that are shared by reference counting ---- */

struct bly_text {
        unsigned refs;
        char chars[];
};

/*
 * Create a text. Return NULL if the source is NULL or there is no memory. No function of the
 * library depends on a text, so a missing text is left out.
 */
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

/* ---- intrusive lists: the links are inside the members ---- */

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

/* Does nothing if the link is in no list (both pointers are NULL). */
static inline void bly_list_remove(struct bly_link *link) {
        if (link->next == NULL)
                return;
        link->next->prev = link->prev;
        link->prev->next = link->next;
        link->next = link->prev = NULL;
}

/* Returns the call site as a report writes it. `place` may be NULL. */
static inline const char *bly_place_text(const char *place) {
        return place != NULL ? place : "an unknown place";
}

#endif
