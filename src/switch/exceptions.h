/* SPDX-License-Identifier: MIT */
/*
 * The C++ runtime keeps, for each thread, the chain of exceptions being handled and
 * the number of those on their way. A context that is suspended inside a catch
 * block must take both along, or the handlers of two contexts end in each other's
 * order.
 */
#ifndef BELAY_SWITCH_EXCEPTIONS_H
#define BELAY_SWITCH_EXCEPTIONS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A context's share. All zero for a new context. The layout is the first two
 * members of __cxa_eh_globals, which the C++ ABI fixes.
 */
struct bly_exceptions {
        void *caught;
        unsigned uncaught;
};

/* The calling thread's globals, or NULL when the program has no C++ runtime. */
void *bly_exceptions_of_thread(void);

/*
 * Stores the thread's state in `save` and makes it `load`. globals is that of the
 * calling thread and not NULL.
 */
static inline void bly_exceptions_swap(void *globals, struct bly_exceptions *save,
                                       const struct bly_exceptions *load)
{
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
