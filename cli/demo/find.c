/* SPDX-License-Identifier: MIT */
/*
 * Finds the programs of the documents.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/output.h"
#include "../common/text.h"
#include "find.h"

/* Paths relative to the directory of the executable: in a build, and in an installation. */
static const char *const places[] = { "examples/documents", "../libexec/belay/documents" };

static bool is_program(const char *directory, const char *name) {
        struct text path = { 0 };
        struct stat status;
        bool good;

        /* Skips files with a dot in the name, such as object files and dependency lists. */
        if (strchr(name, '.'))
                return false;
        text_add(&path, "%s/%s", directory, name);
        good = stat(path.data, &status) == 0 && S_ISREG(status.st_mode)
               && access(path.data, X_OK) == 0;
        text_free(&path);
        return good;
}

static void add_name(struct examples *examples, const char *name) {
        char **names = realloc(examples->names, (examples->count + 1) * sizeof(*names));

        if (!names)
                out_of_memory();
        examples->names = names;
        names[examples->count] = strdup(name);
        if (!names[examples->count++])
                out_of_memory();
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Finds the programs in a directory. Returns false if there are none. */
static bool look_in(struct examples *examples, const char *directory) {
        DIR *dir = opendir(directory);
        const struct dirent *entry;

        if (!dir)
                return false;
        while ((entry = readdir(dir)))
                if (is_program(directory, entry->d_name))
                        add_name(examples, entry->d_name);
        closedir(dir);
        if (examples->count == 0)
                return false;
        qsort(examples->names, examples->count, sizeof(*examples->names), compare_names);
        examples->directory = strdup(directory);
        if (!examples->directory)
                out_of_memory();
        return true;
}

/*
 * Adds the directory of this executable, with its slash. Adds nothing if the directory cannot be
 * determined.
 */
static void beside_executable(struct text *path) {
        char executable[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", executable, sizeof(executable) - 1);
        char *slash;

        if (length <= 0)
                return;
        executable[length] = '\0';
        slash = strrchr(executable, '/');
        if (slash)
                text_add(path, "%.*s/", (int) (slash - executable), executable);
}

int examples_find(struct examples *examples) {
        const char *chosen = getenv("BELAY_EXAMPLES");
        struct text beside = { 0 };
        bool found = false;

        *examples = (struct examples) { 0 };
        if (chosen && *chosen) {
                if (look_in(examples, chosen))
                        return 0;
                message("no programs in $BELAY_EXAMPLES (%s)", chosen);
                return -1;
        }
        beside_executable(&beside);
        for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
                struct text directory = { 0 };

                text_add(&directory, "%s%s", beside.data ? beside.data : "", places[i]);
                found = look_in(examples, directory.data);
                text_free(&directory);
        }
        if (!found)
                message("no programs in %s or %s beside this executable; "
                        "$BELAY_EXAMPLES may name another directory",
                        places[0], places[1]);
        text_free(&beside);
        return found ? 0 : -1;
}

void examples_free(struct examples *examples) {
        for (size_t i = 0; i < examples->count; i++)
                free(examples->names[i]);
        free(examples->names);
        free(examples->directory);
        *examples = (struct examples) { 0 };
}
