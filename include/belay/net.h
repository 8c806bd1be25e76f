/* SPDX-License-Identifier: MIT */
/*
 * The network: connecting, listening, serving, datagrams, descriptors that travel.
 *
 *     static int echo(belay_stream *stream, void *arg) {
 *             int64_t copied;
 *
 *             return belay_copy(stream, stream, -1, &copied);
 *     }
 *
 *     static int app(void *arg) {
 *             belay_listener *listener;
 *             int rc = belay_listen(&listener, "127.0.0.1:7007", NULL);
 *
 *             if (rc == 0)
 *                     rc = belay_serve(listener, echo, NULL, NULL);      until app is cancelled
 *             belay_listener_close(listener);
 *             return rc;
 *     }
 *
 * Endpoints are texts:
 *     "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80"   addresses and ports
 *     "example.org:https"       names and services, looked up as getaddrinfo() does, without holding up the loop
 *     ":80", "*:80"             to listen: at every address, IPv6 and IPv4; port 0: any that is free. To connect: this machine
 *     "unix:/run/app.sock"      a Unix socket; "unix:@name" one of Linux's abstract ones
 * A text that is none of these is -EINVAL; a name that is not known, -ENOENT; one that could not be
 * looked up for now, -EAGAIN.
 *
 * What this machine is short of (-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS, -ENOSPC) is never told as
 * something else. A look-up for which descriptors are missing is -EMFILE, not -ENOENT. If one of
 * several addresses could not be tried for want of something, that is the error, since the others'
 * answers do not speak for it.
 *
 * A failure's detail says what failed, and why: "endpoint \"tcp:80:x\": expected HOST:PORT, or
 * [IPv6 address]:PORT at character 4", "unknown host \"example\"", "connect to 127.0.0.1:80:
 * Connection refused". belay_failure_format() gives it, and so do log lines.
 *
 * Threads: the loop's own.
 * Cancellation: functions that do not speak of it are no cancellation points. A function that finds
 * what it is for returns without waiting, even if a request is pending or a limit is over; see
 * <belay/io.h> for the rule.
 */
#ifndef BELAY_NET_H
#define BELAY_NET_H

#include <belay/stream.h>

BELAY_BEGIN

/* ---- connecting ---- */

struct sockaddr;

typedef struct belay_connect_options {
        size_t size;                      /* sizeof(belay_connect_options) */
        const char *local;                /* the endpoint to connect from; NULL: the system chooses */
        /* Where a name has several addresses, the next is tried beside those before it when so much time went by; 0: 250 ms. */
        belay_time stagger;
        bool nagle;                       /* small writes wait for company (no TCP_NODELAY) */
} belay_connect_options;

/*
 * Connects. Of several addresses the function takes the first that answers.
 * Returns: 0 with the stream; otherwise *stream is NULL.
 * Errors: that of the last address that failed, or what this machine is short of, if an address
 * could not be tried.
 *     -ECONNREFUSED, -ENETUNREACH, -EHOSTUNREACH, -EACCES.
 *     -ETIMEDOUT      the system's own limit, of minutes. Set one of your own.
 *     -ENOENT         the name is not known, or there is no such Unix socket.
 *     -EAGAIN         the name could not be looked up for now.
 *     -EADDRNOTAVAIL  .local is no address of this machine, or no port is left to connect from.
 *     -EADDRINUSE, -EAFNOSUPPORT  with .local: it is in use; it does not go together with the endpoint.
 *     -EINVAL, -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS.
 *     The detail names the address. If several were tried, one failure for each lies beneath, in their order.
 * Ownership: the file of a Unix socket's .local is the program's once it is connected.
 * Cancellation: a cancellation point if the peer has not answered yet, if there is a name to look
 * up, or if there are several
 *     addresses. If -ECANCELED, no connection is left. A connection that stands, or was refused, when a request is delivered
 *     is returned.
 */
BELAY_API int belay_connect(belay_stream **stream, const char *endpoint, const belay_connect_options *options) BELAY_MUST_USE;
/* The same to one address. */
BELAY_API int belay_connect_to(belay_stream **stream, const struct sockaddr *address, unsigned length,
                               const belay_connect_options *options) BELAY_MUST_USE;

/* ---- names ---- */

typedef struct belay_address {
        unsigned length;                  /* a socklen_t */
        int type;                         /* SOCK_STREAM, SOCK_DGRAM */
        /* A struct sockaddr_storage, so that <sys/socket.h> need not be included here: (struct sockaddr *) address. */
        unsigned char address[128] __attribute__((aligned(8)));
        uint64_t reserved[4];             /* zero; room for what more may be known of an address */
} belay_address;

/*
 * Looks an endpoint up. `type` is SOCK_STREAM or SOCK_DGRAM. Texts that are addresses take no time.
 * A thread looks names up by getaddrinfo(), which cannot be stopped: after a cancellation it goes
 * on alone, and keeps what it needs.
 * Returns: 0 with an array of *count addresses, at least one, in the order in which they should be
 * tried.
 * Errors:
 *     -EINVAL   the text is no endpoint; the detail says what was expected, and where.
 *     -ENOENT   the host or the service is not known.
 *     -EAGAIN   it could not be looked up for now, as when no server for names answers.
 *     -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS  this machine is short of something. A name takes 2 descriptors for a moment.
 *     Others that the system has for its own files, such as -EACCES.
 * Ownership: the array is the caller's, for belay_addresses_free().
 * Cancellation: a cancellation point if there is a name to look up; the function returns at once.
 */
BELAY_API int belay_resolve(const char *endpoint, int type, belay_address **addresses, size_t *count) BELAY_MUST_USE;
BELAY_API void belay_addresses_free(belay_address *addresses, size_t count);
/* An address as an endpoint's text, cut off at `size`; returns `text`. */
BELAY_API char *belay_address_text(const struct sockaddr *address, unsigned length, char *text, size_t size);
enum { BELAY_ADDRESS_TEXT = 160 };        /* is enough for any */

/* ---- listening ---- */

typedef struct belay_listener belay_listener;

typedef struct belay_listen_options {
        size_t size;                      /* sizeof(belay_listen_options) */
        int backlog;                      /* connections that wait to be accepted; 0: as many as the system lets be */
        bool share;                       /* several sockets may listen at one address (SO_REUSEPORT) */
        bool nagle;                       /* of the connections: see belay_connect_options */
        int mode;                         /* of a Unix socket's file, as chmod(); 0: as the umask has it */
} belay_listen_options;

/*
 * Listens. With "*" or no host it listens at every address of both families, where the system has
 * both; at a name, at the first of its addresses that is one of this machine. A Unix socket's file
 * that nobody listens at any more is replaced; the file is removed when the listener is closed.
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -ENFILE, -EINVAL, -ENOMEM, -ENOENT (also: no
 * directory for a Unix socket's file), and those of the look-up.
 * Cancellation: a cancellation point if there is a name to look up.
 */
BELAY_API int belay_listen(belay_listener **listener, const char *endpoint, const belay_listen_options *options) BELAY_MUST_USE;
/*
 * Make a listener of a socket that listens already, as one that was handed down. Linux has no
 * accept() that never waits, but by a flag which all share who have the socket. If the loop waits
 * by epoll, the function sets that flag, and the listener's end takes it back if it was not set
 * before. Others may change it meanwhile: the listener looks before each accept(), and sets it
 * again. Then a thread of belay waits in accept() only if, between two system calls, one process
 * takes the flag back and another the connection. By io_uring no flag is used.
 * Returns: 0 with the listener.
 * Errors: -EBADF, -EINVAL: no socket that listens. -EBUSY: a listener of this loop has it already;
 * reported with both places. -EPERM: no loop runs in this thread. -ENOMEM.
 * Ownership: the descriptor is the listener's; if the function fails, it is still the caller's.
 */
BELAY_API int belay_listen_fd(belay_listener **listener, int fd) BELAY_MUST_USE;

/*
 * Accept a connection, and make a stream of it. The function passes over connections that were gone
 * before it accepted them. Several tasks may accept at a time.
 * Returns: 0 with the stream.
 * Errors: -EMFILE, -ENFILE, -ENOBUFS: the connection still waits. -ENOMEM: it waits, or was closed.
 * -EBADF: another task closed the listener meanwhile, and its handle is gone. The function returns
 * -EBADF then, whatever else happened: a connection that it had accepted in that turn is reset, and
 * a request for cancellation stays pending for the next wait.
 * Cancellation: a cancellation point if no connection waits; none is lost.
 */
BELAY_API int belay_accept(belay_listener *listener, belay_stream **stream) BELAY_MUST_USE;

/* Where it listens, as an endpoint: with the port that was chosen. The listener's. And its descriptor, borrowed. */
BELAY_API const char *belay_listener_endpoint(const belay_listener *listener);
BELAY_API int belay_listener_fd(const belay_listener *listener);

/* Listens no more; tasks that wait in it get -EBADF. The handle is gone. NULL does nothing. */
BELAY_API void belay_listener_close(belay_listener *listener);

/* ---- serving ---- */

/*
 * Handles a connection in a task of its own. belay_serve() closes the stream when the handler
 * returns, unless the handler, or any other task, closed it before.
 */
typedef int belay_serve_fn(belay_stream *stream, void *arg);

typedef struct belay_serve_options {
        size_t size;                      /* sizeof(belay_serve_options) */
        size_t most;                      /* connections that are handled at a time: more wait to be accepted; 0: any number */
        belay_time grace;                 /* how long connections may go on when serving ends; 0: 10 s; BELAY_NEVER */
        belay_time close_limit;           /* of closing in good order a connection whose handler returned; 0: 1 s */
        size_t stack_size;                /* of the handlers' tasks; 0: the loop's */
        /*
         * Called in the handler's task with what it returned, if that is a failure; belay_failure_take(rc) has its text.
         * `stream` is NULL if it was closed before. NULL: a log line with the text, but for -ECANCELED, -EPIPE, -ECONNRESET.
         */
        void (*failed)(belay_stream *stream, int rc, void *arg);
        size_t linger_most;               /* connections that are closed in good order at a time, see below; 0: 256 */
} belay_serve_options;

/*
 * Serves: accepts connections and handles each by handler(stream, arg) in a task of its own, until
 * the calling task is cancelled or belay_serve_stop() is called.
 *
 * A connection whose handler returned no failure is closed in good order, for `close_limit` at
 * most. It lingers meanwhile, and `.most` does not count it. No more than `linger_most` connections
 * linger. Beyond that the connection that has lingered for longest is closed at once, and then its
 * peer may lose the last bytes that it has not read. If descriptors or memory run out, lingering
 * connections are closed at once, too, and accepting goes on when there is room again. A connection
 * whose handler returned a failure is aborted. That failure ends no other connection.
 *
 * When serving ends, the function closes the listener first, so that others may listen in its
 * place. Connections go on for `grace`, and those that linger do so, too. The function cancels
 * those that are left, and waits for their clean-up. A further request for the calling task cancels
 * them at once.
 * Returns: 0 if it was stopped. No connection is left, whatever it returns, and the caller still
 * closes the listener's handle.
 * Errors: -ECANCELED if it was cancelled; -EBADF if another task closed the listener, whatever else
 * happened, and its handle is gone; -EINVAL for negative options; -EBUSY if another task serves
 * there; else why accepting failed for good.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_serve(belay_listener *listener, belay_serve_fn *handler, void *arg,
                          const belay_serve_options *options) BELAY_MUST_USE;
/* Ends serving as said above. 0; -ESRCH: nobody serves there. */
BELAY_API int belay_serve_stop(belay_listener *listener);
/* The connections whose handlers have not returned, which is what `.most` counts; and those that linger, which it does not. */
BELAY_API size_t belay_serve_count(const belay_listener *listener);
BELAY_API size_t belay_serve_lingering(const belay_listener *listener);

/* ---- datagrams ---- */

typedef struct belay_datagrams belay_datagrams;

/*
 * A socket for datagrams, bound to `local` (NULL: any free port; no name for a Unix socket) and
 * connected to `remote` (NULL: to none). At least one is needed. ":port" is one socket for both
 * families; a Unix socket's file that was left over is replaced, and removed when the socket is
 * closed. Errors as of belay_listen() and belay_connect(); -EAFNOSUPPORT: they do not go together.
 * Cancellation: a cancellation point if there is a name to look up.
 */
BELAY_API int belay_datagrams_open(belay_datagrams **socket, const char *local, const char *remote) BELAY_MUST_USE;
/*
 * Receives one datagram: returns its whole length, also where only `size` bytes of it had room.
 * *from (may be NULL) gets who sent it. -ECONNREFUSED: one that was sent before found nobody.
 * -EBADF: closed meanwhile. Any number of tasks may wait in both.
 * Cancellation: a cancellation point if there is none; none is lost.
 */
BELAY_API ssize_t belay_receive(belay_datagrams *socket, void *buffer, size_t size, belay_address *from) BELAY_MUST_USE;
/*
 * Sends one, whole or not at all, to `to`, or where the socket is connected to (NULL). Returns
 * `size`; -EMSGSIZE, -ECONNREFUSED, -EDESTADDRREQ, -ENOENT, -EBADF.
 * Cancellation: a cancellation point if there is no room; nothing was sent then.
 */
BELAY_API ssize_t belay_send(belay_datagrams *socket, const void *data, size_t size, const belay_address *to) BELAY_MUST_USE;
BELAY_API int belay_datagrams_fd(const belay_datagrams *socket);
/* Its own endpoint, with the port that was chosen. */
BELAY_API const char *belay_datagrams_endpoint(const belay_datagrams *socket);
/* NULL does nothing. */
BELAY_API void belay_datagrams_close(belay_datagrams *socket);

/* ---- descriptors that travel ---- */

enum { BELAY_DESCRIPTORS_MOST = 253 };    /* in one message, as Linux has it */

/*
 * Sends bytes, at least one, with descriptors, over a stream of a Unix socket. The receiver gets
 * copies of them. Returns how many bytes went, as belay_write(): the descriptors went with the
 * first. -EINVAL: no bytes, or too many descriptors; -EOPNOTSUPP: no Unix socket; -EBADF;
 * -ETOOMANYREFS.
 * Cancellation: as belay_write(); if -ECANCELED, the descriptors did not go.
 */
BELAY_API ssize_t belay_send_descriptors(belay_stream *stream, const void *data, size_t size, const int *fds,
                                         size_t count) BELAY_MUST_USE;
/*
 * Read bytes, as belay_read(), and the descriptors that came with them: *count says how many `fds`
 * has room for, and gets how many came. Other functions that read close the descriptors that come
 * with their bytes.
 * Returns: as belay_read().
 * Errors: -EMSGSIZE: more descriptors came than `fds` has room for. -EMFILE: more came than the
 * process can have. The function closes all of them then, *count is 0, and the bytes that they came
 * with are the next that the stream reads. If there is no memory to keep these bytes, all that
 * reads from then on returns -ENOTRECOVERABLE. -EOPNOTSUPP: no Unix socket. Errors of belay_read().
 * Cancellation: as belay_read(); no descriptor is lost or left open.
 * Ownership: the descriptors are the caller's, and closed on exec.
 */
BELAY_API ssize_t belay_receive_descriptors(belay_stream *stream, void *buffer, size_t size, int *fds,
                                            size_t *count) BELAY_MUST_USE;

BELAY_END
#endif
