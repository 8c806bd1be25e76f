/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes: over sockets, pipes and terminals, or over anything that can be read and
 * written.
 *
 *     char line[1024];
 *     ssize_t size;
 *
 *     while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
 *             if (belay_write(stream, line, (size_t) size) < size)
 *                     break;
 *
 * Connections and what accepts them: <belay/net.h>. A stream for tests, in memory: <belay/wire.h>.
 *
 * What is counted. Functions that move bytes return how many moved. That may be less than was asked
 * for, where the end came, or a cancellation or an error after so many: who needs to know which
 * finds it in the next call, which moves nothing and says so. A negative value means that nothing
 * moved. So a loop that stops when less came than was asked for is right in all cases. One value is
 * an exception: -EBADF from a stream that another task closed, see below.
 *
 * A message that was cut. If belay_write() or one of its kind moved only a part, the other side has
 * half a message, and what is written next would be taken for the rest of it. The stream refuses
 * that: every later write is -ENOTRECOVERABLE, until belay_mend() says that the rest was dealt
 * with. Reading goes on. In a stream whose writing cannot be told to have happened or not, as TLS
 * when a record was begun, nothing mends it.
 *
 * One reader, one writer. One task may read while another writes. A second one that reads, or
 * writes, at the same time gets -EBUSY, and the report names both: turns that two tasks take must
 * be made by a lock of theirs.
 *
 * Closing. One task closes a stream, once, by belay_close() or belay_abort(). If another task is
 * inside a call of the stream then, that call returns -EBADF, and the handle is gone when it
 * returns. The call returns nothing else: not the count of what it moved, not the result of a read
 * that was complete, and not -ECANCELED. A request for cancellation then stays pending for the
 * task's next wait. A call that is inside two streams, as belay_copy() is, returns -EBADF at once
 * if either is closed. The stream that is still open stays as it is, and so do the other tasks
 * inside it.
 *
 * Threads: the loop's own.
 * Cancellation: functions that do not speak of it are no cancellation points. A function that finds
 * bytes, room, or the end returns without waiting, even if a request is pending or a limit is over;
 * see <belay/io.h> for the rule.
 */
#ifndef BELAY_STREAM_H
#define BELAY_STREAM_H

#include <sys/types.h>

#include <belay/base.h>

BELAY_BEGIN

struct iovec;

typedef struct belay_stream belay_stream;

/* ---- of a descriptor ---- */

typedef struct belay_stream_options {
        size_t size;                      /* sizeof(belay_stream_options) */
        bool keep_open;                   /* the descriptor is not the stream's: closing the stream leaves it open, and as it was */
} belay_stream_options;

/*
 * Make a stream of a descriptor that the program has: of a socket, a pipe, a terminal, or whatever
 * can be polled. The descriptor is the stream's from then on, and closed with it, unless
 * .keep_open. A write without a reader is -EPIPE, and never raises SIGPIPE.
 *
 * Other processes that share the description find it as it was, blocking or not. If they change
 * that, the stream does not notice, and no thread of belay waits in the system. The stream opens
 * pipes and terminals once more, and uses sockets by calls that do not wait. Two kinds are
 * exceptions, because Linux has no such call for them: the master of a terminal, and devices other
 * than /dev/null and its like. The stream makes these non-blocking until its end. It looks before
 * each try, so that a try does not wait if others make them blocking meanwhile, unless others also
 * take what was there in between.
 *
 * A pipe in packet mode (O_DIRECT) is read as a stream of bytes: what a read has no room for comes
 * with the next. A read with room for 64 KiB returns one packet. The stream finds the mode when the
 * first bytes come. A descriptor whose reads lose bytes for other reasons, as that of a tunnel,
 * must be read with room for the longest message.
 * Returns: 0 with the stream.
 * Errors: -EBADF: no open descriptor. -EINVAL: a listening socket, or no stream at all (a datagram
 * socket, a directory). -EPERM: an ordinary file (<belay/file.h>), or no loop runs in this thread.
 * -EBUSY: a stream, a listener or a socket of this loop has the descriptor already; reported with
 * both places. -ENOMEM.
 * Ownership: if the function fails, the descriptor is still the caller's. A program must not close
 * the descriptor of a stream itself. If it does, and belay gets the number again, a report names
 * the stream, whose calls then return -EBADF; the stream closes nothing in the end.
 */
BELAY_API int belay_stream_open_fd(belay_stream **stream, int fd, const belay_stream_options *options) BELAY_MUST_USE;

/*
 * A pipe: what is written to *writer comes out of *reader. And a pair of connected sockets, each
 * end for both ways. -EMFILE, -ENFILE, -ENOMEM.
 */
BELAY_API int belay_stream_pipe(belay_stream **reader, belay_stream **writer) BELAY_MUST_USE;
BELAY_API int belay_stream_pair(belay_stream **one, belay_stream **other) BELAY_MUST_USE;

/* ---- reading ---- */

/*
 * Reads what there is, at least one byte: waits only if there is none. 0: the end, or `size` is 0.
 * Errors of this and all that read: -EBUSY: another task reads; -EBADF: closed meanwhile; and what
 * the transport says: -ECONNRESET, -ETIMEDOUT where the peer does not answer any more (a limit of
 * ours is -ECANCELED here, and its scope's -ETIMEDOUT), -EIO, -ENOMEM for a buffer.
 * Cancellation: a cancellation point if nothing is there; nothing was taken then.
 */
BELAY_API ssize_t belay_read(belay_stream *stream, void *buffer, size_t size) BELAY_MUST_USE;

/*
 * Reads `size` bytes. Fewer: the stream ended, failed, or the task was cancelled after so many, and
 * the next call that waits says which. 0: the end came at once.
 * Cancellation: a cancellation point while bytes are missing; -ECANCELED if none was taken.
 */
BELAY_API ssize_t belay_read_exactly(belay_stream *stream, void *buffer, size_t size) BELAY_MUST_USE;

/*
 * Reads up to and with the first delimiter, and returns how many bytes that were, as getdelim()
 * does. At the end of the stream what is left comes without delimiter, and then 0. Nothing is lost
 * when it fails or is cancelled: what came is kept in the stream, and the next call finds it.
 * -EMSGSIZE: `size` bytes came, and no delimiter ends within them, also if the stream is about to
 * end just there; nothing was taken. -EINVAL: an empty delimiter, or size 0.
 * Cancellation: a cancellation point if the delimiter is not there; nothing was taken then.
 */
BELAY_API ssize_t belay_read_until(belay_stream *stream, const void *delimiter, size_t length, void *buffer,
                                   size_t size) BELAY_MUST_USE;

/*
 * Reads a line: its '\n' is part of what comes, as with getline(), and a '\0' follows it, so that
 * `size` must leave room for one more. The last line may have no '\n'. 0: the end. Errors as above;
 * -EMSGSIZE: size - 1 bytes came without one.
 * Cancellation: as above.
 */
BELAY_API ssize_t belay_read_line(belay_stream *stream, char *line, size_t size) BELAY_MUST_USE;

/*
 * Waits until at least `least` bytes are there and shows them without taking them: *data points
 * into the stream until its next reading call. Returns how many there are; fewer than `least` only
 * at the end. belay_skip() takes the first `size` of them, or as many as there are, and returns how
 * many. belay_buffered(): how many would be shown at once.
 * Cancellation: belay_peek() is a cancellation point if fewer than `least` are there; nothing is
 * lost.
 */
BELAY_API ssize_t belay_peek(belay_stream *stream, size_t least, const void **data) BELAY_MUST_USE;
BELAY_API size_t belay_skip(belay_stream *stream, size_t size);
BELAY_API size_t belay_buffered(const belay_stream *stream);

/* ---- writing ---- */

/*
 * Writes all of it, waiting where the other side does not keep up. Returns `size`; fewer: it was
 * cancelled or failed after so many, and the stream is cut. What was returned is with the system,
 * not yet with the other side. Errors of this and all that write: -EPIPE, -ECONNRESET: nobody reads
 * any more; -ENOTRECOVERABLE: the stream is cut; -EBUSY: another task writes; -EBADF: closed
 * meanwhile; -ESHUTDOWN: after belay_half_close(); and what the transport says.
 * Cancellation: a cancellation point where there is no room; -ECANCELED if nothing was written.
 */
BELAY_API ssize_t belay_write(belay_stream *stream, const void *data, size_t size) BELAY_MUST_USE;
/* The same of several parts (<sys/uio.h>), in their order; `parts` is not changed. -EINVAL: a bad count or sum (as writev()). */
BELAY_API ssize_t belay_writev(belay_stream *stream, const struct iovec *parts, int count) BELAY_MUST_USE;
/* Writes text as printf() makes it, all of it, as belay_write(). -ENOMEM; -EINVAL: a bad format. */
BELAY_API ssize_t belay_print(belay_stream *stream, const char *format, ...) BELAY_PRINTF(2, 3) BELAY_MUST_USE;

/*
 * Writes what there is room for, at least one byte, as write() does: waits only if there is no
 * room. That fewer than `size` were written does not cut the stream: the caller knows where it
 * stands.
 * Cancellation: a cancellation point if there is no room; nothing was written then.
 */
BELAY_API ssize_t belay_write_some(belay_stream *stream, const void *data, size_t size) BELAY_MUST_USE;

/* Was a message cut? And: it is taken care of, writing may go on. -ENOTRECOVERABLE: not with this stream. */
BELAY_API bool belay_is_cut(const belay_stream *stream);
BELAY_API int belay_mend(belay_stream *stream) BELAY_MUST_USE;

/* ---- from stream to stream ---- */

/*
 * Copy until the end of `from`, or until `most` bytes were written to `to` (negative: no such end).
 * What was read and not yet written is still to be read from `from`: nothing is lost, and neither
 * stream is cut. Between sockets the task sleeps while the loop copies, and reports tell since
 * when. *copied (may be NULL) gets how many bytes went over, whatever the function returns.
 * Returns: 0 at either end.
 * Errors: -EBADF: another task closed `to` or `from`; the handle of that stream is gone, the other
 * one stays open. Errors of reading and writing as above.
 * Cancellation: a cancellation point if it must wait for bytes or for room.
 */
BELAY_API int belay_copy(belay_stream *to, belay_stream *from, int64_t most, int64_t *copied) BELAY_MUST_USE;

/*
 * Write `size` bytes of the file `fd` from `offset` on. A thread waits for the disk, and gives a
 * plain socket what it has read, without the loop. No flag of the socket is used or changed: others
 * may share it, blocking or not. The offset of the descriptor is neither used nor changed.
 * Returns: how many bytes were written: fewer, if the file ended (the stream is not cut then), or
 * as belay_write() says.
 * Errors: -EINVAL: a negative offset or size. -EBADF, -EISDIR, -EIO and the like: of reading the
 * file. Errors of belay_write().
 * Cancellation: a cancellation point, since it waits for the disk. -ECANCELED if nothing was
 * written.
 */
BELAY_API int64_t belay_send_file(belay_stream *stream, int fd, int64_t offset, int64_t size) BELAY_MUST_USE;

/* ---- its end ---- */

/*
 * Nothing more will be written: the other side reads the end. Reading goes on. 0, again too;
 * -EOPNOTSUPP if the transport has no such thing; -EBUSY while another task writes; errors of the
 * transport.
 * Cancellation: a cancellation point for transports that say goodbye in bytes (TLS), not for
 * descriptors.
 */
BELAY_API int belay_half_close(belay_stream *stream) BELAY_MUST_USE;

/*
 * Close a stream in good order: write nothing more, read and drop what the other side still sends
 * until it has ended too, or until `limit` has passed, and close the stream then. So nobody loses
 * the last answer because a question came late, as happens when a socket is closed with something
 * unread. If `limit` is 0, the function closes the stream at once, as close() does. The function
 * aborts a stream that is cut. The handle is gone in any case, and so is the stream. NULL does
 * nothing.
 * Returns: 0.
 * Errors: -ETIMEDOUT: the other side did not end in time. -EBADF: another task closed the stream
 * meanwhile. -EDEADLK: nothing can end the wait. -EPERM: not in a task, if there is a limit;
 * reported. Errors of the transport.
 * Cancellation: a cancellation point if the other side has not ended yet, unless the limit is 0. If
 * -ECANCELED, the stream is closed, too.
 */
BELAY_API int belay_close(belay_stream *stream, belay_time limit);

/*
 * Close a stream at once: give up what was written and not yet sent. The other side of a connection
 * reads -ECONNRESET. The handle is gone. NULL does nothing. If a task is inside the stream, the
 * descriptor is closed when that task has left.
 */
BELAY_API void belay_abort(belay_stream *stream);

/* ---- looking ---- */

/* The descriptor, borrowed: for getsockopt() and the like. -EOPNOTSUPP: it has none. */
BELAY_API int belay_stream_fd(const belay_stream *stream);
/* What it is, for people: "tcp 127.0.0.1:80", "pipe", "terminal". The stream's. */
BELAY_API const char *belay_stream_name(const belay_stream *stream);
/* How many bytes its readers took out of it, and how many its writers put in, ever. */
BELAY_API uint64_t belay_received(const belay_stream *stream);
BELAY_API uint64_t belay_sent(const belay_stream *stream);

/* ---- transports ---- */

/*
 * What a stream is made of: TLS, a compression, a test double. A transport implements these;
 * buffers, lines, messages that are cut, and that one task reads and one writes, are the stream's
 * business.
 *
 * `read` and `write` are called by one task each, maybe both at a time, with at least one byte to
 * move, and move at least one, or wait; they keep the rule: what moved is counted, and -ECANCELED
 * means that nothing did. `read` returns 0 at the end.
 */
typedef struct belay_transport {
        size_t size;                      /* sizeof(belay_transport) */
        const char *name;                 /* a word: "tls" */
        ssize_t (*read)(void *self, void *buffer, size_t size);
        ssize_t (*write)(void *self, const struct iovec *parts, int count);
        int (*half_close)(void *self);    /* may be NULL: then it is -EOPNOTSUPP */
        /*
         * Tasks that wait in `read`, `write` or `half_close` are to return now, with -EBADF: the stream is being closed. Must
         * not wait. If a task is inside for belay_copy() and the other stream is closed, interrupt() is not called: a request
         * for cancellation ends the wait, and the transport returns -ECANCELED as for any other request.
         */
        void (*interrupt)(void *self);
        /* The end: frees it, when nobody is inside any more. `abort`: in no good order. Must not wait. */
        void (*destroy)(void *self, bool abort);
        int (*fd)(const void *self);      /* may be NULL: it has none */
        /* The name of what it leads to: "tcp 127.0.0.1:80"; may be NULL. Lives as long as the transport. */
        const char *(*describe)(const void *self);
        /* After a write that was cancelled or failed: can the count that it returned be trusted? NULL: yes. */
        bool (*is_sound)(const void *self);
} belay_transport;

/* A stream of a transport, which is the stream's from then on. -ENOMEM, -EINVAL; then it is still the caller's. */
BELAY_API int belay_stream_new(belay_stream **stream, const belay_transport *transport, void *self) BELAY_MUST_USE;

BELAY_END
#endif
