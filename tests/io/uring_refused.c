/* SPDX-License-Identifier: MIT */
/*
 * If the system does not allow io_uring, as in many containers, the loop uses epoll and logs one
 * line with the reason.
 */
#define _GNU_SOURCE
#include "ring.h"

#ifdef BLY_HAVE_URING
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * Makes the system call `number` fail with `error` from here on. Returns false if the system cannot
 * do that.
 */
static bool forbid(int number, int error) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) number, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = 4, .filter = filter };

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
               && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int app(void *arg) {
        int fds[2];

        (void) arg;
        CHECK_STR(belay_loop_backend(NULL), "epoll");
        make_pair(fds);
        say(fds[1], "x");
        CHECK_EQ(belay_wait_fd(fds[0], BELAY_READABLE), BELAY_READABLE);
        close_pair(fds);
        return 0;
}

struct refusal {
        int call, error;
        const char *reason;
};

static int refused(void *arg) {
        const struct refusal *refusal = arg;
        int before = count_open();

        if (!forbid(refusal->call, refusal->error))
                return 77;
        keep_lines();
        CHECK_EQ(belay_run_with(app, NULL, RING), 0);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, "io_uring cannot be used here");
        CHECK_LINES(1, refusal->reason);
        CHECK_EQ(kept_lines[0].level, BELAY_LOG_WARNING);
        CHECK_EQ(count_open(), before);
        /* The same if the environment variable requests io_uring. */
        keep_lines();
        setenv("BELAY_BACKEND", "io_uring", 1);
        CHECK_EQ(belay_run(app, NULL), 0);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, refusal->reason);
        return 0;
}

int main(void) {
        static const struct refusal refusals[] = {
                { SYS_io_uring_setup, EPERM, "Operation not permitted" },
                { SYS_io_uring_setup, ENOSYS, "Function not implemented" },
                { SYS_io_uring_setup, ENOMEM, "Cannot allocate memory" },
                { SYS_io_uring_setup, EINVAL, "Invalid argument" },
                { SYS_io_uring_register, EPERM, "Operation not permitted" },
                { SYS_io_uring_enter, EACCES, "Permission denied" },
        };
        struct child child;

        for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
                in_child(&child, refused, (void *) &refusals[i]);
                if (WIFEXITED(child.status) && WEXITSTATUS(child.status) == 77)
                        SKIP("no filters of system calls here");
                CHECK_CHILD(&child, 0);
        }
        return 0;
}

#endif
