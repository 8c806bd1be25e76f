/* SPDX-License-Identifier: MIT */
/*
 * Runs a command in a session of its own and ends all processes that the command leaves; see
 * usage().
 *
 * When the parent of a process ends, the process becomes a child of the nearest subreaper above it.
 * This program is that subreaper, whatever session, group or parent the process had. Therefore all
 * processes that are left are children of this program. If they end, their own children become
 * children of this program, too.
 *
 * It kills only its own children. The kernel cannot give their numbers to other processes before
 * this program has waited for them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum {
        CODE_LEFT = 125,  /* the command succeeded, but left a process */
        CODE_LIMIT = 124, /* as in timeout(1) */
        LISTED = 20,      /* number of processes to name */
        TEXT = 160,       /* size of each name */
};

static const char usage_text[] =
        "usage: keeper [-t SECONDS] [-g SECONDS] [-o FILE] COMMAND [ARGUMENT...]\n"
        "\n"
        "Runs a command in a session of its own. When the command ends, when its time is\n"
        "over, or when SIGINT, SIGTERM or SIGHUP comes, keeper also ends every process\n"
        "that the command started. It names the processes that the command left on\n"
        "standard error.\n"
        "\n"
        "  -t SECONDS   time limit; default: none\n"
        "  -g SECONDS   grace, for the other processes after the command ends, and for the\n"
        "               command after a SIGTERM; default: 5\n"
        "  -o FILE      gets a line `HOW NUMBER LEFT WALL CPU': the kind of end (exit,\n"
        "               signal, limit, stopped), the exit code or the signal's number, the\n"
        "               number of processes left, the milliseconds elapsed, and the\n"
        "               milliseconds of processor time\n"
        "\n"
        "The exit code is the command's; 128 plus the number for a signal; 124 for the\n"
        "limit; 125 if the command's code is 0 or 77 but a process was left; and 127 if\n"
        "the command cannot be run.\n";

static int64_t grace = INT64_C(5000000000);
static pid_t command = -1;
static bool ended; /* the command has ended */
static int status;

/* ---- time ---- */

static int64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t nanoseconds(const char *seconds) {
        return (int64_t) (strtod(seconds, NULL) * 1e9);
}

/* Waits for one of the signals of `set`. Returns 0 when the instant passes. */
static int signal_until(const sigset_t *set, int64_t instant) {
        for (;;) {
                int64_t left = instant - now_ns();
                struct timespec span = { .tv_sec = left / 1000000000,
                                         .tv_nsec = left % 1000000000 };
                int signal;

                if (left < 0)
                        return 0;
                signal = sigtimedwait(set, NULL, &span);
                if (signal > 0)
                        return signal;
                if (errno == EAGAIN)
                        return 0;
        }
}

/* ---- children ---- */

/* Waits for children that have ended. Returns false if no children are left. */
static bool reap(int options) {
        for (;;) {
                int how;
                pid_t pid = waitpid(-1, &how, options);

                if (pid < 0)
                        return errno != ECHILD;
                if (pid == 0)
                        return true;
                if (pid == command) {
                        ended = true;
                        status = how;
                }
                options |= WNOHANG;
        }
}

/* Reads the start of a file below /proc. Returns its size, or 0 if it does not exist. */
static ssize_t read_of(pid_t pid, const char *name, char *text, size_t room) {
        char path[64];
        ssize_t size;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        size = read(fd, text, room);
        close(fd);
        return size > 0 ? size : 0;
}

/*
 * Returns the parent of a process, or -1 if the process is gone. The search begins after the last
 * parenthesis, because the name may contain any character, including parentheses.
 */
static pid_t parent_of(pid_t pid) {
        char text[512], *end;
        int parent;

        text[read_of(pid, "stat", text, sizeof(text) - 1)] = '\0';
        end = strrchr(text, ')');
        return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/* Calls fn for each process with this parent. Returns their number. */
static int each_child(pid_t parent, void (*fn)(pid_t pid, void *arg), void *arg) {
        DIR *directory = opendir("/proc");
        struct dirent *entry;
        int count = 0;

        while (directory && (entry = readdir(directory))) {
                pid_t pid = atoi(entry->d_name);

                if (pid <= 0 || parent_of(pid) != parent)
                        continue;
                fn(pid, arg);
                count++;
        }
        if (directory)
                closedir(directory);
        return count;
}

/* ---- processes that are left ---- */

struct list {
        int count;
        char texts[LISTED][TEXT];
};

/*
 * Writes the command line of a process as one line of text, or its name if it has no command line
 * any more.
 */
static void describe(pid_t pid, char text[static TEXT]) {
        ssize_t size = read_of(pid, "cmdline", text, TEXT - 1);

        if (size == 0)
                size = read_of(pid, "comm", text, TEXT - 1);
        while (size > 0 && (text[size - 1] == '\0' || text[size - 1] == '\n'))
                size--;
        text[size] = '\0';
        for (ssize_t i = 0; i < size; i++)
                if ((unsigned char) text[i] < ' ' || text[i] == 127)
                        text[i] = text[i] == '\0' ? ' ' : '?';
}

/* Adds a process and all of its descendants. */
static void add_to_list(pid_t pid, void *arg) {
        struct list *list = arg;

        if (list->count < LISTED)
                describe(pid, list->texts[list->count]);
        list->count++;
        each_child(pid, add_to_list, list);
}

static void print_list(const struct list *list, const char *what) {
        for (int i = 0; i < list->count && i < LISTED; i++)
                fprintf(stderr, "keeper: %s: %s\n", what, list->texts[i]);
        if (list->count > LISTED)
                fprintf(stderr, "keeper: %s: %d more\n", what, list->count - LISTED);
}

/* ---- killing ---- */

/*
 * Kills the whole group of the process at once, so that none of its members can fork and escape
 * meanwhile.
 */
static void kill_child(pid_t pid, void *arg) {
        pid_t group = getpgid(pid);
        int *killed = arg;

        if (group > 0 && group != getpgrp())
                kill(-group, SIGKILL);
        if (kill(pid, SIGKILL) == 0)
                (*killed)++;
}

/*
 * Kills children until none is left. The children of a killed child become children of this
 * process.
 */
static void kill_all(void) {
        while (reap(WNOHANG)) {
                int killed = 0;

                if (each_child(getpid(), kill_child, &killed) > 0 && killed == 0) {
                        fprintf(stderr, "keeper: what is left cannot be killed: %s\n",
                                strerror(errno));
                        return;
                }
                if (killed > 0 && !reap(0))
                        return;
        }
}

/* ---- the command ---- */

/*
 * Starts the command.
 *
 * It resets all signals, because shells ignore some of them in commands that they run in the
 * background. The kernel kills the command if this process is killed.
 */
static void start(char *arguments[]) {
        pid_t keeper = getpid();
        sigset_t none;

        command = fork();
        if (command != 0)
                return;
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != keeper)
                _exit(127);
        for (int number = 1; number < NSIG; number++)
                signal(number, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(arguments[0], arguments);
        fprintf(stderr, "keeper: %s: %s\n", arguments[0], strerror(errno));
        _exit(127);
}

static void report(const char *path, const char *how, int number, int left, int64_t wall) {
        struct rusage used;
        char line[160];
        int fd, size;

        if (!path)
                return;
        getrusage(RUSAGE_CHILDREN, &used);
        size = snprintf(line, sizeof(line), "%s %d %d %lld %lld\n", how, number, left,
                        (long long) (wall / 1000000),
                        (long long) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000
                                + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || write(fd, line, size) != size)
                fprintf(stderr, "keeper: %s: %s\n", path, strerror(errno));
        if (fd >= 0)
                close(fd);
}

/*
 * Waits until the command has ended. Returns "limit" or "stopped" if the keeper ended it, or NULL
 * if it ended by itself.
 */
static const char *await_command(const sigset_t *set, int64_t deadline) {
        const char *why = NULL;

        while (!ended) {
                int signal = signal_until(set, deadline);
                struct list running = { 0 };

                if (signal == SIGCHLD) {
                        reap(WNOHANG);
                        continue;
                }
                if (why) /* a second signal, or the end of the grace period */
                        break;
                why = signal ? "stopped" : "limit";
                if (!signal) {
                        each_child(getpid(), add_to_list, &running);
                        print_list(&running, "runs when its time is over");
                }
                kill(-command, SIGTERM);
                deadline = now_ns() + grace;
        }
        return why;
}

/* Gives processes that are about to end the time to do so. */
static void await_rest(const sigset_t *set) {
        int64_t deadline = now_ns() + grace;

        while (reap(WNOHANG) && signal_until(set, deadline) == SIGCHLD)
                ;
}

int main(int count, char *arguments[]) {
        const char *path = NULL, *why;
        int64_t started = now_ns(), deadline = INT64_MAX;
        struct list left = { 0 };
        sigset_t set;
        int option, code;

        while ((option = getopt(count, arguments, "+t:g:o:h")) >= 0) {
                if (option == 't')
                        deadline = started + nanoseconds(optarg);
                else if (option == 'g')
                        grace = nanoseconds(optarg);
                else if (option == 'o')
                        path = optarg;
                else
                        return fputs(usage_text, option == 'h' ? stdout : stderr),
                               option == 'h' ? 0 : 2;
        }
        if (optind == count)
                return fputs(usage_text, stderr), 2;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGHUP);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGCHLD, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return perror("keeper: PR_SET_CHILD_SUBREAPER"), 127;
        start(arguments + optind);
        if (command < 0)
                return perror("keeper: fork"), 127;

        why = await_command(&set, deadline);
        if (!why) {
                await_rest(&set);
                each_child(getpid(), add_to_list, &left);
                print_list(&left, "left running");
        }
        kill_all();

        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (why)
                code = strcmp(why, "limit") == 0 ? CODE_LIMIT : 128 + SIGTERM;
        report(path,
               why                 ? why
               : WIFEXITED(status) ? "exit"
                                   : "signal",
               WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), left.count,
               now_ns() - started);
        return left.count > 0 && (code == 0 || code == 77) ? CODE_LEFT : code;
}
