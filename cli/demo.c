/* SPDX-License-Identifier: MIT */
/*
 * belay demo: runs the programs of the documents one after the other, and shows each line of output
 * with the time at which it arrived.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "common/options.h"
#include "common/output.h"
#include "common/text.h"
#include "demo/find.h"

static volatile sig_atomic_t interrupted;

static void help(void) {
        fputs("usage: belay demo [--list] [NAME...]\n"
              "\n"
              "Runs the programs of the documents, or those named, in real time. The command\n"
              "shows each of their lines when it comes, after the number of seconds since the\n"
              "program began. The last line is `N programs, N failed`. Ctrl-C goes to the\n"
              "program that runs, and the command then starts no more.\n"
              "Exit status: 0; 1 if any failed; 2 for unknown names.\n"
              "\n"
              "  -l, --list   lists the names\n"
              "  -h, --help   this\n"
              "\n"
              "The command takes the programs from $BELAY_EXAMPLES, or from examples/documents\n"
              "beside itself.\n",
              stdout);
}

static void on_interrupt(int signal) {
        (void) signal;
        interrupted = 1;
}

static double seconds(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Prints the name "force-a-task-to-cancel" as "Force a task to cancel". */
static void print_heading(const char *name, bool first) {
        struct text heading = { 0 };

        if (!first)
                putchar('\n');
        for (const char *at = name; *at; at++) {
                char c = *at == '-' || *at == '_' ? ' ' : *at;

                text_add(&heading, "%c", at == name && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
        show(heading.data, heading.length);
        text_free(&heading);
        putchar('\n');
        for (const char *at = name; *at; at++)
                putchar('=');
        putchar('\n');
}

/* Prints whole lines as they arrive. At the end, also prints a last line without a newline. */
static void print_lines(struct text *text, double since, bool end) {
        const char *at = text->data, *stop;
        size_t rest = text->length;

        while (rest > 0 && ((stop = memchr(at, '\n', rest)) || end)) {
                size_t length = stop ? (size_t) (stop - at) : rest;

                printf("%8.3f  ", seconds() - since);
                show(at, length);
                putchar('\n');
                at += length + (stop != NULL);
                rest -= length + (stop != NULL);
        }
        fflush(stdout);
        if (rest > 0)
                memmove(text->data, at, rest);
        text->length = rest;
}

static void stream_output(int fd, double since) {
        struct text text = { 0 };
        char buffer[4096];

        for (;;) {
                ssize_t got = read(fd, buffer, sizeof(buffer));

                if (got < 0 && errno == EINTR)
                        continue;
                if (got > 0)
                        text_add_bytes(&text, buffer, (size_t) got);
                print_lines(&text, since, got <= 0);
                if (got <= 0)
                        break;
        }
        text_free(&text);
}

static _Noreturn void become(const char *path, int output) {
        char *const arguments[] = { (char *) path, NULL };

        signal(SIGINT, SIG_DFL);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execv(path, arguments);
        dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
        _exit(127);
}

/* Runs one program to its end. Returns true if it exited with status 0. */
static bool run_program(const char *directory, const char *name) {
        struct text path = { 0 };
        double since = seconds();
        int ends[2], status = 0;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0) {
                printf("FAILED: pipe: %s\n", strerror(errno));
                return false;
        }
        text_add(&path, "%s/%s", directory, name);
        fflush(NULL);
        pid = fork();
        if (pid == 0)
                become(path.data, ends[1]);
        close(ends[1]);
        text_free(&path);
        if (pid > 0)
                stream_output(ends[0], since);
        else
                printf("FAILED: fork: %s\n", strerror(errno));
        close(ends[0]);
        if (pid < 0)
                return false;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (WIFSIGNALED(status))
                printf("FAILED: signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
                printf("FAILED: exit status %d\n", WEXITSTATUS(status));
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_known(const struct examples *examples, const char *name) {
        for (size_t i = 0; i < examples->count; i++)
                if (strcmp(examples->names[i], name) == 0)
                        return true;
        message("no program '%s'; %s --list lists them", name, message_name);
        return false;
}

static int run_programs(const char *directory, size_t count, char *const names[]) {
        struct sigaction action = { .sa_handler = on_interrupt }, before;
        size_t run, failed = 0;

        sigaction(SIGINT, &action, &before);
        for (run = 0; run < count && !interrupted && !ferror(stdout); run++) {
                print_heading(names[run], run == 0);
                failed += !run_program(directory, names[run]);
        }
        sigaction(SIGINT, &before, NULL);
        printf("\n%zu programs, %zu failed\n", run, failed);
        return failed > 0 || interrupted ? 1 : 0;
}

static int list(const struct examples *examples) {
        for (size_t i = 0; i < examples->count; i++) {
                show(examples->names[i], strlen(examples->names[i]));
                putchar('\n');
        }
        return 0;
}

int command_demo(int argc, char *argv[]) {
        static const struct option options[] = {
                { "list", no_argument, NULL, 'l' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        struct examples examples;
        bool only_list = false, known = true;
        int option, status;

        while ((option = next_option(argc, argv, "lh", options)) != -1)
                switch (option) {
                case 'l':
                        only_list = true;
                        break;
                case 'h':
                        help();
                        return 0;
                default:
                        return 2;
                }
        if (examples_find(&examples) < 0) {
                examples_free(&examples);
                return 2;
        }
        for (int i = optind; i < argc; i++)
                known = is_known(&examples, argv[i]) && known;
        if (!known)
                status = 2;
        else if (only_list)
                status = list(&examples);
        else if (optind < argc)
                status = run_programs(examples.directory, (size_t) (argc - optind), argv + optind);
        else
                status = run_programs(examples.directory, examples.count, examples.names);
        examples_free(&examples);
        return status;
}
