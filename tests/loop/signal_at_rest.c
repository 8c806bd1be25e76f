/* SPDX-License-Identifier: MIT */
/*
 * A signal arrives while the program waits in the kernel on the stack of its latest task, which may
 * be the smallest possible. Main is cancelled, and a handler of the program has enough room.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/help.h"

static belay_stream *in, *out;
static volatile sig_atomic_t heard;

static void hear(int signal) {
        volatile char room[6000];

        memset((char *) room, signal, sizeof(room));
        heard = room[5999];
}

static int read_one(void *arg) {
        char byte;

        (void) arg;
        return (int) belay_read(out, &byte, 1);
}

/* 'S' means that the process sleeps in a system call, 'R' that it runs or waits for a processor. */
static char state_of(pid_t pid) {
        char path[64], line[512], *name_end;
        ssize_t size;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        fd = open(path, O_RDONLY);
        size = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
        close(fd);
        if (size <= 0)
                return '?';
        line[size] = '\0';
        name_end = strrchr(line, ')');
        return name_end != NULL ? name_end[2] : '?';
}

/*
 * A child sends SIGALRM as soon as this process sleeps. The byte for the task follows the signal.
 */
static pid_t signal_at_rest(void) {
        pid_t parent = getpid(), child = fork();

        CHECK(child >= 0);
        if (child > 0)
                return child;
        while (state_of(parent) != 'S')
                usleep(1000);
        if (kill(parent, SIGALRM) < 0 || write(belay_stream_fd(in), "x", 1) != 1)
                _exit(1);
        _exit(0);
}

static int main_task(void *arg) {
        size_t *stack_size = arg;
        belay_task *task;
        int rc, status;
        pid_t child;

        CHECK_EQ(belay_stream_pair(&in, &out), 0);
        task = must(belay_spawn_with(
                read_one, NULL, BELAY_OPTIONS(belay_spawn_options, .stack_size = *stack_size)));
        child = signal_at_rest();
        rc = belay_join(task, NULL);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        belay_release(task);
        belay_abort(in);
        belay_abort(out);
        return rc;
}

static void interrupt(int signal) {
        (void) signal;
        raise(SIGINT);
}

int main(void) {
        size_t sizes[] = { 1, 8192, 0 };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                heard = 0;
                signal(SIGALRM, hear);
                CHECK_EQ(belay_run(main_task, &sizes[i]), 0);
                CHECK_EQ(heard, SIGALRM);
        }
        /* By a handler that itself needs little stack. */
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_ONSTACK };

                CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
                CHECK_EQ(belay_run(main_task, &sizes[i]), -EINTR);
        }
        return 0;
}
