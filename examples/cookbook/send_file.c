/* SPDX-License-Identifier: MIT */
/*
 * Send a file over a connection.
 */
#include <belay.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

static int send_file(belay_stream *client, const char *path) {
        struct stat stat;
        int64_t sent = 0;
        int fd = belay_file_open(path, O_RDONLY, 0), rc;

        if (fd < 0)
                return fd;
        rc = belay_file_stat_fd(fd, &stat);
        if (rc == 0)
                rc = (int) belay_print(client, "size %lld\n", (long long) stat.st_size);
        if (rc > 0) {
                sent = belay_send_file(client, fd, 0, stat.st_size);
                /* Fewer bytes: the file became shorter, or the task was cancelled midway. */
                rc = sent < 0 ? (int) sent : sent < stat.st_size ? -EIO : 0;
        }
        belay_file_close(fd);
        return rc;
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", path[64];

static int send_it(void *client) {
        int rc = send_file(client, path);

        return rc < 0 ? rc : belay_half_close(client);
}

static int app(void *arg) {
        static char contents[100000], arrived[100001];
        belay_stream *ends[2];
        belay_task *task;
        char line[32];
        int outcome;

        (void) arg;
        memset(contents, 'x', sizeof(contents));
        check(belay_file_write_all(path, contents, sizeof(contents), 0600) == 0);
        check(belay_stream_pair(&ends[0], &ends[1]) == 0);
        task = belay_spawn(send_it, ends[0]);
        check(belay_read_line(ends[1], line, sizeof(line)) > 0);
        check(strcmp(line, "size 100000\n") == 0);
        check(belay_read_exactly(ends[1], arrived, sizeof(arrived)) == sizeof(contents));
        check(memcmp(arrived, contents, sizeof(contents)) == 0);
        check(belay_join(task, &outcome) == 0 && outcome == 0);
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        check(belay_file_remove(path) == 0);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(path, sizeof(path), "%s/file", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
