/* SPDX-License-Identifier: MIT */
/*
 * A stream: the layer between the calls of tasks and the transport.
 *
 * The stream keeps the bytes that were read ahead, the tasks that are inside its calls, the byte
 * counts, and whether a message is incomplete. The transport only moves bytes.
 */
#ifndef BLY_STREAM_H
#define BLY_STREAM_H

#include <netinet/in.h>
#include <sys/uio.h>

#include <belay/stream.h>

#include "io/io.h"

struct bly_descriptor;

/*
 * A way to end a call that waits for more than one stream: for a second stream, or for a thread.
 *
 * The transport's interrupt() ends only waits in that transport. So the task that closes a stream
 * sends the task of such a call a cancellation request, and the call withdraws it. Other tasks that
 * wait for the same things are not affected. The struct lies on the stack of the call.
 */
struct bly_recall {
        belay_task *task;
        /* depth of the innermost scope when the call began: a shield within it holds the request */
        int depth;
        int requests; /* the task's request count when the call began */
        bool asked;   /* a request was sent */
};

/* One end of a stream, for reading or for writing. */
struct bly_stream_end {
        belay_task *task;          /* task inside a call; NULL: none */
        const char *place;         /* call site of that call */
        struct bly_recall *recall; /* NULL: the call waits in the transport only */
        int error;                 /* permanent error, which later calls return; 0: none */
};

/*
 * A copy in progress. It lies in the stream that is read, and not on the task's stack, so that the
 * loop can move bytes while the task waits.
 */
struct bly_copying {
        struct bly_fd_server server;
        struct bly_io *io; /* owner of the shared buffer; NULL: not between sockets */
        belay_stream *to;
        const struct bly_fd *target; /* socket to write to without waiting, if io is set */
        int64_t most;                /* greatest number of bytes; negative: no limit */
        int64_t copied;
        ssize_t rc; /* return value of the loop's latest step */
};

/* The fields that each read and write uses come first, so that they fill 2 cache lines. */
struct belay_stream {
        /* copies of transport.read and transport.write */
        ssize_t (*read)(void *self, void *buffer, size_t size);
        ssize_t (*write)(void *self, const struct iovec *parts, int count);
        void *self;              /* the transport's object */
        struct belay_loop *loop; /* loop of the tasks that use it; NULL before the first */
        struct bly_stream_end reader, writer;
        size_t start, end;       /* bounds of the bytes in `buffer` that were read ahead */
        uint64_t received, sent; /* bytes that tasks took and bytes that tasks wrote */
        bool ended;              /* the transport is at the end of stream */
        bool cut;                /* incomplete: a write moved only a part of a message */
        bool unsound;            /* incomplete permanently: the count written is unknown */
        bool half_closed;
        bool closed; /* freed when the last task inside leaves */
        bool aborted;
        char *buffer;
        size_t room;           /* size of `buffer` */
        belay_stream **holder; /* pointer that closing sets to NULL; NULL: none */
        struct bly_copying copying;
        belay_transport transport;
};

/* ---- entering and leaving (stream.c) ---- */

/*
 * Enters the calling task as the reader or the writer. `what` names the call for reports. Returns
 * 0, -EPERM or -EBUSY (both reported), or -EBADF if the stream is closed.
 */
int bly_stream_enter(belay_stream *stream, struct bly_stream_end *end, const char *place,
                     const char *what);
/*
 * Leaves the stream, and returns the value that the task's call must return. That is `rc`, or
 * -EBADF if the stream was closed meanwhile: then the handle is invalid, and no other value may
 * hide that. The stream may be freed when the function returns.
 */
int64_t bly_stream_leave(belay_stream *stream, struct bly_stream_end *end, int64_t rc);

/* From this call on, closing either stream ends the call; `other` may be NULL. */
void bly_recall_begin(struct bly_recall *recall, struct bly_stream_end *end,
                      struct bly_stream_end *other);
/*
 * Withdraws the request that closing a stream sent, if any. The call must use it before it leaves
 * the streams. Returns `rc`, or -EBADF if only that request ended the wait.
 */
int64_t bly_recall_end(struct bly_recall *recall, int64_t rc);

/*
 * Replaces the transport of a stream that has lost its descriptor. All later calls return -EBADF,
 * and so do the calls that tasks are inside.
 */
void bly_stream_lose(belay_stream *stream, const belay_transport *instead, void *self);

/* ---- reading (read.c) ---- */

/*
 * Reads from the transport into `buffer`, past the bytes that were read ahead. The calling task
 * must have entered as the reader. Returns a byte count, 0 at the end of stream, or a negative
 * errno.
 */
ssize_t bly_stream_read(belay_stream *stream, void *buffer, size_t size);
/* Works as bly_stream_read(), on the stream's socket. Never waits: -EAGAIN if nothing is there. */
ssize_t bly_stream_read_now(belay_stream *stream, struct bly_fd *socket, void *buffer, size_t size);
/*
 * Reads from the transport into the stream's buffer, after the bytes that are there. If the buffer
 * has no room for `most` bytes in all, the function first moves its bytes to its start. It enlarges
 * only a full buffer. The read may go beyond `most`. Returns as bly_stream_read(), or -ENOMEM.
 */
ssize_t bly_stream_fill(belay_stream *stream, size_t most);
/* Moves `size` bytes from the start of the buffer to `to`, or discards them if `to` is NULL. */
void bly_stream_take(belay_stream *stream, void *to, size_t size);

static inline size_t bly_stream_buffered(const belay_stream *stream) {
        return stream->end - stream->start;
}

/* ---- writing (write.c) ---- */

/* Returns 0, or why the stream cannot be written to. The calling task must have entered. */
int bly_stream_writable(const belay_stream *stream);
/*
 * Records the return value of a transport's write: the byte count, a permanent error, or that the
 * count is unknown and the stream incomplete. Returns `rc`, or -EIO if `rc` is 0.
 */
ssize_t bly_stream_note(belay_stream *stream, ssize_t rc);
/* Calls the transport's write() once, and records the return value by bly_stream_note(). */
ssize_t bly_stream_write(belay_stream *stream, const struct iovec *parts, int count);
/* Works as bly_stream_write(), to a socket. Never waits: -EAGAIN if the socket has no room. */
ssize_t bly_stream_write_now(belay_stream *stream, const struct bly_fd *socket, const void *data,
                             size_t size);
/*
 * Returns the value of a write of several steps, after they moved `moved` bytes and the last one
 * returned `rc`. If a step failed after bytes were moved, the stream becomes incomplete. The value
 * is then `moved`, and a request that was delivered is pending again.
 */
ssize_t bly_stream_written(belay_stream *stream, ssize_t moved, ssize_t rc);

/* ---- tasks inside, and freeing (stream.c, for close.c) ---- */

static inline bool bly_stream_is_inside(const belay_stream *stream) {
        return stream->reader.task != NULL || stream->writer.task != NULL;
}

/* Ends the wait of a call that began with bly_recall_begin(), because its stream was closed. */
void bly_stream_recall(struct bly_stream_end *end);
/* Destroys the transport and frees the stream. No task may be inside. */
void bly_stream_destroy(belay_stream *stream);

/* ---- descriptors as transports (descriptor.c, socket.c, pipe.c) ---- */

/*
 * Whether a pipe holds packets. If a read has no room for a whole packet, the kernel discards the
 * rest of it and does not report that.
 */
enum bly_pipe_mode { BLY_PIPE_UNKNOWN, BLY_PIPE_BYTES, BLY_PIPE_PACKETS };

/* The bytes of a packet that were read from the pipe and that no call has taken yet. */
struct bly_packet {
        size_t start, end;
        char bytes[];
};

/*
 * The transport of a descriptor. Reads and writes of a socket use only its struct bly_fd, and reach
 * this struct when the stream is made, named or closed.
 */
struct bly_descriptor {
        struct bly_fd_owner owner;
        struct bly_io *io;
        struct bly_fd *fd; /* descriptor in use; NULL: lost */
        belay_stream *stream;
        bool is_tcp, is_unix;
        bool is_terminal, is_pipe;
        bool is_apart;  /* fd was opened by belay, in addition to the given one */
        bool is_shared; /* other processes may change O_NONBLOCK: see pipe.c */
        /* the kernel has no call for this descriptor that never waits */
        bool cannot_read_now, cannot_write_now;
        bool keep_open; /* the program closes the given descriptor itself */
        bool restore;   /* `flags` must be set again at the end */
        int flags;      /* status flags before belay set O_NONBLOCK */
        struct bly_fd_owner given_owner;
        struct bly_fd *given; /* given descriptor if is_apart; NULL: none, or lost */
        enum bly_pipe_mode mode;
        struct bly_packet *packet; /* memory for a packet and its rest; NULL: none is needed */
        dev_t device;              /* identity of the file; 0 for sockets that belay made */
        ino_t file;
        char *name;               /* text of belay_stream_name(); NULL until its first call */
        socklen_t peer_length;    /* 0: `peer` is unknown */
        struct sockaddr_in6 peer; /* kept because the kernel forgets it with the connection */
};

/* Calls recv() once without waiting. Returns -EAGAIN if there is nothing. */
ssize_t bly_socket_receive_now(struct bly_fd *fd, void *buffer, size_t size);
/*
 * Reads once after a request ended the task's wait, because the task waited without trying first.
 * Bytes may have arrived that the back end has not announced yet. If nothing is there, the function
 * returns -ECANCELED. Otherwise it returns what recv() returned, and the request is pending again.
 */
ssize_t bly_socket_receive_all_the_same(struct bly_io *io, struct bly_fd *fd, void *buffer,
                                        size_t size);
/* Calls send() once without waiting. Returns -EAGAIN if there is no room. */
ssize_t bly_socket_send_now(const struct bly_fd *fd, const void *data, size_t size);

extern const belay_transport bly_socket_transport; /* sockets */
extern const belay_transport bly_plain_transport;  /* pipes, terminals, devices */

void bly_descriptor_interrupt(void *self);
void bly_descriptor_destroy(void *self, bool abort);
int bly_descriptor_fd(const void *self);
const char *bly_descriptor_describe(const void *self);

/*
 * Makes a stream of a socket that belay has just connected or accepted. The function owns the
 * socket, and closes it on failure.
 */
int bly_stream_of_socket(belay_stream **stream, struct bly_io *io, int fd, int family,
                         const char *place);
/* Records the peer's address for belay_stream_name(), unless it is unnamed or too long. */
void bly_stream_note_peer(belay_stream *stream, const struct sockaddr *peer, socklen_t length);

/* Returns the descriptor of a stream whose transport is a socket, or NULL. */
static inline struct bly_descriptor *bly_stream_socket(const belay_stream *stream) {
        if (stream->read != bly_socket_transport.read)
                return NULL;
        return container_of(((const struct bly_fd *) stream->self)->owner, struct bly_descriptor,
                            owner);
}

#endif
