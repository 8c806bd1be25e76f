/* SPDX-License-Identifier: MIT */
/*
 * Memory runs out: a program that uses tasks, callbacks and cancellation runs again and again. Each
 * time another allocation fails, alone or with all that follow. The program must never crash, hang
 * or leak, and its errors must be the documented ones.
 */
#include "../base/help.h"

static size_t live, calls, fails_at;
static bool fails_on; /* whether all later allocations fail as well */

static void *memory(void *context, void *block, size_t size) {
        void *result;

        CHECK(context == &live);
        if (size == 0) {
                if (block != NULL)
                        live--;
                free(block);
                return NULL;
        }
        calls++;
        if (fails_at != 0 && (fails_on ? calls >= fails_at : calls == fails_at))
                return NULL;
        result = realloc(block, size);
        if (block == NULL && result != NULL)
                live++;
        return result;
}

/* Objects that the program itself owns. */
static int owned;

static void disown(void *thing) {
        (void) thing;
        owned--;
}

static belay_local local = BELAY_LOCAL_INIT(disown);

static unsigned called;

static void call(void *arg) {
        (void) arg;
        called++;
}

static void call_done(belay_task *task, void *arg) {
        CHECK(belay_done(task));
        call(arg);
}

/* The documented errors of calls that allocate memory. */
#define CHECK_RC(rc) CHECK((rc) >= 0 || (rc) == -ENOMEM)

static int worker(void *arg) {
        int rc;

        owned++;
        rc = belay_local_set(&local, arg);
        CHECK_RC(rc);
        if (rc < 0)
                owned--; /* the argument still belongs to this task */
        rc = belay_sleep(BELAY_SECOND);
        CHECK(rc == 0 || rc == -ECANCELED || rc == -ENOMEM);
        owned++;
        CHECK_EQ(belay_set_value(arg, disown), 0);
        owned++;
        return rc == 0 ? belay_fail_data(-EPROTO, arg, disown, "number %d", 5) : (disown(arg), rc);
}

static int awaits(void *arg) {
        int outcome = 0, rc = belay_await(arg, &outcome);

        CHECK(rc == 0 || rc == -ECANCELED);
        return rc < 0 ? rc : outcome;
}

static void let_go(void *arg) {
        belay_release(arg);
}

static int all(void) {
        belay_task *tasks[40] = { 0 }, *awaiting = NULL;
        belay_future *future;
        belay_ticket tickets[3];
        belay_failure *failure;
        int rc, result = 0, outcome;

        for (int i = 0; i < 40; i++) {
                owned++;
                errno = 0;
                tasks[i] = belay_spawn_with(worker, &called,
                                            BELAY_OPTIONS(belay_spawn_options,
                                                          .name = i % 2 ? "worker" : NULL,
                                                          .destroy = disown));
                if (tasks[i] == NULL) {
                        CHECK_EQ(errno, ENOMEM);
                        owned--;
                        result = -ENOMEM;
                }
        }
        if (tasks[0] != NULL) {
                awaiting = belay_spawn_with(awaits, belay_ref(tasks[0]),
                                            BELAY_OPTIONS(belay_spawn_options, .destroy = let_go));
                if (awaiting == NULL) {
                        CHECK_EQ(errno, ENOMEM);
                        belay_release(tasks[0]);
                }
                rc = belay_on_done(tasks[0], call_done, NULL);
                CHECK_RC(rc);
                rc = belay_on_done(tasks[0], call_done, &called);
                CHECK_RC(rc);
                CHECK_EQ(belay_off_done(tasks[0], call_done, &called), rc == 0);
        }
        for (int i = 0; i < 3; i++) {
                errno = 0;
                tickets[i] = i == 0 ? belay_soon(call, NULL)
                                    : belay_later(i * BELAY_SECOND, call, NULL);
                CHECK(tickets[i] != 0 || errno == ENOMEM);
        }
        CHECK_EQ(belay_timer_cancel(tickets[2]), tickets[2] != 0);
        rc = belay_yield();
        CHECK_EQ(rc, 0);

        future = belay_future_new();
        if (future != NULL) {
                owned++;
                CHECK_EQ(belay_future_set_value(future, &called, disown), 0);
                CHECK_EQ(belay_join(future, &outcome), 0);
                belay_release(future);
        }
        future = belay_future_new();
        if (future != NULL) {
                CHECK(belay_cancel(future, "a reason"));
                (void) belay_failure_of(future);
                CHECK_EQ(belay_await(future, &outcome), 0);
                CHECK_EQ(outcome, -ECANCELED);
                failure = belay_failure_take(outcome);
                CHECK(belay_failure_code(failure) == outcome
                      || belay_failure_code(failure) == -ENOMEM);
                belay_failure_release(failure);
                belay_release(future);
        }

        /*
         * If there is no memory for a limit, the call fails. It must never wait without the limit.
         */
        if (tasks[1] != NULL) {
                rc = belay_cancel_wait(tasks[1], "enough", BELAY_HOUR, &outcome);
                CHECK_RC(rc);
                CHECK_EQ(belay_cancel_wait(tasks[1], "enough", BELAY_NEVER, &outcome), 0);
        }
        rc = tasks[2] != NULL ? belay_force_cancel(tasks[2], 3, BELAY_MILLISECOND) : 0;
        CHECK_RC(rc);
        belay_cancel(belay_self(), "myself");
        rc = belay_sleep(BELAY_SECOND);
        CHECK(rc == -ECANCELED || rc == -ENOMEM);
        if (rc == -ENOMEM)
                CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);

        for (int i = 0; i < 40; i++) {
                if (tasks[i] == NULL)
                        continue;
                rc = i % 3 == 0   ? belay_await(tasks[i], &outcome)
                     : i % 3 == 1 ? belay_join(tasks[i], &outcome)
                                  : belay_shield(tasks[i], &outcome);
                CHECK_EQ(rc, 0);
                CHECK(outcome == -EPROTO || outcome == -ECANCELED || outcome == -ENOMEM);
                failure = belay_failure_take(outcome);
                CHECK(belay_failure_code(failure) == outcome
                      || belay_failure_code(failure) == -ENOMEM);
                CHECK(belay_failure_text(failure) == NULL || outcome != -EPROTO
                      || strcmp(belay_failure_text(failure), "number 5") == 0);
                CHECK_EQ(belay_failure_raise(failure), belay_failure_code(failure));
                belay_release(tasks[i]);
        }
        if (awaiting != NULL) {
                CHECK_EQ(belay_join(awaiting, &outcome), 0);
                belay_release(awaiting);
        }
        return result;
}

static int app(void *arg) {
        /* Left to the shutdown. */
        belay_task *task = belay_spawn(awaits, NULL);

        (void) arg;
        if (task != NULL) {
                belay_cancel(task, NULL);
                belay_release(task);
        }
        return all();
}

static void silent(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        (void) line;
}

static int run_once(bool virtual_clock) {
        int rc;

        calls = called = 0;
        rc = belay_run_with(
                app, NULL,
                BELAY_OPTIONS(belay_loop_options,
                              .clock = virtual_clock ? BELAY_CLOCK_VIRTUAL : BELAY_CLOCK_MONOTONIC,
                              .shutdown_limit = BELAY_MINUTE));
        CHECK(rc == 0 || rc == -ENOMEM);
        CHECK_EQ(live, 0);
        CHECK_EQ(owned, 0);
        return rc;
}

int main(void) {
        size_t failures = 0, most;

        belay_set_memory(memory, &live);
        belay_set_log(silent, NULL);
        CHECK_EQ(run_once(true), 0);
        most = calls;
        CHECK(most > 50);
        CHECK(called >= 3);
        for (int on = 0; on < 2; on++) {
                fails_on = on;
                for (fails_at = 1;; fails_at++) {
                        int rc = run_once(true);

                        failures += rc != 0;
                        if (calls < fails_at)
                                break;
                        CHECK(fails_at < 10 * most);
                }
                CHECK_EQ(run_once(true), 0);
        }
        printf("%zu calls for memory, %zu failures of the whole\n", most, failures);
        CHECK(failures > 0);
        return 0;
}
