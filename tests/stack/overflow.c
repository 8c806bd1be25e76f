/* SPDX-License-Identifier: MIT */
/*
 * Tests a stack overflow: a message must name the owner of the stack, and the process must die by
 * the signal itself. Other faults must keep their effects.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/stack/overflow.h"
#include "../../src/stack/stack.h"
#include "../../src/switch/switch.h"
#include "../check.h"

static struct bly_stack_pool *pool;
static struct bly_context main_context, task_context;
static const char expected[] =
        "belay: task \"deep\" (started at here.c:1) ran off its stack of 64 KiB\n";

static int describe(char *buf, size_t size, const void *address) {
        struct bly_stack stack;

        if (bly_stack_find(pool, address, &stack) != BLY_STACK_GUARD)
                return 0;
        return snprintf(buf, size, "task \"%s\" (started at %s:%d) ran off its stack of %zu KiB",
                        "deep", "here.c", 1, bly_stack_size(&stack) / 1024);
}

static int describe_at_length(char *buf, size_t size, const void *address) {
        (void) address;
        memset(buf, 'x', size);
        return 100000;
}

static __attribute__((noinline)) int dive(int n) {
        volatile char frame[512];

        frame[0] = (char) n;
        if (n < 100000)
                n = dive(n + 1);
        return n + frame[0];
}

static void deep(void *arg) {
        (void) arg;
        dive(0);
        _exit(3);
}

static void overflow(void) {
        struct bly_stack stack;

        pool = bly_stack_pool_create(NULL);
        for (int i = 0; i < 20; i++)
                CHECK(bly_stack_get(pool, 0, &stack) == 0);
        bly_context_make(&task_context, stack.low, stack.top, deep, NULL);
        bly_switch(&main_context, &task_context);
}

static void install(int flags, int handled) {
        static struct bly_overflow_thread thread;

        CHECK(bly_overflow_install(describe, flags) == handled);
        CHECK(bly_overflow_install(describe, flags) == handled);
        CHECK(bly_overflow_thread_begin(&thread) == 0);
}

static void plain(void) {
        install(0, 2);
        overflow();
}

/* A guard that was made before a fork must work in the child, too. */
static struct bly_stack inherited;

static void after_fork(void) {
        install(0, 2);
        bly_context_make(&task_context, inherited.low, inherited.top, deep, NULL);
        bly_switch(&main_context, &task_context);
}

static void plain_by_mprotect(void) {
        bly_guard_force(BLY_GUARD_PROTECT);
        plain();
}

static void *in_thread(void *arg) {
        struct bly_overflow_thread thread;

        (void) arg;
        CHECK(bly_overflow_thread_begin(&thread) == 0);
        overflow();
        return NULL;
}

static void other_thread(void) {
        pthread_t t;

        CHECK(bly_overflow_install(describe, 0) == 2);
        CHECK(pthread_create(&t, NULL, in_thread, NULL) == 0);
        pthread_join(t, NULL);
}

static void lengthy(void) {
        install(0, 2);
        CHECK(bly_overflow_install(describe_at_length, 0) == 2);
        overflow();
}

/* Volatile, because the compiler would otherwise see the fault and compile other code. */
static int *volatile wild = (int *) 8;

static void wild_pointer(void) {
        install(0, 2);
        pool = bly_stack_pool_create(NULL);
        *wild = 1;
}

static void bus_error(void) {
        FILE *f = tmpfile();
        volatile char *p;

        install(0, 2);
        pool = bly_stack_pool_create(NULL);
        CHECK(f);
        p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
        CHECK(p != MAP_FAILED);
        (void) p[0];
}

static void sent(void) {
        install(0, 2);
        pool = bly_stack_pool_create(NULL);
        kill(getpid(), SIGSEGV);
        _exit(4);
}

static void says_own(int sig) {
        (void) sig;
        (void) !write(STDERR_FILENO, "own\n", 4);
        _exit(5);
}

static void own_handler(void) {
        struct sigaction sa = { .sa_handler = says_own, .sa_flags = SA_ONSTACK };

        sigaction(SIGSEGV, &sa, NULL);
}

static void own_stays(void) {
        own_handler();
        install(0, 1);
        overflow();
}

static void own_chained(void) {
        own_handler();
        install(BLY_OVERFLOW_CHAIN, 2);
        overflow();
}

static void own_chained_wild(void) {
        own_handler();
        install(BLY_OVERFLOW_CHAIN, 2);
        wild_pointer();
}

static void ignored(void) {
        signal(SIGSEGV, SIG_IGN);
        signal(SIGBUS, SIG_IGN);
        install(BLY_OVERFLOW_CHAIN, 0);
        kill(getpid(), SIGSEGV);
        _exit(6);
}

static void expect(const char *name, void (*run)(void), int by_signal, int by_exit,
                   const char *text) {
        char got[1024];
        size_t size = 0;
        ssize_t n;
        int err[2], status;
        pid_t child;

        CHECK(pipe(err) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                struct rlimit no_core = { 0, 0 };

                setrlimit(RLIMIT_CORE, &no_core);
                dup2(err[1], STDERR_FILENO);
                close(err[0]);
                close(err[1]);
                run();
                _exit(7);
        }
        close(err[1]);
        while ((n = read(err[0], got + size, sizeof(got) - 1 - size)) > 0)
                size += (size_t) n;
        got[size] = '\0';
        close(err[0]);
        CHECK(waitpid(child, &status, 0) == child);

        /* An emulator may add lines of its own. */
        if (strncmp(got, text, strlen(text)) || (!*text && strstr(got, "belay"))
            || (by_signal ? !WIFSIGNALED(status) || WTERMSIG(status) != by_signal
                          : !WIFEXITED(status) || WEXITSTATUS(status) != by_exit)) {
                fprintf(stderr, "%s: status %#x, said: %s\n", name, (unsigned) status, got);
                exit(1);
        }
}

static void test_thread_stack(void) {
        static char own[64 * 1024];
        struct bly_overflow_thread thread;
        stack_t now, mine = { .ss_sp = own, .ss_size = sizeof(own) };

        CHECK(bly_overflow_thread_begin(&thread) == 0);
        CHECK(sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE));
        bly_overflow_thread_end(&thread);
        CHECK(sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE));

        /*
         * If the thread has a signal stack already, it stays. A signal stack that is set later
         * stays as well.
         */
        CHECK(sigaltstack(&mine, NULL) == 0);
        CHECK(bly_overflow_thread_begin(&thread) == 0);
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == own);
        bly_overflow_thread_end(&thread);
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == own && !(now.ss_flags & SS_DISABLE));
        now.ss_flags = SS_DISABLE;
        CHECK(sigaltstack(&now, NULL) == 0);
        CHECK(bly_overflow_thread_begin(&thread) == 0);
        CHECK(sigaltstack(&mine, NULL) == 0);
        bly_overflow_thread_end(&thread);
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == own);
        now.ss_flags = SS_DISABLE;
        CHECK(sigaltstack(&now, NULL) == 0);
}

int main(void) {
        char long_line[520] = "belay: ";

        expect("plain", plain, SIGSEGV, 0, expected);
        pool = bly_stack_pool_create(NULL);
        CHECK(bly_stack_get(pool, 0, &inherited) == 0);
        expect("after fork", after_fork, SIGSEGV, 0, expected);
        bly_stack_pool_destroy(pool);
        expect("plain by mprotect", plain_by_mprotect, SIGSEGV, 0, expected);
        expect("other thread", other_thread, SIGSEGV, 0, expected);
        memset(long_line + 7, 'x', 503);
        strcpy(long_line + 510, "\n");
        expect("lengthy", lengthy, SIGSEGV, 0, long_line);
        expect("wild pointer", wild_pointer, SIGSEGV, 0, "");
        expect("bus error", bus_error, SIGBUS, 0, "");
        expect("sent", sent, SIGSEGV, 0, "");
        expect("own stays", own_stays, 0, 5, "own\n");
        expect("own chained wild", own_chained_wild, 0, 5, "own\n");
        expect("ignored", ignored, 0, 6, "");
        char both[256];
        snprintf(both, sizeof(both), "%sown\n", expected);
        expect("own chained", own_chained, 0, 5, both);
        test_thread_stack();
        return 0;
}
