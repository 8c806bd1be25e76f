/* SPDX-License-Identifier: MIT */
/*
 * Each function that may wait is called in each situation in which its task may be cancelled. It is
 * called both when it has to wait and when it need not. A single table serves both back ends and
 * the wire.
 *
 * A function that need not wait returns its result, and the request stays pending.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "io/descriptors.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

enum point {
        IF_NOT_READY, /* a cancellation point if it has to wait */
        /* a cancellation point in any case: it is never ready at once */
        ALWAYS,
        NEVER,
        /* belay_wait_fd(), which moves nothing: a request is delivered in any case */
        POLLS,
};

enum kind { WIRE, PAIR, PIPE, TCP, KINDS };

enum situation {
        UNDISTURBED,
        REQUESTED, /* a request is pending */
        NO_TIME,   /* a timeout of 0 */
        TIME_OVER, /* a timeout that expired while the task computed */
        SITUATIONS
};

static const char *const kind_names[] = { "wire", "pair", "pipe", "TCP" };
static const char *const situation_names[] = { "undisturbed", "requested", "no time", "time over" };

/* The objects with which a call is made. */
struct scene {
        enum kind kind;
        bool ready;
        belay_stream *stream, *peer;
        belay_stream *target, *target_peer;
        belay_listener *listener;
        belay_datagrams *socket;
        int fds[2]; /* descriptors without a stream, or -1 */
        char data[64];
};

struct row {
        const char *name;
        enum point point;
        void (*open)(struct scene *scene);
        ssize_t (*call)(struct scene *scene);
        ssize_t value; /* result if it is ready */
        /* kinds of streams, as bits; 0 if the call takes no stream */
        unsigned kinds;
        /* undisturbed, it does not end, or its result depends on the machine */
        bool no_value;
        bool always_ready;
};

static char directory[256];

static const char *path_of(const char *name) {
        static char paths[4][300];
        static unsigned next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

/* ---- streams ---- */

static socklen_t own_address(int fd, struct sockaddr_in *address) {
        socklen_t length = sizeof(*address);

        CHECK_EQ(getsockname(fd, (struct sockaddr *) address, &length), 0);
        return length;
}

static int listen_tcp(int backlog) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(fd, backlog), 0);
        return fd;
}

static int connect_tcp(int listener) {
        struct sockaddr_in address;
        socklen_t length = own_address(listener, &address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(connect(fd, (struct sockaddr *) &address, length), 0);
        return fd;
}

/* `reader` reads the bytes that `writer` writes. */
static void open_two(enum kind kind, belay_stream **reader, belay_stream **writer) {
        static const belay_wire_options narrow = { .size = sizeof(narrow),
                                                   .ways = { { .room = 8 }, { .room = 8 } } };
        belay_stream *ends[2];
        int listener, fds[2];

        if (kind == WIRE) {
                CHECK_EQ(belay_wire(ends, &narrow), 0);
                *reader = ends[0];
                *writer = ends[1];
        } else if (kind == PAIR) {
                CHECK_EQ(belay_stream_pair(reader, writer), 0);
        } else if (kind == PIPE) {
                CHECK_EQ(belay_stream_pipe(reader, writer), 0);
        } else {
                listener = listen_tcp(1);
                fds[1] = connect_tcp(listener);
                fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                CHECK(fds[0] >= 0);
                close(listener);
                CHECK_EQ(belay_stream_open_fd(reader, fds[0], NULL), 0);
                CHECK_EQ(belay_stream_open_fd(writer, fds[1], NULL), 0);
        }
}

static void put_in(belay_stream *stream, const char *text) {
        if (belay_stream_fd(stream) < 0)
                CHECK_EQ(belay_write(stream, text, strlen(text)), strlen(text));
        else
                put(belay_stream_fd(stream), text);
}

static void is_there(const belay_stream *stream) {
        struct pollfd pollfd = { .fd = belay_stream_fd(stream), .events = POLLIN };

        CHECK(pollfd.fd < 0 || poll(&pollfd, 1, -1) == 1);
}

/* An earlier read of the stream took all that there was, so the stream knows that it is drained. */
static void open_to_read(struct scene *scene) {
        char byte[2];

        open_two(scene->kind, &scene->stream, &scene->peer);
        put_in(scene->peer, "x");
        is_there(scene->stream);
        CHECK_EQ(belay_read(scene->stream, byte, sizeof(byte)), 1);
        if (scene->ready) {
                put_in(scene->peer, "ab\ncd");
                is_there(scene->stream);
        }
}

/* As open_to_read(), and the peer has ended. */
static void open_to_end(struct scene *scene) {
        open_to_read(scene);
        if (scene->ready) {
                CHECK_EQ(belay_close(scene->peer, 0), 0);
                scene->peer = NULL;
        }
}

static void fill_up(belay_stream *stream) {
        char block[4096] = { 0 };
        int fd = belay_stream_fd(stream);

        if (fd < 0)
                CHECK_EQ(belay_write_some(stream, block, sizeof(block)), 8);
        else if (fcntl(fd, F_GETFL) & O_NONBLOCK)
                stuff(fd);
        else
                while (send(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
                        ;
}

static void open_to_write(struct scene *scene) {
        open_two(scene->kind, &scene->peer, &scene->stream);
        if (!scene->ready)
                fill_up(scene->stream);
}

static void open_to_copy(struct scene *scene) {
        open_to_read(scene);
        open_two(scene->kind, &scene->target_peer, &scene->target);
}

static void open_to_copy_all(struct scene *scene) {
        open_to_end(scene);
        open_two(scene->kind, &scene->target_peer, &scene->target);
}

static void open_to_send_file(struct scene *scene) {
        open_to_write(scene);
        scene->fds[0] = open(path_of("file"), O_RDONLY | O_CLOEXEC);
        CHECK(scene->fds[0] >= 0);
}

static ssize_t reads(struct scene *scene) {
        return belay_read(scene->stream, scene->data, sizeof(scene->data));
}

static ssize_t reads_exactly(struct scene *scene) {
        return belay_read_exactly(scene->stream, scene->data, 5);
}

static ssize_t reads_until(struct scene *scene) {
        return belay_read_until(scene->stream, "b\n", 2, scene->data, sizeof(scene->data));
}

static ssize_t reads_line(struct scene *scene) {
        return belay_read_line(scene->stream, scene->data, sizeof(scene->data));
}

static ssize_t peeks(struct scene *scene) {
        const void *data;

        return belay_peek(scene->stream, 5, &data);
}

static ssize_t writes(struct scene *scene) {
        return belay_write(scene->stream, "abc", 3);
}

static ssize_t writes_parts(struct scene *scene) {
        struct iovec parts[2] = { { .iov_base = "ab", .iov_len = 2 },
                                  { .iov_base = "c", .iov_len = 1 } };

        return belay_writev(scene->stream, parts, 2);
}

static ssize_t writes_some(struct scene *scene) {
        return belay_write_some(scene->stream, "abc", 3);
}

static ssize_t prints(struct scene *scene) {
        return belay_print(scene->stream, "%s%d", "ab", 7);
}

static ssize_t copies(struct scene *scene) {
        return belay_copy(scene->target, scene->stream, 3, NULL);
}

static ssize_t copies_all(struct scene *scene) {
        return belay_copy(scene->target, scene->stream, -1, NULL);
}

static ssize_t sends_file(struct scene *scene) {
        return belay_send_file(scene->stream, scene->fds[0], 0, 3);
}

static ssize_t half_closes(struct scene *scene) {
        return belay_half_close(scene->stream);
}

static ssize_t closes(struct scene *scene) {
        belay_stream *stream = scene->stream;

        scene->stream = NULL;
        return belay_close(stream, BELAY_HOUR);
}

static ssize_t closes_at_once(struct scene *scene) {
        belay_stream *stream = scene->stream;

        scene->stream = NULL;
        return belay_close(stream, 0);
}

/* ---- descriptors sent over a stream ---- */

static void open_to_receive_descriptors(struct scene *scene) {
        open_two(PAIR, &scene->stream, &scene->peer);
        if (scene->ready)
                CHECK_EQ(belay_send_descriptors(scene->peer, "a", 1, (int[]) { 0 }, 1), 1);
}

static ssize_t receives_descriptors(struct scene *scene) {
        int fds[4];
        size_t count = 4;
        ssize_t rc = belay_receive_descriptors(scene->stream, scene->data, 1, fds, &count);

        CHECK_EQ(count, rc == 1);
        if (rc == 1)
                close(fds[0]);
        return rc;
}

static void open_to_send_descriptors(struct scene *scene) {
        scene->kind = PAIR;
        open_to_write(scene);
}

static ssize_t sends_descriptors(struct scene *scene) {
        return belay_send_descriptors(scene->stream, "a", 1, (int[]) { 0 }, 1);
}

/* ---- any descriptor ---- */

static void open_to_poll(struct scene *scene) {
        open_pipe(scene->fds);
        if (scene->ready)
                put(scene->fds[1], "x");
}

static ssize_t polls(struct scene *scene) {
        return belay_wait_fd(scene->fds[0], READABLE);
}

static ssize_t polls_stream(struct scene *scene) {
        return belay_wait_fd(belay_stream_fd(scene->stream), READABLE);
}

static void open_file(struct scene *scene) {
        scene->fds[0] = open(path_of("file"), O_RDWR | O_CLOEXEC);
        CHECK(scene->fds[0] >= 0);
}

/* ---- connections ---- */

static void open_to_accept(struct scene *scene) {
        CHECK_EQ(belay_listen(&scene->listener, "127.0.0.1:0", NULL), 0);
        if (scene->ready)
                scene->fds[0] = connect_tcp(belay_listener_fd(scene->listener));
}

static ssize_t accepts(struct scene *scene) {
        belay_stream *stream;
        int rc = belay_accept(scene->listener, &stream);

        CHECK((stream != NULL) == (rc == 0));
        belay_abort(stream);
        return rc;
}

static int end_at_once(belay_stream *stream, void *arg) {
        (void) stream;
        (void) arg;
        return 0;
}

static ssize_t serves(struct scene *scene) {
        return belay_serve(scene->listener, end_at_once, NULL,
                           BELAY_OPTIONS(belay_serve_options, .close_limit = 1));
}

/*
 * A Unix socket's listener accepts a limited number of connections and then returns an error. A
 * port at which no program listens refuses a connection.
 */
static socklen_t name_of(struct scene *scene, struct sockaddr_un *address) {
        *address = (struct sockaddr_un) { .sun_family = AF_UNIX };
        snprintf(scene->data, sizeof(scene->data), "unix:@belay-points-%d", (int) getpid());
        snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "%s",
                 strchr(scene->data, '@') + 1);
        return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(scene->data)
                            - strlen("unix:"));
}

static void open_to_connect(struct scene *scene) {
        struct sockaddr_un address;
        socklen_t length = name_of(scene, &address);

        scene->fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(scene->fds[0], (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(scene->fds[0], 0), 0);
        if (!scene->ready) {
                scene->fds[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                CHECK_EQ(connect(scene->fds[1], (struct sockaddr *) &address, length), 0);
        }
}

static ssize_t connects(struct scene *scene) {
        belay_stream *stream;
        int rc = belay_connect(&stream, scene->data, NULL);

        CHECK((stream != NULL) == (rc == 0));
        belay_abort(stream);
        return rc;
}

static void open_listener(struct scene *scene) {
        scene->fds[0] = listen_tcp(8);
}

static ssize_t connects_to(struct scene *scene) {
        struct sockaddr_in address;
        socklen_t length = own_address(scene->fds[0], &address);
        belay_stream *stream;
        int rc = belay_connect_to(&stream, (struct sockaddr *) &address, length, NULL);

        CHECK((stream != NULL) == (rc == 0));
        belay_abort(stream);
        return rc;
}

static void open_nobody(struct scene *scene) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

        scene->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(scene->fds[0], (struct sockaddr *) &address, sizeof(address)), 0);
}

static void open_nothing(struct scene *scene) {
        (void) scene;
}

static ssize_t look_up(const char *endpoint) {
        belay_address *addresses;
        size_t count;
        int rc = belay_resolve(endpoint, SOCK_STREAM, &addresses, &count);

        belay_addresses_free(addresses, count);
        return rc;
}

static ssize_t resolves_address(struct scene *scene) {
        (void) scene;
        return look_up("127.0.0.1:80");
}

static ssize_t resolves_name(struct scene *scene) {
        (void) scene;
        return look_up("localhost:80");
}

/* ---- datagrams ---- */

static ssize_t opens_datagrams(struct scene *scene) {
        return belay_datagrams_open(&scene->socket, "127.0.0.1:0", NULL);
}

static ssize_t opens_named_datagrams(struct scene *scene) {
        return belay_datagrams_open(&scene->socket, "localhost:0", NULL);
}

static void open_to_receive(struct scene *scene) {
        struct sockaddr_in address;
        socklen_t length;

        CHECK_EQ(belay_datagrams_open(&scene->socket, "127.0.0.1:0", NULL), 0);
        length = own_address(belay_datagrams_fd(scene->socket), &address);
        scene->fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(scene->fds[0], (struct sockaddr *) &address, length), 0);
        if (scene->ready)
                put(scene->fds[0], "x");
}

static ssize_t receives(struct scene *scene) {
        return belay_receive(scene->socket, scene->data, sizeof(scene->data), NULL);
}

static void open_to_send(struct scene *scene) {
        struct sockaddr_un address;
        socklen_t length = name_of(scene, &address);
        int fd;

        scene->fds[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(scene->fds[0], (struct sockaddr *) &address, length), 0);
        CHECK_EQ(belay_datagrams_open(&scene->socket, NULL, scene->data), 0);
        fd = belay_datagrams_fd(scene->socket);
        while (!scene->ready && send(fd, "x", 1, MSG_DONTWAIT) == 1)
                ;
}

static ssize_t sends(struct scene *scene) {
        return belay_send(scene->socket, "x", 1, NULL);
}

/* ---- files ---- */

static ssize_t opens_file(struct scene *scene) {
        int fd = belay_file_open(path_of("file"), O_RDONLY, 0);

        (void) scene;
        if (fd >= 0)
                close(fd);
        return fd >= 0 ? 0 : fd;
}

static ssize_t closes_file(struct scene *scene) {
        int fd = scene->fds[0];

        scene->fds[0] = -1;
        return belay_file_close(fd);
}

static ssize_t reads_file(struct scene *scene) {
        return belay_file_read(scene->fds[0], scene->data, 3, 0);
}

static ssize_t writes_file(struct scene *scene) {
        return belay_file_write(scene->fds[0], "abc", 3, 0);
}

static ssize_t syncs(struct scene *scene) {
        return belay_file_sync(scene->fds[0], false);
}

static ssize_t truncates(struct scene *scene) {
        return belay_file_truncate(scene->fds[0], 100);
}

static ssize_t looks_at_file(struct scene *scene) {
        struct stat stat;

        (void) scene;
        return belay_file_stat(path_of("file"), true, &stat);
}

static ssize_t looks_at_descriptor(struct scene *scene) {
        struct stat stat;

        return belay_file_stat_fd(scene->fds[0], &stat);
}

static void make_old(struct scene *scene) {
        (void) scene;
        close(open(path_of("old"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        rmdir(path_of("made"));
}

static ssize_t renames(struct scene *scene) {
        (void) scene;
        return belay_file_rename(path_of("old"), path_of("new"));
}

static ssize_t removes(struct scene *scene) {
        (void) scene;
        return belay_file_remove(path_of("old"));
}

static ssize_t makes_directory(struct scene *scene) {
        (void) scene;
        return belay_file_make_directory(path_of("made"), 0700);
}

static ssize_t reads_all(struct scene *scene) {
        char *data;
        int rc = belay_file_read_all(path_of("file"), 0, &data, NULL);

        (void) scene;
        belay_file_free(data);
        return rc;
}

static ssize_t writes_all(struct scene *scene) {
        (void) scene;
        return belay_file_write_all(path_of("new"), "abc", 3, 0600);
}

static int pass_by(const belay_walk_entry *entry, void *arg) {
        (void) entry;
        (void) arg;
        return 0;
}

static ssize_t walks(struct scene *scene) {
        (void) scene;
        return belay_walk(directory, pass_by, NULL);
}

/* ---- the table ---- */

enum {
        OF_ALL = 1 << WIRE | 1 << PAIR | 1 << PIPE | 1 << TCP,
        BOTH_WAYS = 1 << WIRE | 1 << PAIR | 1 << TCP,
        /* The room of a TCP connection depends on the peer and on time. */
        FILLED = 1 << WIRE | 1 << PAIR | 1 << PIPE,
        DESCRIPTORS = 1 << PAIR | 1 << PIPE | 1 << TCP,
};

static struct row rows[] = {
        { "read", IF_NOT_READY, open_to_read, reads, 5, .kinds = OF_ALL },
        { "read_exactly", IF_NOT_READY, open_to_read, reads_exactly, 5, .kinds = OF_ALL },
        { "read_until", IF_NOT_READY, open_to_read, reads_until, 3, .kinds = OF_ALL },
        { "read_line", IF_NOT_READY, open_to_read, reads_line, 3, .kinds = OF_ALL },
        { "peek", IF_NOT_READY, open_to_read, peeks, 5, .kinds = OF_ALL },
        { "write", IF_NOT_READY, open_to_write, writes, 3, .kinds = FILLED },
        { "writev", IF_NOT_READY, open_to_write, writes_parts, 3, .kinds = FILLED },
        { "write_some", IF_NOT_READY, open_to_write, writes_some, 3, .kinds = FILLED },
        { "print", IF_NOT_READY, open_to_write, prints, 3, .kinds = FILLED },
        { "copy", IF_NOT_READY, open_to_copy, copies, 0, .kinds = OF_ALL },
        { "copy to the end", IF_NOT_READY, open_to_copy_all, copies_all, 0, .kinds = OF_ALL },
        { "send_file", ALWAYS, open_to_send_file, sends_file, 3, .kinds = FILLED },
        { "half_close", NEVER, open_to_read, half_closes, 0, .kinds = BOTH_WAYS },
        { "close", IF_NOT_READY, open_to_end, closes, 0, .kinds = BOTH_WAYS },
        { "close at once", NEVER, open_to_read, closes_at_once, 0, .kinds = OF_ALL },
        { "wait_fd of a stream", POLLS, open_to_read, polls_stream, READABLE,
          .kinds = DESCRIPTORS },
        { "wait_fd", POLLS, open_to_poll, polls, READABLE, .kinds = 0 },
        { "wait_fd of a file", POLLS, open_file, polls, READABLE, .always_ready = true },
        { "receive_descriptors", IF_NOT_READY, open_to_receive_descriptors, receives_descriptors, 1,
          .kinds = 0 },
        { "send_descriptors", IF_NOT_READY, open_to_send_descriptors, sends_descriptors, 1,
          .kinds = 0 },
        { "accept", IF_NOT_READY, open_to_accept, accepts, 0, .kinds = 0 },
        { "serve", ALWAYS, open_to_accept, serves, 0, .no_value = true },
        { "connect", IF_NOT_READY, open_to_connect, connects, 0, .kinds = 0 },
        { "connect_to", IF_NOT_READY, open_listener, connects_to, 0, .always_ready = true },
        { "connect_to nobody", IF_NOT_READY, open_nobody, connects_to, -ECONNREFUSED,
          .always_ready = true },
        { "resolve an address", NEVER, open_nothing, resolves_address, 0, .kinds = 0 },
        { "resolve a name", ALWAYS, open_nothing, resolves_name, 0, .no_value = true },
        { "datagrams_open", NEVER, open_nothing, opens_datagrams, 0, .kinds = 0 },
        { "datagrams_open by name", ALWAYS, open_nothing, opens_named_datagrams, 0,
          .no_value = true },
        { "receive", IF_NOT_READY, open_to_receive, receives, 1, .kinds = 0 },
        { "send", IF_NOT_READY, open_to_send, sends, 1, .kinds = 0 },
        { "file_open", ALWAYS, open_nothing, opens_file, 0, .kinds = 0 },
        { "file_close", NEVER, open_file, closes_file, 0, .kinds = 0 },
        { "file_read", IF_NOT_READY, open_file, reads_file, 3, .always_ready = true },
        { "file_write", IF_NOT_READY, open_file, writes_file, 3, .always_ready = true },
        { "file_sync", ALWAYS, open_file, syncs, 0, .kinds = 0 },
        { "file_truncate", ALWAYS, open_file, truncates, 0, .kinds = 0 },
        { "file_stat", ALWAYS, open_nothing, looks_at_file, 0, .kinds = 0 },
        { "file_stat_fd", ALWAYS, open_file, looks_at_descriptor, 0, .kinds = 0 },
        { "file_rename", ALWAYS, make_old, renames, 0, .kinds = 0 },
        { "file_remove", ALWAYS, make_old, removes, 0, .kinds = 0 },
        { "file_make_directory", ALWAYS, make_old, makes_directory, 0, .kinds = 0 },
        { "file_read_all", ALWAYS, open_nothing, reads_all, 0, .kinds = 0 },
        { "file_write_all", ALWAYS, open_nothing, writes_all, 0, .kinds = 0 },
        { "walk", ALWAYS, open_nothing, walks, 0, .kinds = 0 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/*
 * The kernel decides whether a file system can move cached data without waiting. If it cannot, the
 * calls on files are cancellation points in any case.
 */
static void look_at_files(void) {
        int fd = open(path_of("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        char data[64] = "abc";
        struct iovec part = { .iov_base = data, .iov_len = 3 };

        CHECK_EQ(pwrite(fd, data, sizeof(data), 0), sizeof(data));
        for (size_t i = 0; i < ROWS; i++)
                if ((rows[i].call == reads_file
                     && syscall(SYS_preadv2, fd, &part, 1UL, 0UL, 0UL, RWF_NOWAIT) != 3)
                    || (rows[i].call == writes_file
                        && syscall(SYS_pwritev2, fd, &part, 1UL, 0UL, 0UL, RWF_NOWAIT) != 3)) {
                        rows[i].point = ALWAYS;
                        rows[i].always_ready = false;
                }
        close(fd);
}

/* ---- one call ---- */

struct attempt {
        const struct row *row;
        struct scene *scene;
        enum situation situation;
        ssize_t result;
        /* result of the next wait, which shows whether the request is still pending */
        int next;
};

static int make_call(void *arg) {
        struct attempt *self = arg;
        belay_timeout limit;

        if (self->situation == REQUESTED) {
                CHECK(belay_cancel(belay_self(), NULL));
                self->result = self->row->call(self->scene);
        } else if (self->situation == UNDISTURBED) {
                self->result = self->row->call(self->scene);
        } else {
                CHECK_EQ(belay_timeout_enter(&limit,
                                             self->situation == NO_TIME ? 0 : BELAY_MICROSECOND),
                         0);
                /* A deadline may be off by less than a microsecond; the margin is safe. */
                while (self->situation == TIME_OVER
                       && belay_now() <= belay_timeout_when(&limit) + 100 * BELAY_MICROSECOND)
                        ;
                self->result = self->row->call(self->scene);
                if (belay_timeout_leave(&limit, self->result < 0 ? (int) self->result : 0)
                    == -ETIMEDOUT)
                        self->result = -ETIMEDOUT;
        }
        self->next = belay_yield();
        return 0;
}

static bool is_point(const struct attempt *attempt) {
        switch (attempt->row->point) {
        case NEVER:
                return false;
        case ALWAYS:
                return true;
        case IF_NOT_READY:
                return !attempt->scene->ready;
        default:
                return !attempt->scene->ready || attempt->situation == REQUESTED;
        }
}

static void close_scene(struct scene *scene) {
        belay_abort(scene->stream);
        belay_abort(scene->peer);
        belay_abort(scene->target);
        belay_abort(scene->target_peer);
        belay_listener_close(scene->listener);
        belay_datagrams_close(scene->socket);
        for (int i = 0; i < 2; i++)
                if (scene->fds[i] >= 0)
                        close(scene->fds[i]);
}

static void attempt_once(const struct row *row, enum kind kind, bool ready,
                         enum situation situation) {
        struct scene scene = { .kind = kind, .ready = ready, .fds = { -1, -1 } };
        struct attempt attempt = { .row = row, .scene = &scene, .situation = situation };
        ssize_t wanted = row->value;
        int next = situation == REQUESTED ? -ECANCELED : 0;
        belay_task *task;

        row->open(&scene);
        task = must(belay_spawn(make_call, &attempt));
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        if (situation != UNDISTURBED && is_point(&attempt)) {
                wanted = situation == REQUESTED ? -ECANCELED : -ETIMEDOUT;
                next = 0;
        }
        if (attempt.result != wanted || attempt.next != next) {
                fprintf(stderr, "%s, %s, %s, %s, %s: %zd, then %d; not %zd, then %d\n",
                        belay_loop_backend(NULL), row->name,
                        row->kinds != 0 ? kind_names[kind] : "-", ready ? "ready" : "not ready",
                        situation_names[situation], attempt.result, attempt.next, wanted, next);
                CHECK_END(1);
        }
        close_scene(&scene);
}

/* The result must not depend on chance, so each attempt is repeated. */
enum { TIMES = 3 };

static void attempt_all(const struct row *row, enum kind kind) {
        for (int ready = row->always_ready; ready < 2; ready++)
                for (int situation = UNDISTURBED; situation < SITUATIONS; situation++) {
                        if (situation == UNDISTURBED && (row->no_value || !ready))
                                continue;
                        for (int i = 0; i < TIMES; i++)
                                attempt_once(row, kind, ready, (enum situation) situation);
                }
}

static int all_points(void *arg) {
        (void) arg;
        for (size_t i = 0; i < ROWS; i++)
                for (int kind = 0; kind < KINDS; kind++)
                        if (rows[i].kinds != 0 ? rows[i].kinds & 1u << kind : kind == 0)
                                attempt_all(&rows[i], (enum kind) kind);
        return 0;
}

/* ---- an event and then a request ---- */

/*
 * The task is woken, and cancelled before it runs. The call returns the data, and the request stays
 * pending.
 */
static int woken_then_asked(void *arg) {
        (void) arg;
        for (int kind = 0; kind < KINDS; kind++) {
                struct scene scene = { .kind = (enum kind) kind, .fds = { -1, -1 } };
                struct attempt attempt = { .row = &rows[0],
                                           .scene = &scene,
                                           .situation = UNDISTURBED };
                belay_wait_info info = BELAY_WAIT_INFO_INIT;
                belay_task *task;

                open_to_read(&scene);
                task = must(belay_spawn(make_call, &attempt));
                let_run();
                put_in(scene.peer, "abcde");
                is_there(scene.stream);
                do {
                        belay_waiting(task, &info);
                        if (strcmp(info.what, "ready") == 0)
                                break;
                        CHECK_EQ(belay_yield(), 0);
                } while (!belay_done(task));
                if (belay_cancel(task, NULL)) {
                        CHECK_EQ(belay_join(task, NULL), 0);
                        CHECK_EQ(attempt.result, 5);
                        CHECK_EQ(attempt.next, -ECANCELED);
                }
                belay_release(task);
                close_scene(&scene);
        }
        return 0;
}

/* ---- not without a limit ---- */

/* A call that is always ready still delivers a request after a bounded number of calls. */
static int in_the_end(void *arg) {
        (void) arg;
        for (int kind = 0; kind < KINDS; kind++) {
                struct scene scene = { .kind = (enum kind) kind, .fds = { -1, -1 } };
                int count = 0;
                char byte;

                open_two(scene.kind, &scene.stream, &scene.peer);
                CHECK(belay_cancel(belay_self(), NULL));
                do {
                        put_in(scene.peer, "x");
                        is_there(scene.stream);
                } while (belay_read(scene.stream, &byte, 1) == 1 && ++count < 1000);
                CHECK(count > 1 && count < 1000);
                CHECK_EQ(belay_uncancel(belay_self()), 0);
                close_scene(&scene);
        }
        return 0;
}

static void all(void) {
        CHECK_EQ(belay_run(all_points, NULL), 0);
        CHECK_EQ(belay_run(woken_then_asked, NULL), 0);
        CHECK_EQ(belay_run(in_the_end, NULL), 0);
}

int main(void) {
        const char *parent = getenv("TMPDIR");

        snprintf(directory, sizeof(directory), "%s/belay-points.XXXXXX",
                 parent != NULL ? parent : "/tmp");
        CHECK(mkdtemp(directory) != NULL);
        look_at_files();
        on_back_ends(all);
        unlink(path_of("file"));
        unlink(path_of("old"));
        unlink(path_of("new"));
        rmdir(path_of("made"));
        CHECK_EQ(rmdir(directory), 0);
        return 0;
}
