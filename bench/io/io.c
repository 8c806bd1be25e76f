/* SPDX-License-Identifier: MIT */
/*
 * belay-io: the echo server and the reading of a file, as a program writes them with belay.
 *
 *     belay-io echo               prints "port N BACKEND", then echoes by belay_copy() until it is
 *                                 interrupted
 *     belay-io loop               the same, but reads and writes in a loop, as servers of most
 *                                 protocols do
 *     belay-io file PATH BLOCK    prints "ns VALUE cpu VALUE" for one block
 */
#include <belay.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUFFER = 65536 };

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

static int read_and_write(belay_stream *stream, void *arg) {
        char *buffer = malloc(BUFFER);
        ssize_t size;

        (void) arg;
        if (buffer == NULL)
                return -ENOMEM;
        while ((size = belay_read(stream, buffer, BUFFER)) > 0)
                if (belay_write(stream, buffer, (size_t) size) < size)
                        break;
        free(buffer);
        return size < 0 ? (int) size : 0;
}

static int serve(void *arg) {
        belay_listener *listener;
        int rc = belay_listen(&listener, "127.0.0.1:0", NULL);

        if (rc < 0)
                return rc;
        printf("port %s %s\n", strrchr(belay_listener_endpoint(listener), ':') + 1,
               belay_loop_backend(NULL));
        fflush(stdout);
        rc = belay_serve(listener, strcmp(arg, "loop") == 0 ? read_and_write : echo, NULL, NULL);
        belay_listener_close(listener);
        return rc;
}

static double clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

static int read_file(void *arg) {
        static char buffer[BUFFER];
        char **words = arg;
        size_t block = (size_t) atol(words[1]);
        double begun = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        int64_t offset = 0;
        ssize_t size;
        long blocks = 0;
        int fd = belay_file_open(words[0], O_RDONLY, 0);

        if (fd < 0)
                return fd;
        while ((size = belay_file_read(fd, buffer, block, offset)) > 0) {
                offset += size;
                blocks++;
        }
        printf("ns %.1f cpu %.1f\n", (clock_ns(CLOCK_MONOTONIC) - begun) / (double) blocks,
               (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double) blocks);
        belay_file_close(fd);
        return (int) size;
}

int main(int argc, char **argv) {
        int rc;

        if (argc == 2 && (strcmp(argv[1], "echo") == 0 || strcmp(argv[1], "loop") == 0)) {
                rc = belay_run(serve, argv[1]);
        } else if (argc == 4 && strcmp(argv[1], "file") == 0 && atol(argv[3]) > 0
                   && atol(argv[3]) <= BUFFER) {
                rc = belay_run(read_file, argv + 2);
        } else {
                fputs("usage: belay-io echo | loop | file PATH BLOCK\n", stderr);
                return 2;
        }
        if (rc < 0 && rc != -EINTR)
                fprintf(stderr, "belay-io: %s\n", strerror(-rc));
        return rc < 0;
}
