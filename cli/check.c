/* SPDX-License-Identifier: MIT */
/*
 * belay check: plays the scenarios of vectors files, and compares each trace with the recorded one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/compare.h"
#include "check/worker.h"
#include "command.h"
#include "common/options.h"
#include "common/output.h"
#include "common/text.h"
#include "scenario/vectors.h"

struct check {
        const char *only;
        bool quiet;
        unsigned passed, failed;
        bool ended_badly;
};

struct file {
        struct text text;
        struct vectors vectors;
};

static void help(void) {
        fputs("usage: belay check [--quiet] [--verbose] [--only NAME] FILE...\n"
              "\n"
              "Plays every scenario of the vectors files and compares each task's events with\n"
              "the recorded trace. Shows each difference. The last line is\n"
              "`N passed, N failed`. A scenario that crashes the player, or keeps it busy for\n"
              "more than 10 seconds, has failed.\n"
              "Exit status: 0; 1 if any failed; 2 for errors in the files.\n"
              "\n"
              "  -o, --only NAME   plays the scenarios of this name alone\n"
              "  -q, --quiet       prints the last line alone\n"
              "  -v, --verbose     lets the library's log lines through, to standard error\n"
              "  -h, --help        this\n",
              stdout);
}

static bool read_vectors(struct file *file, const char *path) {
        int rc = text_read_file(&file->text, path);

        if (rc < 0) {
                message("%s: %s", path, strerror(-rc));
                return false;
        }
        text_add_bytes(&file->text, "", 0);
        return vectors_parse(&file->vectors, path, file->text.data, file->text.length);
}

static void report(struct check *check, const struct vectors *vectors, const struct vector *vector,
                   const char *what) {
        check->failed++;
        if (!check->quiet)
                show_escaped("FAILED %s (%s:%d)\n%s", vector->name, vectors->path, vector->line,
                             what);
}

static void judge(struct check *check, const struct vectors *vectors, const struct vector *vector,
                  const struct text *trace) {
        struct text difference = { 0 };

        if (compare_traces(vector->trace, vector->trace_length, trace->data, trace->length,
                           &difference))
                check->passed++;
        else
                report(check, vectors, vector, difference.data);
        text_free(&difference);
}

static void check_vectors(struct check *check, const struct vectors *vectors) {
        struct vector **list = calloc(vectors->count, sizeof(*list));
        struct worker worker = { .list = list };
        struct text trace = { 0 }, trouble = { 0 };
        enum played played;

        if (!list)
                out_of_memory();
        for (size_t i = 0; i < vectors->count; i++)
                if (!check->only || strcmp(check->only, vectors->list[i].name) == 0)
                        list[worker.count++] = &vectors->list[i];
        while ((played = worker_next(&worker, &trace, &trouble)) < NO_MORE) {
                const struct vector *vector = list[worker.next - 1];

                if (played == PLAYED) {
                        judge(check, vectors, vector, &trace);
                } else {
                        struct text what = { 0 };

                        text_add(&what, "  %s\n", trouble.data);
                        report(check, vectors, vector, what.data);
                        text_free(&what);
                }
        }
        if (played == ENDED_BADLY) {
                message("%s: %s after the last scenario", vectors->path, trouble.data);
                check->ended_badly = true;
        }
        text_free(&trace);
        text_free(&trouble);
        free(list);
}

static int check_files(struct check *check, int count, char *paths[]) {
        struct file *files = calloc((size_t) count, sizeof(*files));
        bool good = true;

        if (!files)
                out_of_memory();
        /*
         * Reads all files before it plays any, because an error in a file makes the whole check
         * fail.
         */
        for (int i = 0; i < count; i++)
                good = read_vectors(&files[i], paths[i]) && good;
        for (int i = 0; good && i < count; i++)
                check_vectors(check, &files[i].vectors);
        for (int i = 0; i < count; i++) {
                vectors_free(&files[i].vectors);
                text_free(&files[i].text);
        }
        free(files);
        if (good && check->only && check->passed + check->failed == 0) {
                message("no scenario '%s'", check->only);
                good = false;
        }
        if (!good)
                return 2;
        printf("%u passed, %u failed\n", check->passed, check->failed);
        return check->failed > 0 || check->ended_badly ? 1 : 0;
}

int command_check(int argc, char *argv[]) {
        static const struct option options[] = {
                { "only", required_argument, NULL, 'o' },
                { "quiet", no_argument, NULL, 'q' },
                { "verbose", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        struct check check = { 0 };
        bool verbose = false;
        int option;

        while ((option = next_option(argc, argv, "o:qvh", options)) != -1)
                switch (option) {
                case 'o':
                        check.only = optarg;
                        break;
                case 'q':
                        check.quiet = true;
                        break;
                case 'v':
                        verbose = true;
                        break;
                case 'h':
                        help();
                        return 0;
                default:
                        return 2;
                }
        if (optind == argc) {
                message("expected a file; %s --help says more", message_name);
                return 2;
        }
        quiet_library(verbose);
        return check_files(&check, argc - optind, argv + optind);
}
