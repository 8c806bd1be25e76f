/* SPDX-License-Identifier: MIT */
/*
 * The command `belay`: a table of subcommands.
 */
#include <stdio.h>
#include <string.h>

#include <belay.h>

#include "command.h"
#include "common/options.h"
#include "common/output.h"

static const struct command {
        const char *name;
        const char *what;
        int (*run)(int argc, char *argv[]);
} commands[] = {
        { "demo", "run the programs of the documents and show what happens", command_demo },
        { "play", "play a scenario on a virtual clock and print its trace", command_play },
        { "check", "play scenarios and compare them with their recorded traces", command_check },
        { NULL, NULL, NULL },
};

static void drop_line(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        (void) line;
}

/*
 * Prints a log line like the library does, but escaped, because the library quotes names of tasks
 * unchanged.
 */
static void print_line(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        message("%s", line);
}

void quiet_library(bool verbose) {
        belay_set_log(verbose ? print_line : drop_line, NULL);
}

static void help(FILE *file) {
        fputs("usage: belay SUBCOMMAND [ARGUMENT...]\n"
              "\n"
              "Cancellable tasks for C: shows them at work and checks them.\n"
              "\n",
              file);
        for (const struct command *each = commands; each->name; each++)
                fprintf(file, "  %-8s %s\n", each->name, each->what);
        fputs("\n"
              "  -h, --help      this; belay SUBCOMMAND --help says more\n"
              "  -V, --version   the version\n",
              file);
}

static int run(const struct command *command, int argc, char *argv[]) {
        static char name[64];

        snprintf(name, sizeof(name), "belay %s", command->name);
        message_name = name;
        /* Each subcommand reads its own options from the beginning. */
        optind = 0;
        return command->run(argc, argv);
}

static int choose(int argc, char *argv[]) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = next_option(argc, argv, "+hV", options)) != -1)
                switch (option) {
                case 'h':
                        help(stdout);
                        return 0;
                case 'V':
                        printf("belay %d.%d.%d\n", BELAY_VERSION_MAJOR, BELAY_VERSION_MINOR,
                               BELAY_VERSION_PATCH);
                        return 0;
                default:
                        return 2;
                }
        if (optind >= argc) {
                help(stderr);
                return 2;
        }
        for (const struct command *each = commands; each->name; each++)
                if (strcmp(each->name, argv[optind]) == 0)
                        return run(each, argc - optind, argv + optind);
        message("unknown subcommand '%s'; belay --help lists them", argv[optind]);
        return 2;
}

int main(int argc, char *argv[]) {
        int status;

        open_output();
        status = choose(argc, argv);
        return close_output() ? status : 2;
}
