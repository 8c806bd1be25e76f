/* SPDX-License-Identifier: MIT */
/*
 * The basis of every other header of belay: attributes, versions, call sites, and times.
 */
#ifndef BELAY_BASE_H
#define BELAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <belay/options.h>

/* The beginning and the end of declarations in C, also in a C++ program. */
#ifdef __cplusplus
#define BELAY_BEGIN extern "C" {
#define BELAY_END   }
#else
#define BELAY_BEGIN
#define BELAY_END
#endif

/* A function that the shared library exports. */
#define BELAY_API __attribute__((visibility("default")))
/* A function whose return value the program must use. The compiler warns if it does not. */
#define BELAY_MUST_USE __attribute__((warn_unused_result))
/* A function whose parameter `at` is a format of printf(), and whose arguments begin at `first`. */
#define BELAY_PRINTF(at, first) __attribute__((format(printf, at, first)))
/*
 * The private contents of a struct that the caller stores.
 *
 * Their size and alignment are the same on every machine. The library keeps 64-bit numbers in them,
 * which one 32-bit machine aligns to 8 bytes and another to 4.
 */
#define BELAY_PRIVATE(bytes) \
        __attribute__((aligned(8))) uintptr_t belay_private[(bytes) / sizeof(uintptr_t)]

/* The version of the headers. */
#define BELAY_VERSION_MAJOR 0
#define BELAY_VERSION_MINOR 1
#define BELAY_VERSION_PATCH 0

/*
 * The call site, as a string such as "app.c:17".
 *
 * A function that waits, spawns or cancels records its call site. Reports, dumps and the origin of
 * a request name the file and the line. A macro of the same name masks each such function, as the C
 * standard allows its own library to do (C11, 7.1.4). For example, belay_sleep(t) stands for
 * belay_sleep_placed(BELAY_HERE, t). The plain function exists too: `(belay_sleep)(t)`, or a call
 * by a pointer, records no call site. A binding to another language calls the `_placed` function
 * with a call site of that language, which is any string that outlives the task.
 *
 * The macros are in <belay/places.h>. A program that defines BELAY_NO_PLACES before it includes
 * <belay.h> gets none of them.
 */
#define BELAY_HERE __FILE__ ":" BELAY_STRING_OF(__LINE__)
/* The value of a macro as a string, for BELAY_HERE. */
#define BELAY_STRING_OF(x) BELAY_STRING(x)
#define BELAY_STRING(x)    #x

/*
 * A time in nanoseconds: a span, or an instant on the loop's clock.
 *
 * belay_now() is the current instant. The clock is CLOCK_MONOTONIC unless the loop has a virtual
 * clock. A span that a function takes begins at the call. BELAY_NEVER means no limit.
 */
typedef int64_t belay_time;

/* Spans. They are plain literals of the type belay_time, for tools that generate bindings. */
#ifdef __LP64__
#define BELAY_NANOSECOND  1L
#define BELAY_MICROSECOND 1000L
#define BELAY_MILLISECOND 1000000L
#define BELAY_SECOND      1000000000L
#define BELAY_MINUTE      60000000000L
#define BELAY_HOUR        3600000000000L
#define BELAY_NEVER       9223372036854775807L
#else
#define BELAY_NANOSECOND  1LL
#define BELAY_MICROSECOND 1000LL
#define BELAY_MILLISECOND 1000000LL
#define BELAY_SECOND      1000000000LL
#define BELAY_MINUTE      60000000000LL
#define BELAY_HOUR        3600000000000LL
#define BELAY_NEVER       9223372036854775807LL
#endif

/* The body of a task: a function that gets the task's argument and returns its outcome. */
typedef int belay_fn(void *arg);

/* A destructor: a function that frees the object that it is given. */
typedef void belay_destroy(void *data);

/* A loop, which runs tasks. The type is opaque, see <belay/loop.h>. */
typedef struct belay_loop belay_loop;

/* A task or a future. The type is opaque, see <belay/task.h>. */
typedef struct belay_task belay_task;

#endif
