/* SPDX-License-Identifier: MIT */
/*
 * Files of more than 4 GiB, even if a long has 32 bits: written, measured, read, truncated and
 * walked.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "place.h"

#define FAR_OUT (5LL * 1024 * 1024 * 1024)

static int is_large(const belay_walk_entry *entry, void *arg) {
        ++*(int *) arg;
        CHECK_EQ(entry->error, 0);
        CHECK_EQ(entry->stat->st_size, FAR_OUT + 4);
        return 0;
}

static int app(void *arg) {
        struct stat stat;
        char text[8] = "";
        int entries = 0;
        int fd = belay_file_open("large", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        (void) arg;
        CHECK(fd >= 0);
        CHECK_EQ(belay_file_write(fd, "far", 4, FAR_OUT), 4);
        CHECK_EQ(belay_file_stat("large", true, &stat), 0);
        CHECK_EQ(stat.st_size, FAR_OUT + 4);
        CHECK_EQ(belay_file_read(fd, text, sizeof(text), FAR_OUT), 4);
        CHECK_STR(text, "far");
        CHECK_EQ(belay_walk(".", is_large, &entries), 0);
        CHECK_EQ(entries, 1);
        CHECK_EQ(belay_file_truncate(fd, FAR_OUT + 1), 0);
        CHECK_EQ(belay_file_stat_fd(fd, &stat), 0);
        CHECK_EQ(stat.st_size, FAR_OUT + 1);
        CHECK_EQ(belay_file_close(fd), 0);
        return 0;
}

int main(void) {
        make_place();
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
