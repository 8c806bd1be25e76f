/* SPDX-License-Identifier: MIT */
/*
 * belay play: prints a scenario's trace. A scenario in a vectors file is chosen by its name.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/options.h"
#include "common/output.h"
#include "common/text.h"
#include "player/play.h"
#include "scenario/vectors.h"

static void help(void) {
        fputs("usage: belay play [--verbose] [--only NAME] FILE\n"
              "\n"
              "Plays the scenario in FILE (`-`: standard input) on a virtual clock and prints\n"
              "its trace, one line for each event: TIME TASK EVENT.\n"
              "Exit status: 0; 1 if it cannot be played to its end; 2 for errors in the file.\n"
              "\n"
              "  -o, --only NAME   plays the scenario NAME of a vectors file\n"
              "  -v, --verbose     lets the library's log lines through, to standard error\n"
              "  -h, --help        this\n",
              stdout);
}

static int play(const struct scenario *scenario) {
        struct text trace = { 0 }, trouble = { 0 };
        bool good;

        if (!scenario)
                return 2;
        good = play_scenario(scenario, &trace, &trouble);
        if (trace.data)
                show(trace.data, trace.length);
        if (!good)
                message_line(trouble.data);
        text_free(&trace);
        text_free(&trouble);
        return good ? 0 : 1;
}

static int play_one_of(const char *path, const struct text *text, const char *name) {
        struct vectors vectors;
        int status = 2;
        size_t i;

        if (vectors_parse(&vectors, path, text->data, text->length)) {
                for (i = 0; i < vectors.count && strcmp(vectors.list[i].name, name) != 0; i++)
                        ;
                if (i < vectors.count)
                        status = play(vectors.list[i].scenario);
                else
                        message("%s: no scenario '%s'", path, name);
        }
        vectors_free(&vectors);
        return status;
}

int command_play(int argc, char *argv[]) {
        static const struct option options[] = {
                { "only", required_argument, NULL, 'o' },
                { "verbose", no_argument, NULL, 'v' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        struct scenario *scenario;
        const char *only = NULL;
        struct text text = { 0 };
        bool verbose = false;
        int option, rc, status;

        while ((option = next_option(argc, argv, "o:vh", options)) != -1)
                switch (option) {
                case 'o':
                        only = optarg;
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
        if (argc - optind != 1) {
                message("expected one file, found %d; %s --help says more", argc - optind,
                        message_name);
                return 2;
        }
        rc = text_read_file(&text, argv[optind]);
        if (rc < 0) {
                message("%s: %s", argv[optind], strerror(-rc));
                return 2;
        }
        text_add_bytes(&text, "", 0);
        quiet_library(verbose);
        if (only) {
                status = play_one_of(argv[optind], &text, only);
        } else {
                scenario = scenario_parse(argv[optind], text.data, text.length, 1);
                status = play(scenario);
                scenario_free(scenario);
        }
        text_free(&text);
        return status;
}
