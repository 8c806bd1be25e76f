/* SPDX-License-Identifier: MIT */
/*
 * What every other header of belay builds on: marks, times, places.
 */
#ifndef BELAY_BASE_H
#define BELAY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <belay/options.h>

#ifdef __cplusplus
#  define BELAY_BEGIN extern "C" {
#  define BELAY_END }
#else
#  define BELAY_BEGIN
#  define BELAY_END
#endif

#define BELAY_API __attribute__((visibility("default")))
/* The result says something that the program must not overlook. */
#define BELAY_MUST_USE __attribute__((warn_unused_result))
#define BELAY_PRINTF(at, first) __attribute__((format(printf, at, first)))
/*
 * The library's inside in a struct that the caller stores. It has the same size and alignment on
 * every machine: the library keeps 64-bit numbers in it, and some 32-bit machines align these to 8
 * bytes and others to 4.
 */
#define BELAY_PRIVATE(bytes) __attribute__((aligned(8))) uintptr_t belay_private[(bytes) / sizeof(uintptr_t)]

#define BELAY_VERSION_MAJOR 0
#define BELAY_VERSION_MINOR 1
#define BELAY_VERSION_PATCH 0

/*
 * Places. A function that waits, spawns, or asks for a cancellation notes where it was called:
 * reports, dumps and the origin of a cancellation name the file and the line. So each of them is
 * masked by a macro of its own name, as the C standard lets its own library do (7.1.4):
 * belay_sleep(t) is belay_sleep_placed(BELAY_HERE, t). The plain function is there as well,
 * `(belay_sleep)(t)` or a pointer to it, and notes no place. A binding to another language calls
 * the `_placed` form with a place of that language: any string that outlives the task. They are all
 * in <belay/places.h>; defining BELAY_NO_PLACES before <belay.h> leaves the masks out.
 */
#define BELAY_HERE __FILE__ ":" BELAY_STRING_OF(__LINE__)
#define BELAY_STRING_OF(x) BELAY_STRING(x)
#define BELAY_STRING(x) #x

/*
 * Times. Nanoseconds, both for a span and for an instant on the loop's clock (belay_now(),
 * CLOCK_MONOTONIC unless the loop has a virtual clock). A relative limit counts from the call.
 * BELAY_NEVER means no limit.
 */
typedef int64_t belay_time;

/* Plain literals of the type belay_time, which tools that read headers for other languages understand. */
#ifdef __LP64__
#  define BELAY_NANOSECOND  1L
#  define BELAY_MICROSECOND 1000L
#  define BELAY_MILLISECOND 1000000L
#  define BELAY_SECOND      1000000000L
#  define BELAY_MINUTE      60000000000L
#  define BELAY_HOUR        3600000000000L
#  define BELAY_NEVER       9223372036854775807L
#else
#  define BELAY_NANOSECOND  1LL
#  define BELAY_MICROSECOND 1000LL
#  define BELAY_MILLISECOND 1000000LL
#  define BELAY_SECOND      1000000000LL
#  define BELAY_MINUTE      60000000000LL
#  define BELAY_HOUR        3600000000000LL
#  define BELAY_NEVER       9223372036854775807LL
#endif

/* The function a task runs, and one that disposes of what it is given. */
typedef int belay_fn(void *arg);
typedef void belay_destroy(void *data);

/* What a loop is and what a task is: opaque, see <belay/loop.h> and <belay/task.h>. */
typedef struct belay_loop belay_loop;
typedef struct belay_task belay_task;

#endif
