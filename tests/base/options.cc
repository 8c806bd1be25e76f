/* SPDX-License-Identifier: MIT */
/*
 * Options, masks and initializers in C++. tests/install/headers.sh compiles this file with each
 * standard and compiler that is available, without extensions.
 */
#include <belay.h>

#include "check.h"

namespace {

struct pair {
        int first, second;
};

int destroyed;

template <typename First, typename Second> void destroys(void *arg) {
        *static_cast<First *>(arg) += First(Second(1));
}

belay_local local = BELAY_LOCAL_INIT(destroys<int, long>);
belay_semaphore semaphore = BELAY_SEMAPHORE_INIT(pair { 1, 2 }.second);
belay_semaphore bounded = BELAY_BOUNDED_INIT(pair { 1, 2 }.first);
belay_lock lock = BELAY_LOCK_INIT;
belay_event event = BELAY_EVENT_INIT;
belay_condition condition = BELAY_CONDITION_INIT;
belay_wait_info wait_info = BELAY_WAIT_INFO_INIT;
belay_origin origin = BELAY_ORIGIN_INIT;

int sums(void *arg) {
        struct pair *two = static_cast<pair *>(arg);

        return two->first + two->second;
}

int counts(void *) {
        return 1;
}

int result_of(belay_task *task) {
        int outcome = -EIO;

        CHECK(task != NULL);
        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

/* In place: a field that is not named has its default. */
template <typename First, typename Second> void in_place() {
        belay_task *task = belay_spawn_with(counts, &destroyed,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "in place",
                                                          .destroy = destroys<First, Second>));

        CHECK_STR(belay_name(task), "in place");
        CHECK_EQ(result_of(task), 1);
        CHECK_EQ(destroyed, 1);
}

/* Options within options, and a comma outside of parentheses. */
void nested() {
        belay_stream *ends[2];
        char byte = 0;

        CHECK_EQ(belay_wire(ends,
                            BELAY_OPTIONS(belay_wire_options,
                                          .ways = { { .delay = 2 * BELAY_SECOND, .read_most = 1 },
                                                    { .cut_after = 1000 } })),
                 0);
        CHECK_EQ(belay_write(ends[0], "a", 1), 1);
        belay_time before = belay_now();
        CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
        CHECK_EQ(belay_now() - before, 2 * BELAY_SECOND);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
}

/*
 * An object of its own, whose fields are set in any order, and an object that the macro made. Both
 * live as long as any object.
 */
void object() {
        belay_options<belay_spawn_options> options;
        auto made = BELAY_OPTIONS(belay_spawn_options, .name = "made");
        const belay_spawn_options *pointer = options;

        CHECK_EQ(pointer->size, sizeof(belay_spawn_options));
        CHECK(pointer->name == NULL && pointer->stack_size == 0 && pointer->destroy == NULL
              && !pointer->eager);
        options->destroy = destroys<int, long>;
        options->name = "object";
        belay_task *task = belay_spawn_with(counts, &destroyed, options);
        CHECK_STR(belay_name(task), "object");
        CHECK_EQ(result_of(task), 1);
        CHECK_EQ(destroyed, 2);
        task = belay_spawn_with(counts, NULL, made);
        CHECK_STR(belay_name(task), "made");
        CHECK_EQ(result_of(task), 1);
}

int app(void *) {
        struct pair two = { 3, 4 };

        CHECK_EQ(result_of(belay_spawn(sums, &two)), 7);
        CHECK_EQ(result_of(belay_spawn(
                         [](void *arg) {
                                 int sum, more = 1;
                                 sum = sums(arg);
                                 return sum + more;
                         },
                         &two)),
                 8);
        in_place<int, long>();
        nested();
        object();
        CHECK_EQ(belay_semaphore_acquire(&semaphore), 0);
        CHECK_EQ(belay_semaphore_acquire(&semaphore), 0);
        CHECK_EQ(belay_semaphore_acquire(&bounded), 0);
        CHECK_EQ(belay_semaphore_release(&bounded), 0);
        CHECK_EQ(belay_semaphore_release(&bounded), -EPERM);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_local_set(&local, &destroyed), 0);
        return 0;
}

} // namespace

int main() {
        belay_event_set(&event);
        CHECK_EQ(wait_info.size, sizeof(wait_info));
        CHECK_EQ(origin.size, sizeof(origin));
        (void) condition;
        CHECK_EQ(belay_run_with(app, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL)),
                 0);
        CHECK_EQ(destroyed, 3);
        return 0;
}
