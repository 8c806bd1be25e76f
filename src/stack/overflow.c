/* SPDX-License-Identifier: MIT */
/*
 * The handler for faults on guard pages. It makes no decision of its own. The owner of the tasks
 * finds the task that overflowed, and the previous action decides what happens to the process.
 */
#include "overflow.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"

/* Some C libraries' headers lack these. */
#ifndef BUS_MCEERR_AO
#define BUS_MCEERR_AO 5
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/*
 * Stack for the handler and the functions that it calls, in addition to the frame that the kernel
 * writes.
 */
#define HANDLER_STACK ((size_t) 32 * 1024)

static const int signals[] = { SIGSEGV, SIGBUS };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous[SIGNALS];
static bly_overflow_describe describer;

static void write_all(const char *text, size_t size) {
        while (size > 0) {
                ssize_t n = write(STDERR_FILENO, text, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return;
                text += n;
                size -= (size_t) n;
        }
}

/*
 * Writes the message if the fault is an overflow, and returns 1 if it is. The message is one write,
 * so that lines of several threads do not mix.
 */
static int report(const void *address) {
        static const char prefix[] = "belay: ";
        const size_t start = sizeof(prefix) - 1;
        bly_overflow_describe describe = __atomic_load_n(&describer, __ATOMIC_ACQUIRE);
        char line[512];
        size_t room = sizeof(line) - start - 1;
        int n;

        if (!describe)
                return 0;
        n = describe(line + start, room, address);
        if (n <= 0)
                return 0;
        if ((size_t) n > room - 1)
                n = (int) room - 1;
        memcpy(line, prefix, start);
        line[start + (size_t) n] = '\n';
        write_all(line, start + (size_t) n + 1);
        return 1;
}

static void handle(int sig, siginfo_t *info, void *context) {
        const struct sigaction *before = &previous[sig == SIGSEGV ? 0 : 1];
        int saved_errno = errno;
        /*
         * Only reports of the kernel itself carry an address. Signals that a process sends, as with
         * kill(), do not.
         */
        int hit = info->si_code > 0 && report(info->si_addr);

        if (hit || before->sa_handler == SIG_DFL) {
                sigaction(sig, before, NULL);
                /*
                 * Neither a signal that a process sent, nor a report of broken memory that no
                 * access has touched yet, happens again by itself. raise() repeats it; the signal
                 * stays blocked until this handler returns.
                 */
                if (info->si_code <= 0 || (sig == SIGBUS && info->si_code == BUS_MCEERR_AO))
                        raise(sig);
        } else if (before->sa_flags & SA_SIGINFO)
                before->sa_sigaction(sig, info, context);
        else
                before->sa_handler(sig);
        errno = saved_errno;
}

static int install_one(size_t i, int flags) {
        struct sigaction ours, before;

        if (sigaction(signals[i], NULL, &before) < 0)
                return -errno;
        if (before.sa_handler == SIG_IGN)
                return 0;
        if (before.sa_handler != SIG_DFL && !(flags & BLY_OVERFLOW_CHAIN))
                return 0;

        /* Stored before the handler is installed, because another thread may fault at once. */
        previous[i] = before;
        memset(&ours, 0, sizeof(ours));
        ours.sa_sigaction = handle;
        ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
        ours.sa_mask = before.sa_mask;
        if (sigaction(signals[i], &ours, NULL) < 0)
                return -errno;
        return 1;
}

int bly_overflow_install(bly_overflow_describe describe, int flags) {
        static int installed = -1;
        int r;

        __atomic_store_n(&describer, describe, __ATOMIC_RELEASE);
        pthread_mutex_lock(&lock);
        /*
         * sigaction() fails for all valid signals or for none, so no partial installation needs to
         * be undone.
         */
        if (installed < 0) {
                r = 0;
                for (size_t i = 0; i < SIGNALS && r >= 0; i++) {
                        int one = install_one(i, flags);

                        r = one < 0 ? one : r + one;
                }
                if (r >= 0)
                        installed = r;
        } else
                r = installed;
        pthread_mutex_unlock(&lock);
        return r;
}

int bly_overflow_thread_begin(struct bly_overflow_thread *thread) {
        size_t page = bly_page_size();
        size_t frame = (size_t) getauxval(AT_MINSIGSTKSZ);
        stack_t stack;
        char *memory;
        size_t size;
        int error;

        memset(thread, 0, sizeof(*thread));
        if (sigaltstack(NULL, &stack) < 0)
                return -errno;
        if (!(stack.ss_flags & SS_DISABLE))
                return 0;

        /* The size of the kernel's frame depends on the vector registers of the machine. */
        size = (HANDLER_STACK + frame + page - 1) & ~(page - 1);
        memory = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED)
                return -errno;
        memset(&stack, 0, sizeof(stack));
        stack.ss_sp = memory + page;
        stack.ss_size = size;
        if (mprotect(memory, page, PROT_NONE) < 0 || sigaltstack(&stack, NULL) < 0) {
                error = -errno;
                munmap(memory, size + page);
                return error;
        }
        thread->memory = memory;
        thread->size = size + page;
        return 0;
}

void bly_overflow_thread_end(struct bly_overflow_thread *thread) {
        stack_t stack;

        if (!thread->memory)
                return;
        /* The program may have installed another signal stack. If so, that one stays. */
        if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE)
            && (char *) stack.ss_sp >= (char *) thread->memory
            && (char *) stack.ss_sp < (char *) thread->memory + thread->size) {
                memset(&stack, 0, sizeof(stack));
                stack.ss_flags = SS_DISABLE;
                sigaltstack(&stack, NULL);
        }
        munmap(thread->memory, thread->size);
        memset(thread, 0, sizeof(*thread));
}
