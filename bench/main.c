/* SPDX-License-Identifier: MIT */
/*
 * belay-bench: prints the figures. Each is the median of ROUNDS rounds after a warm-up.
 */
#include <getopt.h>
#include <string.h>

#include "bench.h"

enum { ROUNDS = 5 };
#define ROUND_LASTS 1e8 /* least time of a round in ns */

static bool plain;

static const struct figure *const tables[] = { switch_figures, task_figures, sync_figures,
                                               crowd_figures };

static int by_value(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

static double measure(const struct figure *figure) {
        double values[ROUNDS], begin, took;
        long count = figure->count;

        do {
                begin = clock_ns();
                figure->measure(count);
                took = clock_ns() - begin;
                if (took < ROUND_LASTS)
                        count = (long) ((double) count
                                        * (took < ROUND_LASTS / 50 ? 20 : 1.2 * ROUND_LASTS / took))
                                + 1;
        } while (took < ROUND_LASTS);
        for (int i = 0; i < ROUNDS; i++)
                values[i] = figure->measure(count);
        qsort(values, ROUNDS, sizeof(values[0]), by_value);
        return values[ROUNDS / 2];
}

static void print(const char *name, double value, const char *unit) {
        if (plain)
                printf("%s %.2f %s\n", name, value, unit);
        else
                printf("%-32s %12.1f %s\n", name, value, unit);
        fflush(stdout);
}

static void print_name(const char *name, const char *what) {
        if (plain)
                puts(name);
        else
                printf("%-32s %s\n", name, what);
}

static const struct figure *find(const char *name) {
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
                for (const struct figure *figure = tables[i]; figure->name != NULL; figure++)
                        if (strcmp(figure->name, name) == 0)
                                return figure;
        return NULL;
}

static void list(void) {
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
                for (const struct figure *figure = tables[i]; figure->name != NULL; figure++)
                        print_name(figure->name, figure->what);
        list_sleepers(print_name);
}

static void measure_all(void) {
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
                for (const struct figure *figure = tables[i]; figure->name != NULL; figure++)
                        print(figure->name, measure(figure), figure->unit);
        measure_sleepers(NULL, print);
}

static void help(FILE *to) {
        fputs("usage: belay-bench [--plain] [--list] [NAME...]\n"
              "Prints the named figures, or all.\n"
              "  --plain   prints lines NAME VALUE UNIT\n"
              "  --list    prints the names\n",
              to);
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "plain", no_argument, NULL, 'p' },
                { "list", no_argument, NULL, 'l' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        bool listing = false;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case 'p':
                        plain = true;
                        break;
                case 'l':
                        listing = true;
                        break;
                case 'h':
                        help(stdout);
                        return 0;
                default:
                        help(stderr);
                        return 2;
                }
        if (listing) {
                list();
                return 0;
        }
        if (optind == argc)
                measure_all();
        for (int i = optind; i < argc; i++) {
                const struct figure *figure = find(argv[i]);

                if (figure != NULL) {
                        print(figure->name, measure(figure), figure->unit);
                } else if (!measure_sleepers(argv[i], print)) {
                        fprintf(stderr,
                                "belay-bench: no figure is called '%s'; --list names them\n",
                                argv[i]);
                        return 2;
                }
        }
        return 0;
}
