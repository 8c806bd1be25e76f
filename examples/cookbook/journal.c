/* SPDX-License-Identifier: MIT */
/*
 * Append a record to a file, whole or not at all.
 */
#include <belay.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/* When it returns 0, the record is on the disk. Otherwise the file ends where it ended before. */
static int append(int fd, const void *record, size_t size) {
        struct stat stat;
        belay_shield_scope region;
        ssize_t written;
        int rc = belay_file_stat_fd(fd, &stat), undone = 0;

        if (rc < 0)
                return rc;
        written = belay_file_write(fd, record, size, stat.st_size);
        if (written == (ssize_t) size)
                rc = belay_file_sync(fd, true);
        else if (written < 0)
                rc = (int) written;
        else if ((rc = belay_yield()) == 0)
                rc = -ENOSPC; /* short, and no request was why */
        if (rc < 0) {
                /*
                 * A request that was delivered does not disturb this. The region holds back another
                 * one.
                 */
                belay_shield_enter(&region, BELAY_NEVER);
                undone = belay_file_truncate(fd, stat.st_size);
                undone = belay_shield_leave(&region, undone);
        }
        return undone < 0 ? undone : rc;
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", path[64];

static int app(void *arg) {
        struct stat stat;
        char record[8] = "";
        int fd = belay_file_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        (void) arg;
        check(fd >= 0);
        check(append(fd, "record 1", 8) == 0 && append(fd, "record 2", 8) == 0);
        /* Wherever the request meets it: the file has whole records. */
        belay_cancel(belay_self(), "enough");
        check(append(fd, "record 3", 8) == -ECANCELED);
        check(belay_uncancel(belay_self()) == 0);
        check(belay_file_stat_fd(fd, &stat) == 0 && stat.st_size == 16);
        check(append(fd, "record 4", 8) == 0);
        check(belay_file_read(fd, record, 8, 16) == 8 && memcmp(record, "record 4", 8) == 0);
        check(belay_file_close(fd) == 0);
        return belay_file_remove(path);
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(path, sizeof(path), "%s/journal", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
