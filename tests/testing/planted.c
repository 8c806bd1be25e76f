/* SPDX-License-Identifier: MIT */
/*
 * Tests that belay_everywhere() finds planted faults. Each program is right as long as no task is
 * cancelled, and has one fault in its handling of a cancellation.
 *
 * The log line of each fault must name the call site, the wait, the kind of run and the fault.
 */
#include <belay.h>
#include <fcntl.h>

#include "check.h"
#include "testing/lines.h"

/* Stores the call site of the next line in the form in which the library logs it. */
#define REMEMBER(place) snprintf(place, sizeof(place), "%s:%d, ", __FILE__, __LINE__ + 1)

static char first[256], second[256];
static belay_lock lock;
static belay_queue *queue;

static void forget(void *arg) {
        (void) arg;
        lock = (belay_lock) BELAY_LOCK_INIT;
}

static int everywhere(belay_fn *fn, bool all_tasks, int (*check)(void *arg, int outcome)) {
        keep_lines();
        return belay_everywhere(fn, NULL,
                                BELAY_OPTIONS(belay_everywhere_options, .main_only = !all_tasks,
                                              .reset = forget, .check = check,
                                              .patience = BELAY_MINUTE));
}

/* ---- memory ---- */

static int nothing(void *arg) {
        (void) arg;
        return belay_yield();
}

/* If the first wait is cancelled, the handle is never released. */
static int loses_a_handle(void *arg) {
        belay_task *task = belay_spawn(nothing, arg);
        int rc;

        REMEMBER(first);
        rc = belay_sleep(BELAY_SECOND);
        if (rc < 0)
                return rc;
        belay_release(task);
        REMEMBER(second);
        return belay_sleep(BELAY_SECOND);
}

static void test_memory(void) {
        CHECK_EQ(everywhere(loses_a_handle, false, NULL), 3);
        CHECK_LINES(lines_with("memory was not given back: ") == 3 && lines_with(first) == 3
                    && lines_with(second) == 0);
        CHECK_LINES(line_with(first, "sleep, task main, wait 1 of 2; a request: memory"));
        CHECK_LINES(line_with(first, "sleep, task main, wait 1 of 2; a timeout: memory"));
        CHECK_LINES(line_with(first,
                              "wait 1 of 2; a request, and one more after its delivery: memory"));
}

/* The queue is lost only if the cleanup is cancelled as well. */
static int loses_a_queue(void *arg) {
        belay_queue *mine = belay_queue_new(1);
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        if (rc < 0 && belay_yield() < 0)
                return rc;
        belay_queue_free(mine);
        return rc;
}

static void test_memory_in_clean_up(void) {
        CHECK_EQ(everywhere(loses_a_queue, false, NULL), 1);
        CHECK_LINES(lines_with("(again at ") == 1
                    && lines_with("one more after its delivery: memory was not given back") == 1);
}

/* While blocks are counted, the program's own memory function must still receive each call. */
static size_t live;

static void *count_memory(void *context, void *block, size_t size) {
        ++*(size_t *) context;
        live += size > 0 && block == NULL;
        live -= size == 0 && block != NULL;
        if (size == 0) {
                free(block);
                return NULL;
        }
        return realloc(block, size);
}

static void test_memory_function(void) {
        size_t calls = 0;

        belay_set_memory(count_memory, &calls);
        CHECK_EQ(everywhere(loses_a_handle, false, NULL), 3);
        CHECK(calls > 0);
        /* The task records of three runs, and of the three runs that confirmed their faults. */
        CHECK(live >= 6);
        belay_set_memory(NULL, NULL);
}

/* ---- a fault without any cancellation ---- */

static int loses_always(void *arg) {
        belay_task *task = belay_spawn(nothing, arg);

        return task != NULL ? 0 : -1;
}

static void test_undisturbed(void) {
        CHECK_EQ(everywhere(loses_always, false, NULL), 1);
        CHECK_LINES(lines_with("everywhere: undisturbed: memory was not given back") == 1);
}

/* ---- descriptors ---- */

static int loses_a_descriptor(void *arg) {
        int fd = open("/dev/null", O_RDONLY), rc;

        (void) arg;
        CHECK(fd >= 0);
        REMEMBER(first);
        rc = belay_yield();
        if (rc < 0)
                return rc;
        close(fd);
        return 0;
}

static void test_descriptors(void) {
        CHECK_EQ(everywhere(loses_a_descriptor, false, NULL), 3);
        CHECK_LINES(lines_with("open descriptors: 1 more, among them ") == 3
                    && lines_with(" (/dev/null)") == 3);
        CHECK_LINES(line_with(first, "yield, task main, wait 1 of 1; a request: open"));
}

/* ---- locks ---- */

static int keeps_the_lock(void *arg) {
        int rc = belay_lock_acquire(&lock);

        (void) arg;
        if (rc < 0)
                return rc;
        rc = belay_sleep(BELAY_SECOND);
        if (rc == -ECANCELED)
                return rc;
        return belay_lock_release(&lock);
}

static void test_locks(void) {
        CHECK_EQ(everywhere(keeps_the_lock, false, NULL), 3);
        CHECK_LINES(lines_with("locks are still held: 1 more") == 3);
}

/* ---- runs that do not end ---- */

/*
 * The program mistakes a cancelled wait for a failed one and waits again, for an event that is
 * never set.
 */
static int swallows(void *arg) {
        belay_event never = BELAY_EVENT_INIT;

        (void) arg;
        if (belay_sleep(BELAY_SECOND) < 0) {
                REMEMBER(second);
                (void) !belay_event_wait(&never);
        }
        return 0;
}

static void test_hangs(void) {
        CHECK_EQ(everywhere(swallows, false, NULL), 2);
        CHECK_LINES(lines_with("a request: it does not end, nothing is left") == 1);
        CHECK_LINES(lines_with("a timeout: it does not end, nothing is left") == 1);
        second[strlen(second) - 2] = '\0';
        CHECK_LINES(lines_with("still there: ") == 2);
        CHECK_LINES(line_with("  still there: main ", second) && line_with("event at ", second));
}

/*
 * The task never ends, however often it is cancelled. Its memory stays behind when the run is
 * abandoned.
 */
static int resists(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        while (rc < 0)
                rc = belay_sleep(BELAY_HOUR) < 0 ? -1 : -2;
        return rc;
}

static void test_resists(void) {
        CHECK_EQ(everywhere(resists, false, NULL), 3);
        CHECK_LINES(lines_with("it did not end in time:") == 3);
}

static int yields_for_ever(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        while (rc < 0)
                rc = belay_yield() < 0 ? -1 : -2;
        return rc;
}

static void test_yields(void) {
        CHECK_EQ(everywhere(yields_for_ever, false, NULL), 3);
        CHECK_LINES(lines_with("it waits again and again, and does not end:") == 3);
}

/*
 * A child that main leaves to the shutdown. It ends 30 s after its last cancellation, which the
 * patience allows.
 */
static int child_resists(void *arg) {
        int rc;

        (void) arg;
        do
                rc = belay_sleep(30 * BELAY_SECOND);
        while (rc < 0);
        return 0;
}

static int leaves_a_child(void *arg) {
        belay_task *task = belay_spawn_with(
                child_resists, arg, BELAY_OPTIONS(belay_spawn_options, .name = "the child"));
        int rc = belay_sleep(BELAY_SECOND);

        if (rc < 0)
                belay_cancel(task, NULL);
        else
                rc = belay_join(task, NULL);
        belay_release(task);
        return rc;
}

static int child_ignores(void *arg) {
        while (arg == NULL)
                (void) !belay_sleep(BELAY_HOUR);
        return 0;
}

static int leaves_a_bad_child(void *arg) {
        belay_task *task = belay_spawn_with(
                child_ignores, arg, BELAY_OPTIONS(belay_spawn_options, .name = "the child"));
        int rc = belay_sleep(BELAY_SECOND);

        belay_release(task);
        return rc;
}

static void test_outlives_shut_down(void) {
        CHECK_EQ(everywhere(leaves_a_child, false, NULL), 0);
        CHECK_EQ(everywhere(leaves_a_bad_child, false, NULL), 4);
        CHECK_LINES(lines_with("it did not end in time:") == 4
                    && lines_with("still there: the child ") == 4);
        CHECK_LINES(lines_with("the shutdown reached its limit; 1 task is still there:") == 4);
}

static int never_ends(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

static int goes_on_and_on(void *arg) {
        int rc;

        (void) arg;
        do
                rc = belay_sleep(50 * BELAY_SECOND);
        while (rc == 0);
        (void) !belay_sleep(50 * BELAY_SECOND);
        return rc;
}

/*
 * The shutdown cancels the tasks that hang. It has a patience of its own, in which they end, so
 * that none of them is abandoned.
 */
static void test_undisturbed_hang(void) {
        CHECK_EQ(everywhere(never_ends, false, NULL), 1);
        CHECK_LINES(lines_with("everywhere: undisturbed: it does not end") == 1
                    && lines_with("shutdown reached") == 0);
        CHECK_EQ(everywhere(goes_on_and_on, false, NULL), 1);
        CHECK_LINES(lines_with("everywhere: undisturbed: it did not end in time") == 1
                    && lines_with("shutdown reached") == 0);
}

/* ---- the result of check() ---- */

static int swallows_quietly(void *arg) {
        (void) arg;
        if (belay_sleep(BELAY_SECOND) < 0)
                return 7;
        return 0;
}

static int is_honest(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || outcome == -ECANCELED || outcome == -ETIMEDOUT ? 0 : 13;
}

static void test_check(void) {
        CHECK_EQ(everywhere(swallows_quietly, false, is_honest), 3);
        CHECK_LINES(lines_with("the check of outcome 7 says 13") == 3);
        CHECK_EQ(everywhere(nothing, false, is_honest), 0);
        CHECK_LINES(lines.length == 0);
}

/* ---- several faults at once ---- */

static int does_it_all_wrong(void *arg) {
        int fd = open("/dev/null", O_RDONLY);
        int rc = belay_lock_acquire(&lock);

        (void) arg;
        queue = belay_queue_new(3);
        rc = belay_yield();
        if (rc == 0) {
                close(fd);
                belay_lock_release(&lock);
                belay_queue_free(queue);
        }
        return rc < 0 ? 1 : 0;
}

static void test_all_wrong(void) {
        CHECK_EQ(everywhere(does_it_all_wrong, false, is_honest), 12);
        CHECK_LINES(lines_with("a request: the check of outcome 1 says 13") == 1);
        CHECK_LINES(lines_with("a request: memory was not given back: ") == 1);
        CHECK_LINES(lines_with("a request: open descriptors: 1 more") == 1);
        CHECK_LINES(lines_with("a request: locks are still held: 1 more") == 1);
}

/* ---- another task's wait ---- */

static int loses_in_a_child(void *arg) {
        int fd = open("/dev/null", O_RDONLY), rc;

        (void) arg;
        REMEMBER(first);
        rc = belay_sleep(BELAY_SECOND);
        if (rc == 0)
                close(fd);
        return rc;
}

static int has_a_child(void *arg) {
        belay_task *task = belay_spawn_with(loses_in_a_child, arg,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "reader"));
        int rc = belay_join(task, NULL);

        /* The program behaves as if no caller ever cancelled the child alone. */
        if (rc < 0)
                (void) !belay_join(task, NULL);
        belay_release(task);
        return rc;
}

static void test_others(void) {
        CHECK_EQ(everywhere(has_a_child, false, NULL), 1);
        /*
         * The second request cancels main's second join. The child is left to the shutdown, which
         * cancels it.
         */
        CHECK_LINES(lines_with("one more after its delivery: open descriptors: 1 more") == 1);
        /*
         * One complaint is that of main's wait again. The two others are those of a request for the
         * child's wait. A timeout cancels only main, and main waits for the child's end.
         */
        CHECK_EQ(everywhere(has_a_child, true, NULL), 3);
        CHECK_LINES(line_with(first, "sleep, task reader, wait 2 of 2; a request: open"));
        CHECK_LINES(line_with(
                first,
                "sleep, task reader, wait 2 of 2; a request, and one more after its delivery: "
                "open"));
}

/* ---- a wake-up that is lost ---- */

static struct {
        bool held;
        int waiting;
        belay_future *line[4];
} baton;

/*
 * A lock with a common mistake: if a task is cancelled just when it receives the baton, the baton
 * is lost.
 */
static int take_baton(void) {
        belay_future *mine;
        int rc;

        if (!baton.held) {
                baton.held = true;
                return 0;
        }
        mine = baton.line[baton.waiting++] = belay_future_new();
        REMEMBER(first);
        rc = belay_shield(mine, NULL);
        if (rc < 0 && !belay_done(mine)) {
                /* The task is still in the queue. The program handles this case correctly. */
                for (int i = 0; i < baton.waiting; i++)
                        if (baton.line[i] == mine) {
                                baton.line[i] = baton.line[--baton.waiting];
                                break;
                        }
        }
        belay_release(mine);
        return rc;
}

static void give_baton(void) {
        baton.held = baton.waiting > 0;
        if (baton.held) {
                belay_future *next = baton.line[0];

                baton.line[0] = baton.line[--baton.waiting];
                belay_future_set(next, 0);
        }
}

static int runs_with_baton(void *arg) {
        int rc = take_baton();

        (void) arg;
        if (rc < 0)
                return rc;
        rc = belay_yield();
        give_baton();
        return rc;
}

static int relay(void *arg) {
        belay_group group;

        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_group_spawn(&group, runs_with_baton, arg), 0);
        return belay_group_leave(&group, 0);
}

static void new_race(void *arg) {
        (void) arg;
        memset(&baton, 0, sizeof(baton));
}

static void test_lost_wake_up(void) {
        keep_lines();
        CHECK(belay_everywhere(relay, NULL,
                               BELAY_OPTIONS(belay_everywhere_options, .reset = new_race))
              > 0);
        CHECK_LINES(line_with(first, "; a request: it does not end"));
        CHECK_LINES(line_with(first, "one more after its delivery: it does not end"));
}

int main(void) {
        test_memory();
        test_memory_in_clean_up();
        test_memory_function();
        test_undisturbed();
        test_descriptors();
        test_locks();
        test_hangs();
        test_resists();
        test_yields();
        test_outlives_shut_down();
        test_undisturbed_hang();
        test_check();
        test_all_wrong();
        test_others();
        test_lost_wake_up();
        /*
         * The planted blocks stay lost. The program ends at once, before a leak checker searches
         * for them.
         */
        CHECK_END(0);
}
