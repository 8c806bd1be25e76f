/* SPDX-License-Identifier: MIT */
/*
 * Save a file whole or not at all, and keep the version before.
 */
#include <belay.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * At any instant `path` is one of the two versions, and `backup` is the one before, if there is
 * one.
 */
static int save(const char *path, const char *backup, const void *data, size_t size) {
        char *old;
        size_t old_size;
        int rc = belay_file_read_all(path, 0, &old, &old_size);

        if (rc == 0) {
                rc = belay_file_write_all(backup, old, old_size, 0600);
                belay_file_free(old);
        } else if (rc == -ENOENT) {
                rc = 0;
        }
        return rc < 0 ? rc : belay_file_write_all(path, data, size, 0600);
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", path[64], backup[64];

static int app(void *arg) {
        struct stat stat;
        size_t size;
        char *data;

        (void) arg;
        check(save(path, backup, "one", 3) == 0);
        check(belay_file_stat(backup, true, &stat) == -ENOENT);
        check(save(path, backup, "second", 6) == 0);
        check(belay_file_stat(path, true, &stat) == 0 && stat.st_size == 6);
        check(belay_file_read_all(backup, 0, &data, &size) == 0);
        check(size == 3);
        check(strcmp(data, "one") == 0);
        belay_file_free(data);

        /* A request before it begins: nothing happened. */
        belay_cancel(belay_self(), "enough");
        check(save(path, backup, "third", 5) == -ECANCELED);
        check(belay_file_stat(path, true, &stat) == 0 && stat.st_size == 6);
        check(belay_uncancel(belay_self()) == 0);

        check(belay_file_rename(backup, path) == 0);
        check(belay_file_stat(path, true, &stat) == 0 && stat.st_size == 3);
        check(belay_file_remove(path) == 0);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(path, sizeof(path), "%s/state", directory);
        snprintf(backup, sizeof(backup), "%s/state.old", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
