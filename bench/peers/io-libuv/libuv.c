/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libuv, and reads of a file by uv_fs_read(), each started by the callback of the
 * read before it.
 *
 *     io-libuv echo               prints "port N", then echoes until it is killed
 *     io-libuv file PATH BLOCK    prints "ns VALUE cpu VALUE", of a block
 *
 * All reads share one buffer, and uv_try_write() writes from it, which is libuv's shortest path.
 * The server copies only the bytes that are left and passes them to uv_write(). It reads again when
 * they are written.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { BUFFER = 65536 };

struct connection {
        uv_tcp_t tcp; /* first: handles are cast to it */
        uv_write_t write;
        char *rest;
};

static uv_loop_t *loop;
static char buffer[BUFFER];

static void must(long result, const char *what) {
        if (result < 0) {
                fprintf(stderr, "%s: %s\n", what, uv_strerror((int) result));
                exit(1);
        }
}

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *to) {
        (void) handle;
        (void) wanted;
        *to = uv_buf_init(buffer, sizeof(buffer));
}

static void closed(uv_handle_t *handle) {
        struct connection *connection = (struct connection *) handle;

        free(connection->rest);
        free(connection);
}

static void end(struct connection *connection) {
        if (!uv_is_closing((uv_handle_t *) connection))
                uv_close((uv_handle_t *) connection, closed);
}

static void was_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *from);

static void was_written(uv_write_t *write, int status) {
        struct connection *connection = write->data;

        if (status < 0)
                end(connection);
        else
                must(uv_read_start((uv_stream_t *) connection, give_buffer, was_read),
                     "uv_read_start");
}

static void write_later(struct connection *connection, const char *data, size_t size) {
        uv_buf_t rest;

        if (connection->rest == NULL && (connection->rest = malloc(BUFFER)) == NULL) {
                end(connection);
                return;
        }
        memcpy(connection->rest, data, size);
        rest = uv_buf_init(connection->rest, (unsigned) size);
        connection->write.data = connection;
        uv_read_stop((uv_stream_t *) connection);
        must(uv_write(&connection->write, (uv_stream_t *) connection, &rest, 1, was_written),
             "uv_write");
}

static void was_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *from) {
        struct connection *connection = (struct connection *) stream;
        uv_buf_t whole = uv_buf_init(from->base, (unsigned) (size > 0 ? size : 0));
        int written;

        if (size == 0)
                return;
        if (size < 0) {
                end(connection);
                return;
        }
        written = uv_try_write(stream, &whole, 1);
        if (written == UV_EAGAIN)
                written = 0;
        if (written < 0)
                end(connection);
        else if (written < size)
                write_later(connection, from->base + written, (size_t) (size - written));
}

static void came(uv_stream_t *listener, int status) {
        struct connection *connection;

        must(status, "listen");
        connection = calloc(1, sizeof(*connection));
        if (connection == NULL)
                return;
        must(uv_tcp_init(loop, &connection->tcp), "uv_tcp_init");
        if (uv_accept(listener, (uv_stream_t *) connection) < 0) {
                end(connection);
                return;
        }
        must(uv_tcp_nodelay(&connection->tcp, 1), "uv_tcp_nodelay");
        must(uv_read_start((uv_stream_t *) connection, give_buffer, was_read), "uv_read_start");
}

static void serve(void) {
        struct sockaddr_in address;
        int length = sizeof(address);
        uv_tcp_t listener;

        must(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
        must(uv_tcp_init(loop, &listener), "uv_tcp_init");
        must(uv_tcp_bind(&listener, (struct sockaddr *) &address, 0), "uv_tcp_bind");
        must(uv_listen((uv_stream_t *) &listener, 4096, came), "uv_listen");
        must(uv_tcp_getsockname(&listener, (struct sockaddr *) &address, &length),
             "uv_tcp_getsockname");
        printf("port %d\n", ntohs(address.sin_port));
        fflush(stdout);
        uv_run(loop, UV_RUN_DEFAULT);
}

static struct {
        uv_fs_t request;
        uv_file file;
        uv_buf_t to;
        int64_t offset;
        long blocks;
} reading;

static void block_was_read(uv_fs_t *request) {
        ssize_t size = request->result;

        must(size, "uv_fs_read");
        uv_fs_req_cleanup(request);
        if (size == 0)
                return;
        reading.offset += size;
        reading.blocks++;
        must(uv_fs_read(loop, request, reading.file, &reading.to, 1, reading.offset,
                        block_was_read),
             "uv_fs_read");
}

static double clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

static void read_file(const char *path, unsigned block) {
        double begun = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

        reading.file = uv_fs_open(loop, &reading.request, path, O_RDONLY, 0, NULL);
        must(reading.file, path);
        uv_fs_req_cleanup(&reading.request);
        reading.to = uv_buf_init(buffer, block);
        must(uv_fs_read(loop, &reading.request, reading.file, &reading.to, 1, 0, block_was_read),
             "uv_fs_read");
        uv_run(loop, UV_RUN_DEFAULT);
        printf("ns %.1f cpu %.1f\n", (clock_ns(CLOCK_MONOTONIC) - begun) / (double) reading.blocks,
               (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double) reading.blocks);
}

int main(int argc, char **argv) {
        loop = uv_default_loop();
        if (argc == 2 && strcmp(argv[1], "echo") == 0) {
                serve();
        } else if (argc == 4 && strcmp(argv[1], "file") == 0 && atol(argv[3]) > 0
                   && atol(argv[3]) <= BUFFER) {
                read_file(argv[2], (unsigned) atol(argv[3]));
        } else {
                fputs("usage: io-libuv echo | file PATH BLOCK\n", stderr);
                return 2;
        }
        return 0;
}
