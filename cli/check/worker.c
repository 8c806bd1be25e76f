/* SPDX-License-Identifier: MIT */
/*
 * The process that plays scenarios in order, and writes the result of each to a pipe.
 *
 * If the process dies, or is silent for PATIENCE seconds, the scenario whose result is missing is
 * to blame. Another process then begins with the scenario after it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../player/play.h"
#include "worker.h"

enum {
        PATIENCE = 10, /* seconds */
};

struct answer {
        size_t trace, trouble; /* lengths of the two texts that follow */
};

static bool write_all(int fd, const void *data, size_t length) {
        const char *at = data;

        while (length > 0) {
                ssize_t written = write(fd, at, length);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return false;
                at += written;
                length -= (size_t) written;
        }
        return true;
}

static void play_all(const struct worker *worker, int fd) {
        for (size_t i = worker->next; i < worker->count; i++) {
                struct text trace = { 0 }, trouble = { 0 };
                struct answer answer;
                bool told;

                play_scenario(worker->list[i]->scenario, &trace, &trouble);
                answer = (struct answer) { trace.length, trouble.length };
                told = write_all(fd, &answer, sizeof(answer))
                       && write_all(fd, trace.data, trace.length)
                       && write_all(fd, trouble.data, trouble.length);
                text_free(&trace);
                text_free(&trouble);
                if (!told)
                        exit(1);
        }
}

static bool start_worker(struct worker *worker, struct text *trouble) {
        int ends[2];
        pid_t pid;

        if (pipe(ends) < 0) {
                text_add(trouble, "pipe: %s", strerror(errno));
                return false;
        }
        fflush(NULL);
        pid = fork();
        if (pid < 0) {
                text_add(trouble, "fork: %s", strerror(errno));
                close(ends[0]);
                close(ends[1]);
                return false;
        }
        if (pid == 0) {
                close(ends[0]);
                play_all(worker, ends[1]);
                /* exit() and not _exit(), because a sanitizer checks for leaks at the exit. */
                exit(0);
        }
        close(ends[1]);
        worker->fd = ends[0];
        worker->pid = pid;
        return true;
}

/*
 * Waits for the process. Returns true if it exited with status 0, and else adds to `trouble` how it
 * ended.
 */
static bool stop_worker(struct worker *worker, struct text *trouble) {
        int status = 0;

        close(worker->fd);
        while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
                ;
        worker->pid = 0;
        if (WIFSIGNALED(status))
                text_add(trouble, "the player died of signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
                text_add(trouble, "the player ended with status %d", WEXITSTATUS(status));
        else
                return true;
        return false;
}

/*
 * Returns 1 if it read all bytes, 0 if the pipe ended, and -1 if nothing came for PATIENCE seconds.
 */
static int read_all(int fd, void *data, size_t length) {
        char *at = data;

        while (length > 0) {
                struct pollfd wait = { .fd = fd, .events = POLLIN };
                int ready = poll(&wait, 1, PATIENCE * 1000);
                ssize_t got;

                if (ready == 0)
                        return -1;
                got = ready < 0 ? -1 : read(fd, at, length);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return 0;
                at += got;
                length -= (size_t) got;
        }
        return 1;
}

static int read_text(int fd, struct text *text, size_t length) {
        char buffer[4096];

        while (length > 0) {
                size_t part = length < sizeof(buffer) ? length : sizeof(buffer);
                int rc = read_all(fd, buffer, part);

                if (rc <= 0)
                        return rc;
                text_add_bytes(text, buffer, part);
                length -= part;
        }
        return 1;
}

static int read_answer(struct worker *worker, struct text *trace, struct text *trouble) {
        struct answer answer;
        int rc = read_all(worker->fd, &answer, sizeof(answer));

        if (rc > 0)
                rc = read_text(worker->fd, trace, answer.trace);
        if (rc > 0)
                rc = read_text(worker->fd, trouble, answer.trouble);
        return rc;
}

enum played worker_next(struct worker *worker, struct text *trace, struct text *trouble) {
        int rc;

        text_free(trace);
        text_free(trouble);
        if (worker->next == worker->count) {
                if (worker->pid == 0)
                        return NO_MORE;
                return stop_worker(worker, trouble) ? NO_MORE : ENDED_BADLY;
        }
        if (worker->pid == 0 && !start_worker(worker, trouble)) {
                worker->next++;
                return NOT_PLAYED;
        }
        rc = read_answer(worker, trace, trouble);
        worker->next++;
        if (rc > 0)
                return trouble->length > 0 ? NOT_PLAYED : PLAYED;
        text_free(trouble);
        if (rc < 0) {
                struct text ignored = { 0 };

                kill(worker->pid, SIGKILL);
                stop_worker(worker, &ignored);
                text_free(&ignored);
                text_add(trouble, "it did not end within %d seconds", PATIENCE);
        } else if (stop_worker(worker, trouble)) {
                text_add(trouble, "the player ended before its time");
        }
        return NOT_PLAYED;
}
