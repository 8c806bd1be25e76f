/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the library, each of which can be made to fail. The definitions here take
 * precedence over those of the C library. A plan says which call of which function fails and how:
 * with an error and no effect, or after a part.
 *
 * In reality, a call returns EAGAIN or moves a part only if nothing more is ready, and an event
 * follows when there is more. The shim therefore makes epoll report such an event again.
 *
 * Programs that include this header call the real functions with REAL().
 */
#ifndef BELAY_TESTS_SHIM_H
#define BELAY_TESTS_SHIM_H

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "base/help.h"
#include "base/timespec.h"

/* ---- functions that can fail ---- */

#define SHORT 1000 /* in place of an error: only one byte moves */

/* clang-format off */
/*
 * Each function with the errors that it is made to fail with: those that the system may return, and
 * that callers distinguish.
 */
#define FUNCTIONS(f)                                                                    \
        f(accept4, EINTR, EAGAIN, EMFILE, ENOBUFS, ECONNABORTED)                        \
        f(bind, EADDRINUSE, ENOMEM)                                                     \
        f(chmod, EROFS)                                                                 \
        f(close, EINTR, EIO)                                                            \
        f(connect, EINTR, EAGAIN, ECONNREFUSED, ENETUNREACH)                            \
        f(epoll_create1, EMFILE, ENOMEM)                                                \
        f(epoll_ctl, ENOMEM, ENOSPC)                                                    \
        f(epoll_wait, EINTR)                                                            \
        f(epoll_pwait2, EINTR, ENOSYS)                                                  \
        f(eventfd, EMFILE, ENOMEM)                                                      \
        f(fcntl, ENOMEM)                                                                \
        f(fdatasync, EINTR, EIO)                                                        \
        f(fsync, EINTR, EIO, ENOSPC)                                                    \
        f(fstat, ENOMEM)                                                                \
        f(fstatat, ENOMEM, EACCES)                                                      \
        f(ftruncate, EINTR, EIO)                                                        \
        f(getaddrinfo, EAI_AGAIN, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM)                   \
        f(getdents64, EIO, ENOENT)                                                      \
        f(getpeername, ENOBUFS)                                                         \
        f(getrandom, EINTR, ENOSYS)                                                     \
        f(getsockname, ENOBUFS)                                                         \
        f(getsockopt, ENOBUFS)                                                          \
        f(ioctl, ENOMEM)                                                                \
        f(listen, EADDRINUSE)                                                           \
        f(lstat, ENOMEM)                                                                \
        f(madvise, EAGAIN, EINVAL)                                                      \
        f(mkdirat, ENOSPC)                                                              \
        f(mmap, ENOMEM)                                                                 \
        f(mprotect, ENOMEM)                                                             \
        f(munmap, ENOMEM)                                                               \
        f(open, EMFILE, ENOENT)                                                         \
        f(openat, EINTR, EMFILE, EIO)                                                   \
        f(pipe2, EMFILE)                                                                \
        f(poll, EINTR, ENOMEM)                                                          \
        f(ppoll, EINTR)                                                                 \
        f(pread, EINTR, EIO, SHORT)                                                     \
        f(preadv2, EINTR, EAGAIN, EOPNOTSUPP, EIO, SHORT)                               \
        f(pthread_attr_init, ENOMEM)                                                    \
        f(pthread_create, EAGAIN)                                                       \
        f(pwrite, EINTR, ENOSPC, SHORT)                                                 \
        f(pwritev2, EINTR, EAGAIN, EOPNOTSUPP, ENOSPC, SHORT)                           \
        f(read, EINTR, EAGAIN, EIO, SHORT)                                              \
        f(recv, EINTR, EAGAIN, ECONNRESET, ENOMEM, SHORT)                               \
        f(recvmsg, EINTR, EAGAIN, ECONNRESET, SHORT)                                    \
        f(renameat, EIO)                                                                \
        f(send, EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, SHORT)                       \
        f(sendmsg, EINTR, EAGAIN, EPIPE, ENOBUFS, SHORT)                                \
        f(setsockopt, ENOBUFS)                                                          \
        f(shutdown, ENOTCONN)                                                           \
        f(sigaction, EINVAL)                                                            \
        f(sigaltstack, ENOMEM)                                                          \
        f(socket, EMFILE, ENOBUFS)                                                      \
        f(socketpair, EMFILE)                                                           \
        f(tee, EINVAL, ENOMEM)                                                          \
        f(timerfd_create, EMFILE)                                                       \
        f(unlink, EACCES)                                                               \
        f(unlinkat, EIO)                                                                \
        f(write, EINTR, EAGAIN, ENOSPC, SHORT)                                          \
        f(writev, EINTR, EAGAIN, EIO, SHORT)
/* clang-format on */

#define FUNCTION_NUMBER(name, ...) F_##name,
enum function {
        FUNCTIONS(FUNCTION_NUMBER) CALLS,
        F_memory = CALLS,
        F_memory_on,
        F_operation,
        FUNCTION_COUNT
};

struct function_info {
        const char *name;
        int errors[8]; /* list that ends at the first 0 */
};

#define FUNCTION_INFO(name, ...) { #name, { __VA_ARGS__ } },
static const struct function_info functions[FUNCTION_COUNT] = {
        FUNCTIONS(FUNCTION_INFO)[F_memory] = { "memory, once", { ENOMEM } },
        [F_memory_on] = { "memory, from then on", { ENOMEM } },
        [F_operation] = { "an operation of the ring",
                          { EINTR, EAGAIN, ECONNRESET, ENOMEM, SHORT } },
};

/* ---- the plan ---- */

static struct {
        enum function function;
        int error;
        unsigned nth; /* number of the call that fails, or 0 if none does */
} plan;

static _Atomic bool armed;
static _Atomic unsigned calls[FUNCTION_COUNT];
static _Atomic bool reached;

static inline bool fails(enum function function) {
        unsigned nth;

        if (!armed)
                return false;
        nth = atomic_fetch_add(&calls[function], 1) + 1;
        if (plan.function != function || plan.nth == 0 || nth != plan.nth)
                return false;
        reached = true;
        errno = plan.error;
        return true;
}

/* ---- the real functions ---- */

static void *real_of(const char *name) {
        void *found = dlsym(RTLD_NEXT, name);

        if (found == NULL)
                abort();
        return found;
}

/* clang-format off */
#define REAL(name)                                                              \
        ({                                                                      \
                static __typeof__(&name) found;                                 \
                                                                                \
                if (found == NULL)                                              \
                        *(void **) &found = real_of(#name);                     \
                found;                                                          \
        })
/* clang-format on */

/* ---- events ---- */

enum { REGISTERED_MOST = 4096 };

static struct {
        int epoll; /* epoll descriptor, or 0 if `fd` is not registered */
        struct epoll_event event;
} registered[REGISTERED_MOST];

static void note_registered(int epoll, int how, int fd, const struct epoll_event *event) {
        if (fd >= REGISTERED_MOST)
                return;
        registered[fd].epoll = how == EPOLL_CTL_DEL ? 0 : epoll;
        if (event != NULL)
                registered[fd].event = *event;
}

/* More bytes are there, or will be: makes epoll report the event again to the waiter. */
static void tell_again(int fd) {
        if (fd >= 0 && fd < REGISTERED_MOST && registered[fd].epoll > 0)
                REAL(epoll_ctl)(registered[fd].epoll, EPOLL_CTL_MOD, fd, &registered[fd].event);
}

/* ---- functions that fail or not ---- */

#define CALL(type, name, parameters, arguments)                            \
        type name parameters {                                             \
                return fails(F_##name) ? (type) -1 : REAL(name) arguments; \
        }

CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
CALL(int, chmod, (const char *path, mode_t mode), (path, mode))
CALL(int, epoll_create1, (int flags), (flags))
CALL(int, epoll_wait, (int epoll, struct epoll_event *events, int most, int timeout),
     (epoll, events, most, timeout))
CALL(int, fstat, (int fd, struct stat *stat), (fd, stat))
CALL(int, fstatat, (int fd, const char *path, struct stat *stat, int flags),
     (fd, path, stat, flags))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
CALL(ssize_t, getrandom, (void *buffer, size_t size, unsigned flags), (buffer, size, flags))
CALL(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))
CALL(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length),
     (fd, level, option, value, length))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, lstat, (const char *path, struct stat *stat), (path, stat))
CALL(int, madvise, (void *at, size_t size, int advice), (at, size, advice))
CALL(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
CALL(int, mprotect, (void *at, size_t size, int how), (at, size, how))
CALL(int, pipe2, (int fds[2], int flags), (fds, flags))
CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
CALL(int, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
     (fds, count, timeout, mask))
CALL(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
     (from_fd, from, to_fd, to))
CALL(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length),
     (fd, level, option, value, length))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, sigaction, (int signal, const struct sigaction *new, struct sigaction *old),
     (signal, new, old))
CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(int, socketpair, (int family, int type, int protocol, int fds[2]),
     (family, type, protocol, fds))
CALL(ssize_t, tee, (int from, int to, size_t size, unsigned flags), (from, to, size, flags))
CALL(int, timerfd_create, (int clock, int flags), (clock, flags))
CALL(int, unlink, (const char *path), (path))
CALL(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))

/* Memory checkers call this for their own threads. */
int sigaltstack(const stack_t *new, stack_t *old) {
        return gettid() == getpid() && fails(F_sigaltstack) ? -1 : REAL(sigaltstack)(new, old);
}

void *mmap(void *at, size_t size, int how, int flags, int fd, off_t offset) {
        return fails(F_mmap) ? MAP_FAILED : REAL(mmap)(at, size, how, flags, fd, offset);
}

/* Disks are slow, and these tests do not depend on the effect of a sync. */
int fsync(int fd) {
        return fails(F_fsync) ? -1 : REAL(fcntl)(fd, F_GETFD, NULL) < 0 ? -1 : 0;
}

int fdatasync(int fd) {
        return fails(F_fdatasync) ? -1 : REAL(fcntl)(fd, F_GETFD, NULL) < 0 ? -1 : 0;
}

/*
 * A mapping that the library could not unmap would distort the counts, so it is unmapped all the
 * same.
 */
int munmap(void *at, size_t size) {
        int rc = fails(F_munmap) ? -1 : 0, saved = errno;

        if (rc == 0)
                return REAL(munmap)(at, size);
        REAL(munmap)(at, size);
        errno = saved;
        return rc;
}

/* The eventfd that wakes a loop: reading and writing it cannot fail. */
static bool bells[REGISTERED_MOST];

static bool is_bell(int fd) {
        return fd >= 0 && fd < REGISTERED_MOST && bells[fd];
}

int eventfd(unsigned count, int flags) {
        int fd = fails(F_eventfd) ? -1 : REAL(eventfd)(count, flags);

        if (fd >= 0 && fd < REGISTERED_MOST)
                bells[fd] = true;
        return fd;
}

/* The descriptor is closed in spite of the fault. */
int close(int fd) {
        int rc = fails(F_close) ? -1 : 0, saved = errno;

        if (fd >= 0 && fd < REGISTERED_MOST) {
                registered[fd].epoll = 0;
                bells[fd] = false;
        }
        if (rc == 0)
                return REAL(close)(fd);
        REAL(close)(fd);
        errno = saved;
        return rc;
}

int epoll_ctl(int epoll, int how, int fd, struct epoll_event *event) {
        int rc = fails(F_epoll_ctl) ? -1 : REAL(epoll_ctl)(epoll, how, fd, event);

        if (rc == 0)
                note_registered(epoll, how, fd, event);
        return rc;
}

int pthread_attr_init(pthread_attr_t *attributes) {
        return fails(F_pthread_attr_init) ? plan.error : REAL(pthread_attr_init)(attributes);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*fn)(void *),
                   void *arg) {
        return fails(F_pthread_create) ? plan.error
                                       : REAL(pthread_create)(thread, attributes, fn, arg);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
        if (!fails(F_getaddrinfo))
                return REAL(getaddrinfo)(host, service, hints, found);
        errno = plan.error == EAI_SYSTEM ? EMFILE : 0;
        return plan.error;
}

/* Only F_SETFL may fail. */
int fcntl(int fd, int what, ...) {
        va_list list;
        void *value;

        va_start(list, what);
        value = va_arg(list, void *);
        va_end(list);
        return what == F_SETFL && fails(F_fcntl) ? -1 : REAL(fcntl)(fd, what, value);
}

#ifdef __GLIBC__
typedef unsigned long ioctl_number;
#else
typedef int ioctl_number;
#endif

int ioctl(int fd, ioctl_number what, ...) {
        va_list list;
        void *value;

        va_start(list, what);
        value = va_arg(list, void *);
        va_end(list);
        return fails(F_ioctl) ? -1 : REAL(ioctl)(fd, what, value);
}

int open(const char *path, int flags, ...) {
        mode_t mode = 0;
        va_list list;

        va_start(list, flags);
        if (flags & O_CREAT)
                mode = va_arg(list, mode_t);
        va_end(list);
        return fails(F_open) ? -1 : REAL(open)(path, flags, mode);
}

int openat(int fd, const char *path, int flags, ...) {
        mode_t mode = 0;
        va_list list;

        va_start(list, flags);
        if (flags & O_CREAT)
                mode = va_arg(list, mode_t);
        va_end(list);
        return fails(F_openat) ? -1 : REAL(openat)(fd, path, flags, mode);
}

/* ---- functions that move bytes ---- */

/* Returns how many bytes may move, or 0 if the call fails. */
static size_t allowed(enum function function, int fd, size_t size) {
        struct stat stat;

        if (!fails(function))
                return size;
        /* Regular files are always ready. */
        if (plan.error == EAGAIN && REAL(fstat)(fd, &stat) == 0 && S_ISREG(stat.st_mode))
                return size;
        if (plan.error == SHORT || plan.error == EAGAIN)
                tell_again(fd);
        errno = plan.error;
        return plan.error != SHORT ? 0 : size < 1 ? size : 1;
}

#define MOVES(name, parameters, arguments)                 \
        ssize_t name parameters {                          \
                size_t most = allowed(F_##name, fd, size); \
                                                           \
                if (most == 0 && size > 0)                 \
                        return -1;                         \
                size = most;                               \
                return REAL(name) arguments;               \
        }

MOVES(recv, (int fd, void *buffer, size_t size, int flags), (fd, buffer, size, flags))
MOVES(send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
MOVES(pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset))
MOVES(pwrite, (int fd, const void *data, size_t size, off_t offset), (fd, data, size, offset))

ssize_t read(int fd, void *buffer, size_t size) {
        size_t most = is_bell(fd) ? size : allowed(F_read, fd, size);

        return most == 0 && size > 0 ? -1 : REAL(read)(fd, buffer, most);
}

ssize_t write(int fd, const void *data, size_t size) {
        size_t most = is_bell(fd) ? size : allowed(F_write, fd, size);

        return most == 0 && size > 0 ? -1 : REAL(write)(fd, data, most);
}

/* Of several parts, passes only the first byte of the first part that is not empty. */
static int cut(const struct iovec *parts, int count, struct iovec *first) {
        for (int i = 0; i < count; i++)
                if (parts[i].iov_len > 0) {
                        *first = (struct iovec) { parts[i].iov_base, 1 };
                        return 1;
                }
        return 0;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
        size_t most = allowed(F_writev, fd, 2);
        struct iovec first;

        if (most == 1 && cut(parts, count, &first) == 1)
                return REAL(writev)(fd, &first, 1);
        return most == 0 ? -1 : REAL(writev)(fd, parts, count);
}

static bool is_datagram(int fd) {
        int type = 0;
        socklen_t length = sizeof(type);

        REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &length);
        return type == SOCK_DGRAM;
}

/* A datagram socket connects without waiting, so it is not interrupted. */
int connect(int fd, const struct sockaddr *address, socklen_t length) {
        bool refuses = fails(F_connect) && !(plan.error == EINTR && is_datagram(fd));

        return refuses ? -1 : REAL(connect)(fd, address, length);
}

/* A datagram moves as a whole or not at all. */
#define MOVES_MESSAGE(name, type)                                               \
        ssize_t name(int fd, type *message, int flags) {                        \
                size_t most = allowed(F_##name, fd, 2);                         \
                struct msghdr copy = *message;                                  \
                struct iovec first;                                             \
                                                                                \
                if (most == 0)                                                  \
                        return -1;                                              \
                if (most == 2 || is_datagram(fd)                                \
                    || cut(copy.msg_iov, (int) copy.msg_iovlen, &first) == 0)   \
                        return REAL(name)(fd, message, flags);                  \
                copy.msg_iov = &first;                                          \
                copy.msg_iovlen = 1;                                            \
                return move_part(message, REAL(name)(fd, &copy, flags), &copy); \
        }

static ssize_t move_part(const struct msghdr *message, ssize_t rc, const struct msghdr *copy) {
        struct msghdr *told = (struct msghdr *) message;

        told->msg_controllen = copy->msg_controllen;
        told->msg_namelen = copy->msg_namelen;
        told->msg_flags = copy->msg_flags;
        return rc;
}

MOVES_MESSAGE(recvmsg, struct msghdr)
MOVES_MESSAGE(sendmsg, const struct msghdr)

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
        return allowed(F_accept4, fd, 1) == 0 ? -1 : REAL(accept4)(fd, address, length, flags);
}

/* ---- calls by number ---- */

static enum function function_of(long number) {
        switch (number) {
        case SYS_epoll_pwait2:
                return F_epoll_pwait2;
        case SYS_preadv2:
                return F_preadv2;
        case SYS_pwritev2:
                return F_pwritev2;
        case SYS_getdents64:
                return F_getdents64;
        default:
                return FUNCTION_COUNT;
        }
}

long syscall(long number, ...) {
        enum function function = function_of(number);
        long of[6];
        struct iovec first;
        va_list list;

        va_start(list, number);
        for (int i = 0; i < 6; i++)
                of[i] = va_arg(list, long);
        va_end(list);
        if (function != FUNCTION_COUNT && fails(function)) {
                /* A pipe may have fewer bytes than were announced. */
                if (function != F_epoll_pwait2 && function != F_getdents64
                    && (plan.error == SHORT || plan.error == EAGAIN)) {
                        tell_again((int) of[0]);
                        errno = plan.error;
                }
                if (plan.error != SHORT)
                        return -1;
                if (cut((const struct iovec *) of[1], (int) of[2], &first) == 1) {
                        of[1] = (long) &first;
                        of[2] = 1;
                }
        }
        return REAL(syscall)(number, of[0], of[1], of[2], of[3], of[4], of[5]);
}

#endif
