/* SPDX-License-Identifier: MIT */
/*
 * Tests C++ exceptions in contexts. A context may wait inside a catch block and rethrow afterwards,
 * in any order with other contexts. An exception that no frame catches must reach the end of the
 * stack and call std::terminate.
 */
#include <exception>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "../../src/switch/exceptions.h"
#include "../../src/switch/switch.h"
#include "../check.h"

#define SIZE (256 * 1024)

struct task {
        bly_context context;
        bly_exceptions exceptions;
        int number;
        int step;
        bool ended;
        alignas(64) char stack[SIZE];
};

static bly_context main_context;
static bly_exceptions main_exceptions;
static task tasks[3];

static void wait_turn(task *t) {
        t->step++;
        bly_switch(&t->context, &main_context);
}

static void go(task *t) {
        void *globals = bly_exceptions_of_thread();

        CHECK(globals);
        bly_exceptions_swap(globals, &main_exceptions, &t->exceptions);
        bly_switch(&main_context, &t->context);
        bly_exceptions_swap(globals, &t->exceptions, &main_exceptions);
}

struct waits_when_destroyed {
        task *t;

        ~waits_when_destroyed() {
                /*
                 * Unwinding is in progress here. The C++ runtime counts that for each thread, so
                 * the count must move with the context.
                 */
                CHECK(std::uncaught_exceptions() == 1);
                wait_turn(t);
                CHECK(std::uncaught_exceptions() == 1);
        }
};

static void thrower(task *t) {
        waits_when_destroyed waits { t };

        wait_turn(t);
        throw std::runtime_error("of task " + std::to_string(t->number));
}

static void entry(void *arg) {
        task *t = static_cast<task *>(arg);
        std::string expected = "of task " + std::to_string(t->number);

        for (int round = 0; round < 3; round++) {
                try {
                        try {
                                CHECK(std::uncaught_exceptions() == 0);
                                thrower(t);
                        } catch (const std::exception &e) {
                                wait_turn(t);
                                CHECK(e.what() == expected);
                                try {
                                        throw t->number;
                                } catch (int n) {
                                        wait_turn(t);
                                        CHECK(n == t->number);
                                }
                                wait_turn(t);
                                /*
                                 * This must rethrow what this context caught, not the last
                                 * exception of the thread.
                                 */
                                throw;
                        }
                        CHECK(!"not reached");
                } catch (const std::runtime_error &e) {
                        wait_turn(t);
                        CHECK(e.what() == expected);
                }
                CHECK(!std::current_exception());
        }
        t->ended = true;
        for (;;)
                wait_turn(t);
}

static void test_waiting() {
        for (int i = 0; i < 3; i++) {
                tasks[i].number = i;
                bly_context_make(&tasks[i].context, tasks[i].stack, tasks[i].stack + SIZE, entry,
                                 &tasks[i]);
        }
        /* No simple rotation: the contexts stand at different points of their try blocks. */
        for (unsigned i = 0; !tasks[0].ended || !tasks[1].ended || !tasks[2].ended; i++)
                go(&tasks[i * 7 / 3 % 3]);
        CHECK(std::uncaught_exceptions() == 0);

        /* The thread's own catch block takes part, too. */
        try {
                throw 17;
        } catch (int) {
                tasks[0].ended = false;
                tasks[0].exceptions = bly_exceptions();
                bly_context_make(&tasks[0].context, tasks[0].stack, tasks[0].stack + SIZE, entry,
                                 &tasks[0]);
                for (int i = 0; i < 4; i++)
                        go(&tasks[0]);
                try {
                        throw;
                } catch (int n) {
                        CHECK(n == 17);
                }
                while (!tasks[0].ended)
                        go(&tasks[0]);
        }
        CHECK(!std::current_exception());
}

static void seen() {
        static const char text[] = "terminate";
        bool right = false;

        try {
                std::rethrow_exception(std::current_exception());
        } catch (const char *s) {
                right = !std::char_traits<char>::compare(s, "nobody", 7);
        } catch (...) {
        }
        if (right && write(STDOUT_FILENO, text, sizeof(text) - 1) > 0)
                _exit(42);
        _exit(43);
}

static void throws(void *) {
        throw "nobody";
}

static void test_terminate() {
        int out[2], status;
        char text[64] = "";
        pid_t child;

        CHECK(pipe(out) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                dup2(out[1], STDOUT_FILENO);
                std::set_terminate(seen);
                bly_context_make(&tasks[0].context, tasks[0].stack, tasks[0].stack + SIZE, throws,
                                 nullptr);
                bly_switch(&main_context, &tasks[0].context);
                _exit(44);
        }
        close(out[1]);
        CHECK(read(out[0], text, sizeof(text) - 1) >= 0);
        close(out[0]);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        CHECK(text == std::string("terminate"));
}

int main() {
        test_waiting();
        test_terminate();
        return 0;
}
