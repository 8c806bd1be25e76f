/* SPDX-License-Identifier: MIT */
/*
 * An echo server on a bare epoll loop, and reads of a file by bare pread(). Both show the cost of
 * the system itself.
 *
 *     io-epoll echo               prints "port N", then echoes until it is killed
 *     io-epoll file PATH BLOCK    prints "ns VALUE cpu VALUE", of a block
 *
 * Each descriptor is registered once, edge-triggered, for all events, so the loop calls epoll_ctl()
 * only for new connections. A read that does not fill the buffer has emptied the socket, so no read
 * fails with EAGAIN. All connections share one buffer. A connection keeps only the bytes that could
 * not be written at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, BUFFER = 65536 };

struct connection {
        int fd;
        bool more;            /* there may be something to read */
        bool ended;           /* the peer has half-closed; a short read does not show that */
        size_t kept, kept_at; /* bytes of `rest` to write, and their start */
        char *rest;
};

static int events;
static char buffer[BUFFER];

static void must(long result, const char *what) {
        if (result < 0) {
                perror(what);
                exit(1);
        }
}

static void end(struct connection *connection) {
        close(connection->fd);
        free(connection->rest);
        free(connection);
}

/* Returns the number of bytes written, which may be 0, or -1. */
static ssize_t write_some(int fd, const char *data, size_t size) {
        ssize_t written = send(fd, data, size, MSG_NOSIGNAL);

        return written < 0 && errno == EAGAIN ? 0 : written;
}

static bool keep(struct connection *connection, const char *data, size_t size) {
        if (connection->rest == NULL && (connection->rest = malloc(BUFFER)) == NULL)
                return false;
        memcpy(connection->rest, data, size);
        connection->kept = size;
        connection->kept_at = 0;
        return true;
}

static bool write_kept(struct connection *connection) {
        ssize_t written = write_some(connection->fd, connection->rest + connection->kept_at,
                                     connection->kept);

        if (written < 0)
                return false;
        connection->kept_at += (size_t) written;
        connection->kept -= (size_t) written;
        return true;
}

/* Returns false if the connection has ended. */
static bool echo(struct connection *connection) {
        if (connection->kept > 0 && !write_kept(connection))
                return false;
        while (connection->kept == 0 && connection->more) {
                ssize_t size = recv(connection->fd, buffer, sizeof(buffer), 0), written;

                if (size < 0 && errno == EAGAIN) {
                        connection->more = false;
                        return true;
                }
                if (size <= 0)
                        return false;
                connection->more = size == (ssize_t) sizeof(buffer) || connection->ended;
                written = write_some(connection->fd, buffer, (size_t) size);
                if (written < 0)
                        return false;
                if (written < size
                    && !keep(connection, buffer + written, (size_t) (size - written)))
                        return false;
        }
        return true;
}

static void accept_one(int listener) {
        struct connection *connection;
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
                return;
        connection = calloc(1, sizeof(*connection));
        if (connection == NULL) {
                close(fd);
                return;
        }
        connection->fd = fd;
        event.data.ptr = connection;
        must(epoll_ctl(events, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static int listen_somewhere(void) {
        struct sockaddr_in address = { .sin_family = AF_INET };
        socklen_t length = sizeof(address);
        struct epoll_event event = { .events = EPOLLIN };
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        must(listener, "socket");
        /* Connections inherit the option. */
        must(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "TCP_NODELAY");
        must(bind(listener, (struct sockaddr *) &address, length), "bind");
        must(listen(listener, 4096), "listen");
        must(getsockname(listener, (struct sockaddr *) &address, &length), "getsockname");
        must(epoll_ctl(events, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
        printf("port %d\n", ntohs(address.sin_port));
        fflush(stdout);
        return listener;
}

static void serve(void) {
        struct epoll_event batch[BATCH];
        int listener;

        events = epoll_create1(EPOLL_CLOEXEC);
        must(events, "epoll_create1");
        listener = listen_somewhere();
        for (;;) {
                int size = epoll_wait(events, batch, BATCH, -1);

                for (int i = 0; i < size; i++) {
                        struct connection *connection = batch[i].data.ptr;

                        if (connection == NULL) {
                                accept_one(listener);
                                continue;
                        }
                        if (batch[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                                connection->more = true;
                        if (batch[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                                connection->ended = true;
                        if (!echo(connection))
                                end(connection);
                }
        }
}

static double clock_ns(clockid_t clock) {
        struct timespec now;

        clock_gettime(clock, &now);
        return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

static void read_file(const char *path, size_t block) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        double begun = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        off_t offset = 0;
        ssize_t size;
        long blocks = 0;

        must(fd, path);
        while ((size = pread(fd, buffer, block, offset)) > 0) {
                offset += size;
                blocks++;
        }
        must(size, "pread");
        printf("ns %.1f cpu %.1f\n", (clock_ns(CLOCK_MONOTONIC) - begun) / (double) blocks,
               (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double) blocks);
        close(fd);
}

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "echo") == 0) {
                serve();
        } else if (argc == 4 && strcmp(argv[1], "file") == 0 && atol(argv[3]) > 0
                   && atol(argv[3]) <= BUFFER) {
                read_file(argv[2], (size_t) atol(argv[3]));
        } else {
                fputs("usage: io-epoll echo | file PATH BLOCK\n", stderr);
                return 2;
        }
        return 0;
}
