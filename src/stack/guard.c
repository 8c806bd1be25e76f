/* SPDX-License-Identifier: MIT */
/*
 * Makes guard pages, and finds out whether the kernel can mark them.
 */
#include "guard.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

/* The headers of supported systems may be older than these. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000)
#endif

#define BATCH 64

static int way;
static int no_batches;

size_t bly_page_size(void) {
        static size_t size;
        size_t s = __atomic_load_n(&size, __ATOMIC_RELAXED);

        if (!s) {
                s = (size_t) sysconf(_SC_PAGESIZE);
                __atomic_store_n(&size, s, __ATOMIC_RELAXED);
        }
        return s;
}

static int mark(char *page, size_t size) {
        while (madvise(page, size, MADV_GUARD_INSTALL) < 0) {
                /*
                 * The kernel gives up when it keeps losing a race for the page, and handles signals
                 * before a retry.
                 */
                if (errno != EINTR && errno != EAGAIN)
                        return -errno;
        }
        return 0;
}

/*
 * The return value of madvise() alone proves nothing: emulators are known to ignore advice they do
 * not know with success. A system call that writes to the page shows whether it is a guard.
 */
static enum bly_guard_way detect(void) {
        size_t size = bly_page_size();
        enum bly_guard_way found = BLY_GUARD_PROTECT;
        void *page;

        page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return found;
        if (mark(page, size) == 0 && syscall(SYS_uname, page) < 0 && errno == EFAULT)
                found = BLY_GUARD_MARK;
        munmap(page, size);
        return found;
}

enum bly_guard_way bly_guard_way(void) {
        enum bly_guard_way w = (enum bly_guard_way) __atomic_load_n(&way, __ATOMIC_RELAXED);

        if (w == BLY_GUARD_UNKNOWN) {
                /* Two threads may both detect the way. Their results are the same. */
                w = detect();
                __atomic_store_n(&way, (int) w, __ATOMIC_RELAXED);
        }
        return w;
}

void bly_guard_force(enum bly_guard_way w) {
        __atomic_store_n(&way, (int) w, __ATOMIC_RELAXED);
}

/*
 * Marks up to BATCH pages with one call. Returns the number of marked pages, or 0 if the batched
 * call is not available.
 */
static size_t mark_batch(char *first, size_t stride, size_t count, size_t size) {
        struct iovec pages[BATCH];
        long done;

        if (count < 2 || RUNNING_ON_VALGRIND || __atomic_load_n(&no_batches, __ATOMIC_RELAXED))
                return 0;
        if (count > BATCH)
                count = BATCH;
        for (size_t i = 0; i < count; i++) {
                pages[i].iov_base = first + i * stride;
                pages[i].iov_len = size;
        }
        done = syscall(SYS_process_madvise, PIDFD_SELF, pages, count, MADV_GUARD_INSTALL, 0);
        if (done < 0) {
                if (errno != EINTR && errno != EAGAIN)
                        __atomic_store_n(&no_batches, 1, __ATOMIC_RELAXED);
                return 0;
        }
        return (size_t) done / size;
}

size_t bly_guard_install(char *first, size_t stride, size_t count, int *error) {
        size_t size = bly_page_size();
        bool marks = bly_guard_way() == BLY_GUARD_MARK;
        size_t made = 0;

        while (made < count) {
                char *page = first + made * stride;
                int r = 0;

                if (marks) {
                        size_t n = mark_batch(page, stride, count - made, size);

                        if (n > 0) {
                                made += n;
                                continue;
                        }
                        r = mark(page, size);
                } else if (mprotect(page, size, PROT_NONE) < 0)
                        r = -errno;
                if (r < 0) {
                        *error = r;
                        break;
                }
                made++;
        }
        return made;
}
