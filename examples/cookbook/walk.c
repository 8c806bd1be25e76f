/* SPDX-License-Identifier: MIT */
/*
 * Go through a directory and all that is below it.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

struct search {
        const char *text;
        unsigned files; /* that have it */
};

static int look(const belay_walk_entry *entry, void *arg) {
        struct search *search = arg;
        char *data;
        int rc;

        if (entry->error < 0)
                fprintf(stderr, "%s: %s\n", entry->path, strerror(-entry->error));
        if (S_ISDIR(entry->stat->st_mode) && strcmp(entry->name, ".git") == 0)
                return BELAY_WALK_PASS;
        if (!S_ISREG(entry->stat->st_mode))
                return 0;
        rc = belay_file_read_all(entry->path, 1 << 20, &data, NULL);
        if (rc == -EFBIG || rc == -EACCES || rc == -ENOENT)
                return 0;
        if (rc < 0)
                return rc;
        search->files += strstr(data, search->text) != NULL;
        belay_file_free(data);
        return 0;
}

static int files_with(const char *root, const char *text) {
        struct search search = { .text = text };
        int rc = belay_walk(root, look, &search);

        return rc < 0 ? rc : (int) search.files;
}

/* ---- the check ---- */

static char root[] = "/tmp/belay-cookbook-XXXXXX";

static int app(void *arg) {
        static const char *names[] = { "", "/sub", "/.git", "/sub/deep" };
        char path[64];

        (void) arg;
        for (int i = 0; i < 4; i++) {
                snprintf(path, sizeof(path), "%s%s", root, names[i]);
                if (i > 0)
                        check(belay_file_make_directory(path, 0700) == 0);
                snprintf(path, sizeof(path), "%s%s/file", root, names[i]);
                check(belay_file_write_all(path, i == 1 ? "no" : "needle", i == 1 ? 2 : 6, 0600)
                      == 0);
        }
        check(files_with(root, "needle") == 2);
        for (int i = 3; i >= 0; i--) {
                snprintf(path, sizeof(path), "%s%s/file", root, names[i]);
                check(belay_file_remove(path) == 0);
                snprintf(path, sizeof(path), "%s%s", root, names[i]);
                check(belay_file_remove(path) == 0);
        }
        check(files_with(root, "needle") == -ENOENT);
        return 0;
}

int main(void) {
        check(mkdtemp(root) != NULL);
        check(belay_run(app, NULL) == 0);
        return 0;
}
