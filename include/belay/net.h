/* SPDX-License-Identifier: MIT */
/*
 * The network: connections, listeners, servers, datagrams, and descriptors sent to other processes.
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
 *     - "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80": an address and a port.
 *     - "example.org:https": a name and a service. The library looks them up as getaddrinfo() does,
 *       without holding up the loop.
 *     - ":80", "*:80": to listen, every address of this machine, IPv6 and IPv4. Port 0 is any free
 *       port. To connect, this machine.
 *     - "unix:/run/app.sock": a Unix socket. "unix:@name" is a Unix socket in Linux's abstract
 *       namespace.
 *
 * A text of another form is -EINVAL. A name that is not known is -ENOENT, and a name that could not
 * be looked up at the moment is -EAGAIN.
 *
 * A lack of something on this machine (-EMFILE, -ENFILE, -ENOMEM, -ENOBUFS, -ENOSPC) is never
 * returned as another error. A lookup that has no descriptors left returns -EMFILE, not -ENOENT. If
 * one of several addresses could not be tried for such a lack, the function returns that error. The
 * answers of the other addresses say nothing about the one that was not tried.
 *
 * A failure's detail states the step that failed, and why: "endpoint \"tcp:80:x\": expected
 * HOST:PORT, or [IPv6 address]:PORT at character 4", "unknown host \"example\"", "connect to
 * 127.0.0.1:80: Connection refused". belay_failure_format() returns it, and log lines show it.
 *
 * Threads: the loop's own thread.
 * Cancellation: a function is a cancellation point only if its comment says so. A function whose
 * try succeeds returns without waiting, even if a request is pending or a timeout is due (see
 * <belay/io.h>).
 */
#ifndef BELAY_NET_H
#define BELAY_NET_H

#include <belay/stream.h>

BELAY_BEGIN

/* ---- connecting ---- */

struct sockaddr;

/* Options of belay_connect() and belay_connect_to(). Zero is the default of each. */
typedef struct belay_connect_options {
        size_t size;       /* sizeof(belay_connect_options) */
        const char *local; /* endpoint to connect from; NULL: the system chooses */
        /* span after which the next of several addresses is tried as well (RFC 8305); 0: 250 ms */
        belay_time stagger;
        bool nagle; /* small writes may be delayed (no TCP_NODELAY) */
} belay_connect_options;

/*
 * Connect to an endpoint.
 *
 * If the endpoint has several addresses, the function takes the first that answers. It tries the
 * next address when the one before has failed, or after .stagger (RFC 8305). The system's own limit
 * on a connection is minutes, so the program should enter a timeout of its own.
 *
 * If all addresses failed, the function returns the error of the last one that failed. If an
 * address could not be tried for a lack of something on this machine, it returns that error. The
 * detail names the address. If several were tried, one failure for each lies beneath, in their
 * order.
 *
 * The function also returns any other error of socket(2), bind(2) or connect(2), and of the lookup
 * (see belay_resolve()).
 *
 * Returns: 0 with the stream in *stream. If the function fails, *stream is NULL.
 * Errors:
 *   -ECONNREFUSED  no program listens at the address.
 *   -ENETUNREACH  no route leads to the network.
 *   -EHOSTUNREACH  no route leads to the host.
 *   -EACCES     the system does not permit the connection.
 *   -ETIMEDOUT  the peer did not answer within the system's own limit, which is minutes.
 *   -ENOENT     the name is not known, or there is no such Unix socket.
 *   -EAGAIN     the name could not be looked up at the moment, or the system has no thread left.
 *   -EADDRNOTAVAIL  .local is no address of this machine, or no port is left to connect from.
 *   -EADDRINUSE  .local is in use.
 *   -EAFNOSUPPORT  .local and the endpoint are of different families.
 *   -ECANCELED  the task was cancelled; no connection is left.
 *   -ECONNABORTED  the tasks that tried the addresses were cancelled, and the calling task was not.
 *   -EBADF      the program closed the descriptor of the connection that was being made.
 *   -EINVAL     a text is no endpoint, or .stagger is negative.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if the peer has not answered yet, if there is a name to look
 * up, or if there are several addresses. If the connection stands, or was refused, when a request
 * is delivered, the function returns that, and the request stays pending.
 * Ownership: the stream is the caller's. The file of a Unix socket at .local is the program's once
 * the function has connected. If the function fails, it removes that file.
 */
BELAY_API int belay_connect(belay_stream **stream, const char *endpoint,
                            const belay_connect_options *options) BELAY_MUST_USE;
/*
 * Connect to one socket address.
 *
 * The function works as belay_connect(), without a lookup of the address.
 *
 * The function also returns any other error of socket(2), bind(2) or connect(2), and of the lookup
 * of .local (see belay_resolve()).
 *
 * Returns: 0 with the stream in *stream. If the function fails, *stream is NULL.
 * Errors:
 *   -ECONNREFUSED  no program listens at the address.
 *   -ENETUNREACH  no route leads to the network.
 *   -EHOSTUNREACH  no route leads to the host.
 *   -EACCES     the system does not permit the connection.
 *   -ETIMEDOUT  the peer did not answer within the system's own limit, which is minutes.
 *   -ENOENT     .local is not known, or there is no such Unix socket.
 *   -EAGAIN     .local could not be looked up at the moment, or the system has no thread left.
 *   -EADDRNOTAVAIL  .local is no address of this machine, or no port is left to connect from.
 *   -EADDRINUSE  .local is in use.
 *   -EAFNOSUPPORT  .local and the endpoint are of different families.
 *   -ECANCELED  the task was cancelled; no connection is left.
 *   -EBADF      the program closed the descriptor of the connection that was being made.
 *   -EINVAL     `length` is no length of an address, .local is no endpoint, or .stagger is
 *               negative.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if the peer has not answered yet, or if .local is a name to
 * look up. If the connection stands, or was refused, when a request is delivered, the function
 * returns that, and the request stays pending.
 * Ownership: the stream is the caller's. The file of a Unix socket at .local is the program's once
 * the function has connected. If the function fails, it removes that file.
 */
BELAY_API int belay_connect_to(belay_stream **stream, const struct sockaddr *address,
                               unsigned length,
                               const belay_connect_options *options) BELAY_MUST_USE;

/* ---- names ---- */

/*
 * A socket address. `address` has room for a struct sockaddr_storage, so that <sys/socket.h> need
 * not be included here. The program casts it: (struct sockaddr *) address.
 */
typedef struct belay_address {
        unsigned length; /* a socklen_t */
        int type;        /* SOCK_STREAM or SOCK_DGRAM */
        unsigned char address[128] __attribute__((aligned(8)));
        uint64_t reserved[4]; /* zero; room for more about an address */
} belay_address;

/*
 * Look up the addresses of an endpoint.
 *
 * `type` is SOCK_STREAM or SOCK_DGRAM. A text that is an address takes no time. A thread looks
 * names up by getaddrinfo(), which cannot be stopped. After a cancellation it goes on alone, and
 * keeps what it needs.
 *
 * The function also returns other errors that the system has for its own files, such as -EACCES.
 *
 * Returns: 0 with an array of at least one address in *addresses, and their number in *count. The
 * addresses are in the order in which they should be tried.
 * Errors:
 *   -EINVAL     the text is no endpoint, or `type` is neither of the two. The detail states the
 *               expected form, and at which character.
 *   -ENOENT     the host or the service is not known.
 *   -EAGAIN     the name could not be looked up at the moment, as when no name server answers.
 *   -EAGAIN     the system has no thread left.
 *   -ECANCELED  the task was cancelled.
 *   -EMFILE     the process has no descriptor left. A lookup takes 2 descriptors for a moment.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system has no room left for what the lookup needs.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if there is a name to look up. The function returns at once.
 * Ownership: the caller frees the array by belay_addresses_free().
 */
BELAY_API int belay_resolve(const char *endpoint, int type, belay_address **addresses,
                            size_t *count) BELAY_MUST_USE;
/*
 * Free an array of addresses that belay_resolve() returned.
 *
 * If `addresses` is NULL, the function does nothing.
 */
BELAY_API void belay_addresses_free(belay_address *addresses, size_t count);
/*
 * Write an address as the text of an endpoint.
 *
 * The function truncates the text to `size`. BELAY_ADDRESS_TEXT bytes are enough for any address.
 *
 * Returns: `text`.
 */
BELAY_API char *belay_address_text(const struct sockaddr *address, unsigned length, char *text,
                                   size_t size);
/* Size of a buffer that is enough for the text of any address. */
enum { BELAY_ADDRESS_TEXT = 160 };

/* ---- listening ---- */

/* A socket that accepts connections. */
typedef struct belay_listener belay_listener;

/* Options of belay_listen(). Zero is the default of each. */
typedef struct belay_listen_options {
        size_t size; /* sizeof(belay_listen_options) */
        int backlog; /* connections that wait; 0: the system's maximum */
        bool share;  /* several sockets may listen there (SO_REUSEPORT) */
        bool nagle;  /* of the connections, as in belay_connect_options */
        int mode;    /* of a Unix socket's file, as chmod(); 0: by the umask */
} belay_listen_options;

/*
 * Listen at an endpoint.
 *
 * If the host is "*" or missing, the function listens at every address of both families, as far as
 * the system has both. If the host is a name, it listens at the first address of the name that is
 * an address of this machine. If no program listens any more at the file of a Unix socket, the
 * function replaces that file. The file is removed when the listener is closed.
 *
 * The function also returns any other error of socket(2), bind(2), chmod(2) or listen(2), and of
 * the lookup (see belay_resolve()).
 *
 * Returns: 0 with the listener in *listener. If the function fails, *listener is NULL.
 * Errors:
 *   -EADDRINUSE  another socket listens at the address.
 *   -EADDRNOTAVAIL  the address is not one of this machine.
 *   -EAFNOSUPPORT  the system does not have the family of the address.
 *   -EACCES     the system does not permit the address.
 *   -ENOENT     the name is not known, or the directory of a Unix socket's file does not exist.
 *   -EAGAIN     the name could not be looked up at the moment, or the system has no thread left.
 *   -ECANCELED  the task was cancelled.
 *   -EINVAL     the text is no endpoint, or .backlog or .mode is negative.
 *   -EMFILE     the process has no descriptor left. A lookup takes 2 descriptors for a moment.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     no room for a Unix socket's file.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if there is a name to look up.
 * Ownership: the caller closes the listener by belay_listener_close().
 */
BELAY_API int belay_listen(belay_listener **listener, const char *endpoint,
                           const belay_listen_options *options) BELAY_MUST_USE;
/*
 * Make a listener of a socket that listens already, such as an inherited one.
 *
 * Linux has no accept() that never waits, except by a flag (O_NONBLOCK) which all processes share
 * that have the socket. If the loop waits by epoll, the function sets that flag. When the listener
 * is closed, it clears the flag, unless it was set before. Other processes may change the flag
 * meanwhile, so the listener polls before each accept(), and sets the flag again. A thread of belay
 * waits in accept() only in one case. Between two system calls, one process must clear the flag and
 * another accept the connection. With io_uring no flag is used.
 *
 * Returns: 0 with the listener in *listener. If the function fails, *listener is NULL.
 * Errors:
 *   -EBADF      `fd` is not an open descriptor.
 *   -EINVAL     `fd` is not a stream socket that listens.
 *   -EBUSY      a listener, a stream or a socket of this loop already owns `fd` (reported, with
 *               both call sites).
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      no loop runs in this thread (reported).
 * Ownership: the listener owns the descriptor. If the function fails, the descriptor is still the
 * caller's.
 */
BELAY_API int belay_listen_fd(belay_listener **listener, int fd) BELAY_MUST_USE;

/*
 * Accept a connection, and make a stream of it.
 *
 * The function passes over connections that were gone before it accepted them. Several tasks may
 * accept at a time.
 *
 * If another task closes the listener during the call, the function returns -EBADF, whatever else
 * happened. It resets a connection that it had accepted already. A cancellation request then stays
 * pending until the task's next cancellation point.
 *
 * The function also returns any other error of accept4(2).
 *
 * Returns: 0 with the stream in *stream. If the function fails, *stream is NULL.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; no connection is lost.
 *   -EBADF      another task closed the listener meanwhile, and the handle is invalid.
 *   -EBADF      the listener listens no more, as after belay_serve().
 *   -EMFILE     the process has no descriptor left; the connection still waits.
 *   -ENFILE     the system has no descriptor left; the connection still waits.
 *   -ENOBUFS    the system has no buffer left; the connection still waits.
 *   -ENOMEM     no memory; the connection still waits, or was closed.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task, or the listener belongs to another loop (reported).
 * Cancellation: a cancellation point if no connection waits.
 * Ownership: the stream is the caller's.
 */
BELAY_API int belay_accept(belay_listener *listener, belay_stream **stream) BELAY_MUST_USE;

/*
 * Return the endpoint at which a listener listens, with the port that was chosen.
 *
 * Returns: the endpoint. Never NULL.
 * Ownership: the text is borrowed from the listener.
 */
BELAY_API const char *belay_listener_endpoint(const belay_listener *listener);
/*
 * Return the descriptor of a listener.
 *
 * Returns: the descriptor.
 * Errors:
 *   -EBADF      the listener listens no more, as after belay_serve(), or the program closed the
 *               descriptor.
 * Ownership: the descriptor is borrowed from the listener.
 */
BELAY_API int belay_listener_fd(const belay_listener *listener);

/*
 * Close a listener.
 *
 * The calls of tasks that wait in it return -EBADF. If `listener` is NULL, the function does
 * nothing.
 *
 * Ownership: the handle is invalid.
 */
BELAY_API void belay_listener_close(belay_listener *listener);

/* ---- serving ---- */

/*
 * The handler of a connection, which runs in a task of its own.
 *
 * belay_serve() closes the stream when the handler returns, unless the handler or another task
 * closed it before. A negative return value is a failure.
 */
typedef int belay_serve_fn(belay_stream *stream, void *arg);

/* Options of belay_serve(). Zero is the default of each. */
typedef struct belay_serve_options {
        size_t size;            /* sizeof(belay_serve_options) */
        size_t most;            /* connections handled at a time; 0: no bound */
        belay_time grace;       /* span for connections after serving ends; 0: 10 s */
        belay_time close_limit; /* limit of a graceful close after the handler; 0: 1 s */
        size_t stack_size;      /* of the handlers' tasks; 0: the loop's */
        /*
         * Called in the handler's task with the handler's failure `rc`, whose text
         * belay_failure_take(rc) has. `stream` is NULL if it was closed before. If the member is
         * NULL, a log line reports the text, except for -ECANCELED, -EPIPE and -ECONNRESET.
         */
        void (*failed)(belay_stream *stream, int rc, void *arg);
        size_t linger_most; /* connections closed gracefully at a time; 0: 256 */
} belay_serve_options;

/*
 * Accept connections, and handle each in a task of its own.
 *
 * Each task calls handler(stream, arg). Serving ends when the calling task is cancelled, or when
 * belay_serve_stop() is called.
 *
 * If a handler returns no failure, its connection is closed gracefully, for .close_limit at most.
 * The connection lingers meanwhile, and .most does not count it. No more than .linger_most
 * connections linger. Beyond that, the connection that has lingered for longest is closed at once.
 * Its peer may then lose the last bytes that it has not read. If descriptors or memory run out,
 * lingering connections are closed at once, too. A log line reports the lack, and accepting goes on
 * when there is room again. If a handler returns a failure, its connection is aborted. That failure
 * ends no other connection.
 *
 * When serving ends, belay_serve() closes the listening socket first, so that another process can
 * bind the address. Then it lets open connections, and connections that linger, go on for up to
 * .grace (BELAY_NEVER: without a limit). Last it cancels the remaining ones and waits for their
 * cleanup. A further cancellation request for the calling task during the grace cancels them at
 * once.
 *
 * No connection is left, whatever the function returns.
 *
 * The function also returns any other error of belay_accept() that is not a lack of memory or
 * descriptors.
 *
 * Returns: 0 if belay_serve_stop() ended serving.
 * Errors:
 *   -ECANCELED  the task was cancelled.
 *   -EBADF      another task closed the listener, whatever else happened. The handle is invalid.
 *   -EBADF      the listener listens no more, as after an earlier belay_serve().
 *   -EINVAL     .grace or .close_limit is negative, or .stack_size is larger than a stack can be.
 *   -EBUSY      another task serves at the listener (reported).
 *   -EDEADLK    .most connections were open, and the loop found that no task could ever go on.
 *   -EPERM      the caller is not a task, or the listener belongs to another loop (reported).
 * Cancellation: a cancellation point.
 * Ownership: the caller still closes the listener's handle, except after the first -EBADF.
 */
BELAY_API int belay_serve(belay_listener *listener, belay_serve_fn *handler, void *arg,
                          const belay_serve_options *options) BELAY_MUST_USE;
/*
 * End serving at a listener, as a cancellation of the serving task does.
 *
 * The listening socket is closed at once. belay_serve() returns 0 when its connections have ended.
 *
 * Returns: 0.
 * Errors:
 *   -ESRCH      no task serves at the listener.
 */
BELAY_API int belay_serve_stop(belay_listener *listener);
/*
 * Return the number of connections whose handlers have not returned.
 *
 * .most bounds this number. Connections that linger are not part of it.
 *
 * Returns: the number of connections, 0 if no task serves at the listener.
 */
BELAY_API size_t belay_serve_count(const belay_listener *listener);
/*
 * Return the number of connections that linger: they are being closed gracefully.
 *
 * Returns: the number of connections, 0 if no task serves at the listener.
 */
BELAY_API size_t belay_serve_lingering(const belay_listener *listener);

/* ---- datagrams ---- */

/* A socket that sends and receives whole messages. Any number of tasks may wait in it. */
typedef struct belay_datagrams belay_datagrams;

/*
 * Open a datagram socket.
 *
 * The socket is bound to `local` and connected to `remote`. One of the two may be NULL. If `local`
 * is NULL, the system chooses a free port, and a Unix socket has no name. If `remote` is NULL, the
 * socket is not connected. ":port" is one socket for both families. If no program uses the file of
 * a Unix socket at `local` any more, the function replaces it. The file is removed when the socket
 * is closed.
 *
 * The function also returns any other error of socket(2), bind(2) or connect(2), and of the lookups
 * (see belay_resolve()).
 *
 * Returns: 0 with the socket in *socket. If the function fails, *socket is NULL.
 * Errors:
 *   -EAFNOSUPPORT  `local` and `remote` are of different families, or the system does not have the
 *               family.
 *   -EADDRINUSE  `local` is in use.
 *   -EADDRNOTAVAIL  `local` is no address of this machine, or no port is left.
 *   -EACCES     the system does not permit an address.
 *   -ECONNREFUSED  no program uses the Unix socket `remote`.
 *   -ENETUNREACH  no route leads to `remote`.
 *   -ENOENT     a name is not known, there is no Unix socket `remote`, or the directory of the Unix
 *               socket `local` does not exist.
 *   -EAGAIN     a name could not be looked up at the moment, or the system has no thread left.
 *   -ECANCELED  the task was cancelled.
 *   -EINVAL     both are NULL, or a text is no endpoint.
 *   -EMFILE     the process has no descriptor left. A lookup takes 2 descriptors for a moment.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     no room for a Unix socket's file.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if there is a name to look up.
 * Ownership: the caller closes the socket by belay_datagrams_close().
 */
BELAY_API int belay_datagrams_open(belay_datagrams **socket, const char *local,
                                   const char *remote) BELAY_MUST_USE;
/*
 * Receive one datagram.
 *
 * If `size` is too small, the function drops the rest of the datagram. *from (may be NULL) gets the
 * address of the sender. If a Unix socket without a name sent the datagram, .length is
 * sizeof(sa_family_t).
 *
 * The function also returns any other error of recvmsg(2).
 *
 * Returns: the whole length of the datagram, even if only `size` bytes of it had room.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; no datagram is lost.
 *   -ECONNREFUSED  no program received a datagram that was sent before.
 *   -EBADF      another task closed the socket meanwhile, and the handle is invalid. A cancellation
 *               request stays pending.
 *   -EBADF      the program closed the descriptor of the socket.
 *   -ENOMEM     the system has no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task, or the socket belongs to another loop (reported).
 * Cancellation: a cancellation point if no datagram is there.
 */
BELAY_API ssize_t belay_receive(belay_datagrams *socket, void *buffer, size_t size,
                                belay_address *from) BELAY_MUST_USE;
/*
 * Send one datagram, whole or not at all.
 *
 * If `to` is NULL, the function sends to the address to which the socket is connected. For a Unix
 * socket with `to`, the system does not report when the receiver's queue has room. So the function
 * tries again after 1 ms, and then after up to 32 ms.
 *
 * The function also returns any other error of sendmsg(2).
 *
 * Returns: `size`.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; nothing was sent.
 *   -EMSGSIZE   the datagram is longer than the socket can send.
 *   -ECONNREFUSED  no program receives at the address, or received a datagram that was sent before.
 *   -EDESTADDRREQ  `to` is NULL, and the socket is not connected.
 *   -ENOENT     there is no such Unix socket.
 *   -ENETUNREACH  no route leads to the network.
 *   -EHOSTUNREACH  no route leads to the host.
 *   -EACCES     the system does not permit the address.
 *   -EBADF      another task closed the socket meanwhile, and the handle is invalid. A cancellation
 *               request stays pending.
 *   -EBADF      the program closed the descriptor of the socket.
 *   -ENOMEM     the system has no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task, or the socket belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room.
 */
BELAY_API ssize_t belay_send(belay_datagrams *socket, const void *data, size_t size,
                             const belay_address *to) BELAY_MUST_USE;
/*
 * Return the descriptor of a datagram socket.
 *
 * Returns: the descriptor.
 * Errors:
 *   -EBADF      the program closed the descriptor.
 * Ownership: the descriptor is borrowed from the socket.
 */
BELAY_API int belay_datagrams_fd(const belay_datagrams *socket);
/*
 * Return the endpoint of a datagram socket, with the port that was chosen.
 *
 * Returns: the endpoint. Never NULL.
 * Ownership: the text is borrowed from the socket.
 */
BELAY_API const char *belay_datagrams_endpoint(const belay_datagrams *socket);
/*
 * Close a datagram socket.
 *
 * The calls of tasks that wait in it return -EBADF. If `socket` is NULL, the function does nothing.
 *
 * Ownership: the handle is invalid.
 */
BELAY_API void belay_datagrams_close(belay_datagrams *socket);

/* ---- descriptors that travel ---- */

/* Greatest number of descriptors in one message, as Linux has it. */
enum { BELAY_DESCRIPTORS_MOST = 253 };

/*
 * Send bytes with descriptors over a stream of a Unix socket.
 *
 * The descriptors go with the first byte, and the receiver gets copies of them. The function works
 * as belay_write() otherwise.
 *
 * The function also returns any other error of sendmsg(2).
 *
 * Returns: the number of bytes sent, less than `size` only as by belay_write(). The descriptors
 * were sent.
 * Errors:
 *   -EOPNOTSUPP  the stream is not of a Unix socket.
 *   -EINVAL     `size` is 0, or `count` is more than BELAY_DESCRIPTORS_MOST.
 *   -ETOOMANYREFS  too many descriptors are on their way.
 *   -EBADF      one of `fds` is not an open descriptor.
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECANCELED  the task was cancelled while it waited; no byte and no descriptor was sent.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -ENOMEM     the system has no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room. If bytes were sent, the function returns
 * their count, and the request stays pending.
 * Ownership: the descriptors stay the caller's.
 */
BELAY_API ssize_t belay_send_descriptors(belay_stream *stream, const void *data, size_t size,
                                         const int *fds, size_t count) BELAY_MUST_USE;
/*
 * Read bytes, and the descriptors that came with them.
 *
 * *count is the room in `fds`, and gets the number of descriptors that came. It is 0 if the
 * function fails. Other functions that read close the descriptors that come with their bytes. The
 * function works as belay_read() otherwise.
 *
 * On -EMSGSIZE and -EMFILE the function closes all the descriptors. The stream keeps the bytes with
 * which they came, and the next read returns these bytes. If there is no memory to keep them, each
 * later read returns -ENOTRECOVERABLE.
 *
 * The function also returns any other error of recvmsg(2).
 *
 * Returns: the number of bytes read. 0 at the end, or if `size` is 0.
 * Errors:
 *   -EMSGSIZE   more descriptors came than `fds` has room for.
 *   -EMFILE     more descriptors came than the process can have.
 *   -EOPNOTSUPP  the stream is not of a Unix socket.
 *   -ECANCELED  the task was cancelled while it waited; nothing was read.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ENOTRECOVERABLE  an earlier call had no memory to keep bytes of the stream.
 *   -ENOMEM     the system has no memory.
 *   -ENOBUFS    the system has no buffer left.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if no byte is available. No descriptor is lost or left open.
 * Ownership: the descriptors are the caller's, and are closed on exec.
 */
BELAY_API ssize_t belay_receive_descriptors(belay_stream *stream, void *buffer, size_t size,
                                            int *fds, size_t *count) BELAY_MUST_USE;

BELAY_END
#endif
