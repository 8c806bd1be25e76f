/* SPDX-License-Identifier: MIT */
/*
 * Saves and restores the C++ exception state of a context.
 *
 * The C++ runtime keeps, for each thread, the chain of exceptions being handled and the number of
 * exceptions in flight. If a context is suspended inside a catch block, the switch must save both
 * and restore them later. Otherwise handlers of two contexts would end in an order that corrupts
 * the chain.
 */
#ifndef BELAY_SWITCH_EXCEPTIONS_H
#define BELAY_SWITCH_EXCEPTIONS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Exception state of one context; all zero for a new context. The layout is that of the first two
 * members of __cxa_eh_globals, which the C++ ABI fixes.
 */
struct bly_exceptions {
        void *caught;
        unsigned uncaught;
};

/*
 * Returns the exception globals of the calling thread, or NULL if the program has no C++ runtime.
 */
void *bly_exceptions_of_thread(void);

/*
 * Stores the thread's exception state in `save` and replaces it with `load`. `globals` belongs to
 * the calling thread and is not NULL.
 */
static inline void bly_exceptions_swap(void *globals, struct bly_exceptions *save,
                                       const struct bly_exceptions *load) {
        struct bly_exceptions *now = (struct bly_exceptions *) globals;

        save->caught = now->caught;
        save->uncaught = now->uncaught;
        now->caught = load->caught;
        now->uncaught = load->uncaught;
}

#ifdef __cplusplus
}
#endif

#endif
