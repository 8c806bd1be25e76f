// SPDX-License-Identifier: MIT
//
// Tasks in C++. A task waits inside of catch, destructors run when a task is cancelled, and an
// exception leaves the function of a task. Such an exception ends the program with a message.
#include <exception>
#include <stdexcept>
#include <string>

#include "../base/help.h"

namespace {

int destroyed;

struct counts {
        ~counts() { destroyed++; }
};

// Each task is in a handler of its own while the others throw and catch theirs.
int catches(void *arg) {
        std::string name(static_cast<const char *>(arg)), within = name + " within";

        for (int i = 0; i < 5; i++) {
                try {
                        counts thing;
                        throw std::runtime_error(name);
                } catch (const std::runtime_error &error) {
                        CHECK_EQ(std::uncaught_exceptions(), 0);
                        CHECK_EQ(belay_yield(), 0);
                        CHECK_STR(error.what(), name.c_str());
                        try {
                                throw std::logic_error(within);
                        } catch (const std::exception &inner) {
                                CHECK_EQ(belay_sleep(BELAY_MILLISECOND
                                                     * static_cast<int>(name.size())),
                                         0);
                                CHECK_STR(inner.what(), within.c_str());
                        }
                        CHECK_EQ(belay_yield(), 0);
                        try {
                                throw; // this task's exception, not another task's
                        } catch (const std::exception &again) {
                                CHECK_STR(again.what(), name.c_str());
                        }
                }
        }
        return 0;
}

// Its destructor waits while an exception is being propagated.
struct waits {
        ~waits() {
                CHECK_EQ(std::uncaught_exceptions(), 1);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(std::uncaught_exceptions(), 1);
        }
};

int unwinds(void *) {
        for (int i = 0; i < 5; i++) {
                try {
                        waits thing;
                        throw i;
                } catch (int caught) {
                        CHECK_EQ(caught, i);
                }
                CHECK_EQ(std::uncaught_exceptions(), 0);
        }
        return 0;
}

// An eager task that ends while the task that starts it is in a handler.
int throws_eagerly(void *) {
        CHECK(!std::current_exception());
        try {
                throw 7;
        } catch (int) {
        }
        return 0;
}

int starts_in_handler(void *) {
        try {
                throw std::runtime_error("outer");
        } catch (const std::exception &) {
                belay_spawn_options options = {};
                options.size = sizeof(options);
                options.eager = true;
                belay_release(must(belay_spawn_with(throws_eagerly, nullptr, &options)));
                CHECK(std::current_exception() != nullptr);
                try {
                        throw;
                } catch (const std::exception &again) {
                        CHECK_STR(again.what(), "outer");
                }
        }
        return 0;
}

// A cancelled task unwinds by leaving its function.
int cancelled(void *) {
        counts thing;
        try {
                int rc = belay_sleep(BELAY_HOUR);
                if (rc < 0)
                        throw rc;
        } catch (int rc) {
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                return rc;
        }
        return 0;
}

int app(void *) {
        static char a[] = "a", b[] = "bb", c[] = "ccc";
        belay_task *tasks[] = {
                must(belay_spawn(catches, a)),       must(belay_spawn(catches, b)),
                must(belay_spawn(catches, c)),       must(belay_spawn(unwinds, nullptr)),
                must(belay_spawn(unwinds, nullptr)), must(belay_spawn(starts_in_handler, nullptr)),
        };
        int outcome;

        destroyed = 0;
        for (belay_task *task : tasks) {
                CHECK_EQ(belay_await(task, &outcome), 0);
                CHECK_EQ(outcome, 0);
                belay_release(task);
        }
        CHECK_EQ(destroyed, 15);

        belay_task *task = must(belay_spawn(cancelled, nullptr));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait(task, nullptr, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(destroyed, 16);
        belay_release(task);
        return 0;
}

int leaves(void *) {
        throw std::runtime_error("nobody catches this");
}

int starts_leaves(void *) {
        belay_release(must(belay_spawn(leaves, nullptr)));
        return belay_sleep(BELAY_SECOND);
}

int in_main(void *) {
        return belay_run(leaves, nullptr);
}

int in_task(void *) {
        return belay_run(starts_leaves, nullptr);
}

} // namespace

int main() {
        belay_loop_options options = {};
        struct child child;

        options.size = sizeof(options);
        options.clock = BELAY_CLOCK_VIRTUAL;
        CHECK_EQ(belay_run_with(app, nullptr, &options), 0);
        CHECK_EQ(belay_run(app, nullptr), 0);

        // The program must neither end silently nor unwind into the frames above the function of
        // the task.
        for (belay_fn *fn : { in_main, in_task }) {
                in_child(&child, fn, nullptr);
                CHECK(WIFSIGNALED(child.status));
                CHECK_EQ(WTERMSIG(child.status), SIGABRT);
                CHECK(strstr(child.text, "nobody catches this") != nullptr);
        }
        return 0;
}
