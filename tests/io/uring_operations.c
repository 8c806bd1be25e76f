/* SPDX-License-Identifier: MIT */
/*
 * Each kind of operation has the effect of its system call, and fails with the same errors.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

static char directory[512];

static const char *path_of(const char *name) {
        static char paths[16][600];
        static unsigned next;
        char *path = paths[next++ % 16];

        snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

/* ---- files ---- */

static ssize_t on(int fd, enum bly_op_kind kind, const void *address, size_t length,
                  int64_t offset) {
        struct bly_op op = {
                .kind = kind, .fd = fd, .address = address, .length = length, .offset = offset
        };

        return perform(op);
}

static ssize_t open_file(const char *path, int flags) {
        struct bly_op op = {
                .kind = BLY_OP_OPEN, .fd = -1, .address = path, .flags = flags, .length = 0640
        };

        return perform(op);
}

static void contents(void) {
        char buffer[16];
        int fd = (int) open_file(path_of("one"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(on(fd, BLY_OP_WRITE, "abcdef", 6, -1), 6);
        CHECK_EQ(on(fd, BLY_OP_WRITE, "X", 1, 2), 1);
        CHECK_EQ(on(fd, BLY_OP_WRITE, "gh", 2, -1), 2);
        CHECK_EQ(on(fd, BLY_OP_READ, buffer, sizeof(buffer), 0), 8);
        CHECK_EQ(memcmp(buffer, "abXdefgh", 8), 0);
        CHECK_EQ(on(fd, BLY_OP_READ, buffer, sizeof(buffer), -1), 0);
        CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
        CHECK_EQ(on(fd, BLY_OP_READ, buffer, 1, -1), 1);
        CHECK_EQ(buffer[0], 'g');
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_SYNC, .fd = fd }), 0);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_SYNC, .fd = fd, .flags = 1 }), 0);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_CLOSE, .fd = fd }), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_CLOSE, .fd = fd }), -EBADF);
        CHECK_EQ(on(fd, BLY_OP_READ, buffer, 1, -1), -EBADF);
        CHECK_EQ(open_file(path_of("one"), O_RDWR | O_CREAT | O_EXCL), -EEXIST);
        CHECK_EQ(open_file(path_of("two"), O_RDONLY), -ENOENT);
}

static void names(void) {
        struct statx result;
        struct bly_op stat = {
                .kind = BLY_OP_STAT,
                .fd = AT_FDCWD,
                .address = path_of("one"),
                .length = STATX_BASIC_STATS,
                .other = &result,
        };
        struct bly_op make = { .kind = BLY_OP_MAKE_DIRECTORY, .fd = -1, .length = 0700 };

        CHECK_EQ(perform(stat), 0);
        CHECK_EQ(result.stx_size, 8);
        CHECK_EQ(result.stx_mode, S_IFREG | 0640);
        make.address = path_of("sub");
        CHECK_EQ(perform(make), 0);
        CHECK_EQ(perform(make), -EEXIST);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_RENAME,
                                           .fd = -1,
                                           .address = path_of("one"),
                                           .other = path_of("sub/two") }),
                 0);
        CHECK_EQ(perform(stat), -ENOENT);
        stat.fd = open(path_of("sub"), O_PATH | O_DIRECTORY | O_CLOEXEC);
        stat.address = "two";
        CHECK_EQ(perform(stat), 0);
        stat.address = "";
        stat.flags = AT_EMPTY_PATH;
        CHECK_EQ(perform(stat), 0);
        CHECK_EQ(result.stx_mode, S_IFDIR | 0700);
        CHECK_EQ(close(stat.fd), 0);
        CHECK_EQ(perform((struct bly_op) {
                         .kind = BLY_OP_REMOVE, .fd = -1, .address = path_of("sub") }),
                 -EISDIR);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_REMOVE,
                                           .fd = -1,
                                           .address = path_of("sub"),
                                           .flags = AT_REMOVEDIR }),
                 -ENOTEMPTY);
        CHECK_EQ(perform((struct bly_op) {
                         .kind = BLY_OP_REMOVE, .fd = -1, .address = path_of("sub/two") }),
                 0);
        CHECK_EQ(perform((struct bly_op) { .kind = BLY_OP_REMOVE,
                                           .fd = -1,
                                           .address = path_of("sub"),
                                           .flags = AT_REMOVEDIR }),
                 0);
}

/* ---- sockets ---- */

static int listener;

static int accepts(void *arg) {
        struct bly_op op = { .kind = BLY_OP_ACCEPT,
                             .fd = listener,
                             .flags = SOCK_CLOEXEC | SOCK_NONBLOCK };

        (void) arg;
        return (int) perform(op);
}

static void sockets(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other, refused;
        struct iovec parts[2] = { { .iov_base = "ab", .iov_len = 2 },
                                  { .iov_base = "cde", .iov_len = 3 } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        struct bly_op to = {
                .kind = BLY_OP_CONNECT, .fd = one, .address = &address, .length = length
        };
        struct bly_op send = {
                .kind = BLY_OP_SEND_MESSAGE, .fd = one, .address = &message, .flags = MSG_NOSIGNAL
        };
        struct bly_op get = { .kind = BLY_OP_RECEIVE_MESSAGE, .address = &message };
        char buffer[16], more[16];
        belay_task *task;

        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        task = must(belay_spawn(accepts, NULL));
        CHECK_EQ(perform(to), 0);
        CHECK_EQ(perform(to), -EISCONN);
        other = end_of(task);
        CHECK(other >= 0);
        CHECK_EQ(fcntl(other, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(other, F_GETFL) & O_NONBLOCK);

        CHECK_EQ(perform(send), 5);
        CHECK_EQ(receive(other, buffer, 2), 2);
        CHECK_EQ(memcmp(buffer, "ab", 2), 0);
        parts[0] = (struct iovec) { .iov_base = buffer, .iov_len = 1 };
        parts[1] = (struct iovec) { .iov_base = more, .iov_len = sizeof(more) };
        get.fd = other;
        CHECK_EQ(perform(get), 2 + 1);
        CHECK_EQ(buffer[0], 'c');
        CHECK_EQ(memcmp(more, "de", 2), 0);
        get.flags = MSG_DONTWAIT;
        CHECK_EQ(perform(get), -EAGAIN);
        CHECK_EQ(shutdown(one, SHUT_WR), 0);
        CHECK_EQ(receive(other, buffer, 1), 0);
        CHECK_EQ(close(other), 0);
        CHECK_EQ(receive(one, buffer, 1), 0);
        parts[0] = parts[1] = (struct iovec) { .iov_base = buffer, .iov_len = 1 };
        CHECK_EQ(perform(send), -EPIPE);
        CHECK_EQ(close(one), 0);
        CHECK_EQ(close(listener), 0);
        to.fd = refused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(perform(to), -ECONNREFUSED);
        CHECK_EQ(close(refused), 0);
}

static int app(void *arg) {
        int before = count_open();

        (void) arg;
        errno = 4321;
        contents();
        names();
        errno = 4321;
        sockets();
        CHECK_EQ(count_open(), before);
        return 0;
}

/*
 * Memory that the kernel wrote to counts as initialized for memory checkers. An operation leaves
 * the task's errno alone.
 */
static int keeps_errno(void *arg) {
        char byte;
        int fds[2];

        (void) arg;
        make_pair(fds);
        say(fds[1], "a");
        errno = 4321;
        CHECK_EQ(receive(fds[0], &byte, 1), 1);
        CHECK_EQ(receive(999, &byte, 1), -EBADF);
        CHECK_EQ(errno, 4321);
        CHECK_EQ(byte, 'a');
        close_pair(fds);
        return 0;
}

int main(void) {
        const char *parent = getenv("TMPDIR");

        snprintf(directory, sizeof(directory), "%s/belay-ring.XXXXXX",
                 parent != NULL ? parent : "/tmp");
        CHECK(mkdtemp(directory) != NULL);
        run_with_ring(app);
        run_with_ring(keeps_errno);
        CHECK_EQ(rmdir(directory), 0);
        return 0;
}

#endif
