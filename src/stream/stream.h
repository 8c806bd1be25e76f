/* SPDX-License-Identifier: MIT */
/*
 * A stream: what lies between its callers and its transport.
 *
 * Bytes that were read ahead, who is inside, what was counted, and whether a message was cut. The transport only moves
 * bytes.
 */
#ifndef BLY_STREAM_H
#define BLY_STREAM_H

#include <netinet/in.h>
#include <sys/uio.h>

#include <belay/stream.h>

#include "io/io.h"

struct bly_descriptor;

/*
 * A call that waits for other things than one stream: another stream, a thread. The transport's interrupt() reaches it
 * only in the one. So the task that closes the stream asks the call to end by a request for cancellation, which the call
 * takes back. Others that wait for the same things notice nothing. Lies on the stack of the call.
 */
struct bly_recall {
        belay_task *task;
        int depth;                      /* of the innermost scope when the call began: a region within holds it back */
        int requests;                   /* that the task had then */
        bool asked;
};

/* One way of it: the task that is at it, and what it failed with for good, which the next call returns. */
struct bly_stream_end {
        belay_task *task;
        const char *place;
        struct bly_recall *recall;      /* NULL: the call waits in the transport only */
        int error;
};

/*
 * A copy that goes on. It lies in the stream that is read, and not on the task's stack, so that the loop can go on with
 * it while the task sleeps.
 */
struct bly_copying {
        struct bly_fd_server server;
        struct bly_io *io;              /* between sockets: has the buffer that all share; NULL: not so */
        belay_stream *to;
        const struct bly_fd *target;    /* with io: to write to without waiting */
        int64_t most;                   /* negative: no end */
        int64_t copied;
        ssize_t rc;                     /* what the loop came to */
};

/* What each read and write uses comes first: two lines of the cache. */
struct belay_stream {
        ssize_t (*read)(void *self, void *buffer, size_t size);                 /* the transport's, */
        ssize_t (*write)(void *self, const struct iovec *parts, int count);     /* of which there is a copy below */
        void *self;
        struct belay_loop *loop;        /* of the tasks that use it; NULL until the first does */
        struct bly_stream_end reader, writer;
        size_t start, end;              /* what was read ahead */
        uint64_t received, sent;
        bool ended;                     /* the transport has nothing more */
        bool cut;
        bool unsound;                   /* it is not known what was written: cut for good */
        bool half_closed;
        bool closed;                    /* goes when nobody is inside any more */
        bool aborted;
        char *buffer;
        size_t room;
        belay_stream **holder;          /* a pointer to the stream that its end clears; NULL */
        struct bly_copying copying;
        belay_transport transport;
};

/* ---- coming and going (stream.c) ---- */

/* The calling task is at this end now: 0; -EPERM, -EBUSY (both reported), -EBADF. */
int bly_stream_enter(belay_stream *stream, struct bly_stream_end *end, const char *place, const char *what);
/*
 * The calling task leaves this end: returns what its call returns. That is `rc`, but -EBADF if the stream was closed while
 * the call was inside: the handle is gone, whatever else happened. The stream may be gone when the function returns.
 */
int64_t bly_stream_leave(belay_stream *stream, struct bly_stream_end *end, int64_t rc);

/* From here on the end of either stream ends the call; `other` may be NULL. */
void bly_recall_begin(struct bly_recall *recall, struct bly_stream_end *end, struct bly_stream_end *other);
/* Before the call leaves the streams: returns `rc`, but -EBADF if the request of the task that closed one ended the wait. */
int64_t bly_recall_end(struct bly_recall *recall, int64_t rc);

/* The stream has lost what it was made of: from here on all calls return -EBADF, and so do those that are inside. */
void bly_stream_lose(belay_stream *stream, const belay_transport *instead, void *self);

/* ---- reading (read.c) ---- */

/* From the transport, into memory: for who has entered. Past the buffer, which is to be empty. */
ssize_t bly_stream_read(belay_stream *stream, void *buffer, size_t size);
/* The same from its socket, without waiting: -EAGAIN if there is nothing. */
ssize_t bly_stream_read_now(belay_stream *stream, struct bly_fd *socket, void *buffer, size_t size);
/* Into the buffer, which then has room for at least one byte and at most `most` in all: how many came, 0 at the end. */
ssize_t bly_stream_fill(belay_stream *stream, size_t most);
/* Takes bytes off the buffer's beginning. */
void bly_stream_take(belay_stream *stream, void *to, size_t size);

static inline size_t bly_stream_buffered(const belay_stream *stream) {
        return stream->end - stream->start;
}

/* ---- writing (write.c) ---- */

/* Why it may not be written to now; 0. For who has entered. */
int bly_stream_writable(const belay_stream *stream);
/* What the stream makes of what the transport said of a write, which is returned. */
ssize_t bly_stream_note(belay_stream *stream, ssize_t rc);
/* One write of the transport. */
ssize_t bly_stream_write(belay_stream *stream, const struct iovec *parts, int count);
/* The same to a socket, without waiting: -EAGAIN if there is no room. */
ssize_t bly_stream_write_now(belay_stream *stream, const struct bly_fd *socket, const void *data, size_t size);
/* What a write of several steps comes to, with what was moved before a step returned `rc` (0: it is all). */
ssize_t bly_stream_written(belay_stream *stream, ssize_t moved, ssize_t rc);

/* ---- calls inside, and the end (stream.c, for close.c) ---- */

static inline bool bly_stream_is_inside(const belay_stream *stream) {
        return stream->reader.task != NULL || stream->writer.task != NULL;
}

/* Ends a call that waits elsewhere, since its stream was closed. */
void bly_stream_recall(struct bly_stream_end *end);
/* If no call is inside: ends the transport, and frees the stream. */
void bly_stream_destroy(belay_stream *stream);

/* ---- descriptors as transports (descriptor.c, socket.c, pipe.c) ---- */

/* Whether a pipe holds packets, of which a read that has no room for all loses the rest. The reader is not told. */
enum bly_pipe_mode { BLY_PIPE_UNKNOWN, BLY_PIPE_BYTES, BLY_PIPE_PACKETS };

/* Bytes of a packet that were read and not taken. */
struct bly_packet {
        size_t start, end;
        char bytes[];
};

/* What is needed at its beginning and its end; reads and writes of a socket do with the descriptor's place in the table. */
struct bly_descriptor {
        struct bly_fd_owner owner;
        struct bly_io *io;
        struct bly_fd *fd;              /* NULL: it was lost */
        belay_stream *stream;
        bool is_tcp, is_unix;
        bool is_terminal, is_pipe;
        bool is_apart;                  /* fd is one that was opened besides the one that was given */
        bool is_shared;                 /* others may change whether it blocks: see pipe.c */
        bool cannot_read_now, cannot_write_now; /* the system has no call for it that does not wait */
        bool keep_open;
        bool restore;                   /* the flags of the description are to be put back at the end */
        int flags;
        struct bly_fd_owner given_owner;
        struct bly_fd *given;           /* the descriptor we were given, if another was opened instead; NULL */
        enum bly_pipe_mode mode;
        struct bly_packet *packet;      /* of a pipe in packet mode; NULL: none was read yet */
        dev_t device;                   /* which file it is; of sockets that belay made, 0 */
        ino_t file;
        char *name;                     /* when somebody asked for it */
        socklen_t peer_length;          /* 0: the system is asked who it is */
        struct sockaddr_in6 peer;       /* of an accepted connection, which may be gone when its name is asked for */
};

/* One recv() that does not wait: -EAGAIN if there is nothing. */
ssize_t bly_socket_receive_now(struct bly_fd *fd, void *buffer, size_t size);
/*
 * For a task that was cancelled while it waited, and did not try before: what came since the latest read may be there, though nobody
 * was told yet. Then the request stays for the next wait. -ECANCELED if there is nothing.
 */
ssize_t bly_socket_receive_all_the_same(struct bly_io *io, struct bly_fd *fd, void *buffer, size_t size);
/* One send() that does not wait: -EAGAIN if there is no room. */
ssize_t bly_socket_send_now(const struct bly_fd *fd, const void *data, size_t size);

extern const belay_transport bly_socket_transport;      /* sockets */
extern const belay_transport bly_plain_transport;       /* pipes, terminals, devices */

void bly_descriptor_interrupt(void *self);
void bly_descriptor_destroy(void *self, bool abort);
int bly_descriptor_fd(const void *self);
const char *bly_descriptor_describe(const void *self);

/* A stream of a socket that belay has just made: connected, or accepted. Takes it over, and closes it on failure. */
int bly_stream_of_socket(belay_stream **stream, struct bly_io *io, int fd, int family, const char *place);
/* Tells it whom it leads to. */
void bly_stream_note_peer(belay_stream *stream, const struct sockaddr *peer, socklen_t length);

/* The descriptor of a socket's stream; NULL if it is none. */
static inline struct bly_descriptor *bly_stream_socket(const belay_stream *stream) {
        if (stream->read != bly_socket_transport.read)
                return NULL;
        return container_of(((const struct bly_fd *) stream->self)->owner, struct bly_descriptor, owner);
}

#endif
