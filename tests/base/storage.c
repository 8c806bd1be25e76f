/* SPDX-License-Identifier: MIT */
/*
 * Structs in the caller's storage have the same size and alignment on each machine. Spans must end
 * correctly where time_t has 32 bits.
 */
#include <belay.h>
#include <belay/wire.h>

#include "base/help.h"
#include "base/timespec.h"

#define IS_STORAGE(type, size)                                             \
        _Static_assert(sizeof(type) == (size), #type " has another size"); \
        _Static_assert(_Alignof(type) == 8, #type " is not aligned to 8 bytes")

IS_STORAGE(belay_timeout, 160);
IS_STORAGE(belay_group, 256);
IS_STORAGE(belay_shield_scope, 192);
IS_STORAGE(belay_as_completed, 192);
IS_STORAGE(belay_lock, 64);
IS_STORAGE(belay_event, 48);
IS_STORAGE(belay_condition, 128);
IS_STORAGE(belay_semaphore, 64);
IS_STORAGE(belay_barrier, 224);

/*
 * A struct with reserved room keeps its size. A struct that begins with its size may grow at its
 * end.
 */
_Static_assert(sizeof(belay_address) == 168 && _Alignof(belay_address) == 8, "an address has room");
_Static_assert(sizeof(belay_wire_way) >= offsetof(belay_wire_way, reserved) + 32, "a way has room");
_Static_assert(sizeof(belay_local) == 4 * sizeof(void *), "a key has room");
_Static_assert(offsetof(belay_walk_entry, size) == 0, "an entry tells its size");

static int sleeps_long(void *arg) {
        (void) arg;
        return belay_sleep(200 * 365 * 24 * BELAY_HOUR);
}

/* A wait of 200 years. A span that was truncated wrongly would end it, or be rejected. */
static int app(void *arg) {
        belay_task *task = belay_spawn(sleeps_long, NULL);
        int outcome;

        (void) arg;
        CHECK(task != NULL);
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        CHECK(!belay_done(task));
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(task);
        return 0;
}

static void spans(void) {
        static const belay_time all[] = {
                0, 1, BELAY_SECOND - 1, BELAY_HOUR, 200 * 365 * 24 * BELAY_HOUR, BELAY_NEVER - 1
        };

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                struct timespec time = bly_timespec(all[i]);
                struct bly_kernel_time kernel = bly_kernel_time(all[i]);

                CHECK(time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < BELAY_SECOND);
                CHECK((belay_time) time.tv_sec * BELAY_SECOND + time.tv_nsec <= all[i]);
                CHECK(time.tv_sec == all[i] / BELAY_SECOND || time.tv_sec == INT32_MAX);
                CHECK(kernel.seconds * BELAY_SECOND + kernel.nanoseconds == all[i]);
        }
}

int main(void) {
        spans();
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
