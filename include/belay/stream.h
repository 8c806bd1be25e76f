/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes: over sockets, pipes and terminals, or over any transport that reads and writes.
 *
 *     char line[1024];
 *     ssize_t size;
 *
 *     while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
 *             if (belay_write(stream, line, (size_t) size) < size)
 *                     break;
 *
 * Connections and listeners are in <belay/net.h>. A stream in memory for tests is in
 * <belay/wire.h>.
 *
 * Counts. A function that moves bytes returns how many moved. The count is less than the caller
 * asked for if the end came, or if a cancellation or an error came after that many bytes. The next
 * call, which moves nothing, returns the reason. A negative value means that nothing moved. So a
 * loop that stops at a count less than it asked for is right in all cases. There are two
 * exceptions: -EBADF from a stream that another task closed (see below), and belay_copy(), which
 * has a count of its own.
 *
 * Permanent errors. After an error of the connection or the device, each later read, or each later
 * write, returns the same error. Errors of the wait (-ECANCELED, -EDEADLK), a lack of memory or
 * descriptors, and misuse are not permanent.
 *
 * Incomplete streams. If belay_write() or a similar function moved only a part, the peer has a part
 * of a message. It would take the next bytes for the rest. The stream prevents that: every later
 * write returns -ENOTRECOVERABLE until the program resumes writing by belay_mend(), when it has
 * dealt with the rest. Reading goes on. Some transports cannot report whether a write happened, as
 * TLS when a record was begun. Then the program cannot resume writing.
 *
 * One reader, one writer. One task may read while another writes. A second task that reads, or
 * writes, at the same time gets -EBUSY, and a log line names both. If two tasks are to take turns,
 * the program must use a lock.
 *
 * Closing. One task closes a stream, once, by belay_close() or belay_abort(). If another task is
 * inside a call of the stream then, that call returns -EBADF, and the handle is invalid when it
 * returns. The call returns nothing else: not the count of what it moved, not the result of a read
 * that was complete, and not -ECANCELED. A cancellation request then stays pending until the task's
 * next cancellation point. A call that is inside two streams, as belay_copy() is, returns -EBADF at
 * once if either is closed. The stream that is still open does not change, and other tasks inside
 * it go on.
 *
 * Threads: the loop's own thread.
 * Cancellation: a function is a cancellation point only if its comment says so. A function that
 * finds bytes, room, or the end returns without waiting, even if a request is pending or a timeout
 * is due (see <belay/io.h>).
 */
#ifndef BELAY_STREAM_H
#define BELAY_STREAM_H

#include <sys/types.h>

#include <belay/base.h>

BELAY_BEGIN

struct iovec;

/* A stream of bytes. It belongs to the loop in which it was made or, if none ran, first used. */
typedef struct belay_stream belay_stream;

/* ---- of a descriptor ---- */

/* Options of belay_stream_open_fd(). Zero is the default of each. */
typedef struct belay_stream_options {
        size_t size;    /* sizeof(belay_stream_options) */
        bool keep_open; /* the descriptor stays the caller's, open, as it was */
} belay_stream_options;

/*
 * Make a stream of a descriptor that the program has.
 *
 * The descriptor may be a socket, a pipe, a terminal, or any other that can be polled. A write
 * without a reader returns -EPIPE, and never raises SIGPIPE.
 *
 * Other processes that share the open file description find it unchanged, blocking or not. If they
 * change that, the stream still works, and no thread of belay waits in the system. The stream opens
 * pipes and terminals once more, and uses sockets by calls that do not wait. Two kinds are
 * exceptions, because Linux has no such call for them: the master of a terminal, and devices other
 * than /dev/null and similar ones. The stream makes these non-blocking until its end. It polls
 * before each try. So a try does not wait if other processes make the device blocking meanwhile. It
 * may wait if they also take the bytes or the room between the poll and the try.
 *
 * The stream reads a pipe in packet mode (O_DIRECT) as a stream of bytes. Bytes for which a read
 * has no room come with the next read. A read with room for 64 KiB returns one packet. The stream
 * finds the mode when the first bytes come. A descriptor whose reads lose bytes for other reasons,
 * such as that of a tunnel, must be read with room for the longest message.
 *
 * Returns: 0 with the stream in *stream. If the function fails, *stream is NULL.
 * Errors:
 *   -EBADF      `fd` is not an open descriptor.
 *   -EINVAL     `fd` is a listening socket, or is no stream (a datagram socket, a directory).
 *   -EPERM      `fd` is an ordinary file (see <belay/file.h>) or a block device.
 *   -EPERM      no loop runs in this thread (reported).
 *   -EBUSY      a stream, a listener or a socket of this loop already owns `fd` (reported, with
 *               both call sites).
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 * Ownership: the stream owns the descriptor and closes it, unless .keep_open is set. If the
 * function fails, the descriptor is still the caller's. The program must not close the descriptor
 * of a stream itself. If it does, and belay is given the number again, a log line names the stream.
 * The calls of the stream then return -EBADF, and the stream closes nothing at its end.
 */
BELAY_API int belay_stream_open_fd(belay_stream **stream, int fd,
                                   const belay_stream_options *options) BELAY_MUST_USE;

/*
 * Make a pipe: bytes written to *writer are read from *reader.
 *
 * Returns: 0 with both streams. If the function fails, both are NULL.
 * Errors:
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -EPERM      no loop runs in this thread (reported).
 */
BELAY_API int belay_stream_pipe(belay_stream **reader, belay_stream **writer) BELAY_MUST_USE;
/*
 * Make a pair of connected Unix sockets, each end for both directions.
 *
 * Returns: 0 with both streams. If the function fails, both are NULL.
 * Errors:
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -ENOMEM     no memory.
 *   -EPERM      no loop runs in this thread (reported).
 */
BELAY_API int belay_stream_pair(belay_stream **one, belay_stream **other) BELAY_MUST_USE;

/* ---- reading ---- */

/*
 * Read the bytes that are available, at least one.
 *
 * The function waits only if no byte is available.
 *
 * The function also returns any other error of read(2), recv(2) or the transport.
 *
 * Returns: the number of bytes read. 0 at the end, or if `size` is 0.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; nothing was read.
 *   -EDEADLK    the loop found that no task could ever go on; nothing was read. Only transports in
 *               memory, such as belay_wire(), return this.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -EIO        the device failed.
 *   -ENOMEM     the system or the transport has no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -ENOTRECOVERABLE  belay_receive_descriptors() had no memory to keep bytes of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if no byte is available.
 */
BELAY_API ssize_t belay_read(belay_stream *stream, void *buffer, size_t size) BELAY_MUST_USE;

/*
 * Read exactly `size` bytes.
 *
 * If the stream ends or fails, or the task is cancelled, after some bytes, the function returns
 * their count. The next call that waits returns the reason.
 *
 * The function also returns any other error of read(2), recv(2) or the transport.
 *
 * Returns: the number of bytes read, less than `size` only as above. 0 if the end came at once.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; nothing was read.
 *   -EDEADLK    the loop found that no task could ever go on; nothing was read. Only transports in
 *               memory, such as belay_wire(), return this.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -EIO        the device failed.
 *   -ENOMEM     the system or the transport has no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -ENOTRECOVERABLE  belay_receive_descriptors() had no memory to keep bytes of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point while bytes are missing. If bytes were read, the function
 * returns their count, and the request stays pending.
 */
BELAY_API ssize_t belay_read_exactly(belay_stream *stream, void *buffer,
                                     size_t size) BELAY_MUST_USE;

/*
 * Read up to and including the first delimiter, as getdelim() does.
 *
 * At the end of the stream the function returns what is left, without a delimiter, and then 0. If
 * the function fails or is cancelled, nothing is lost. The stream keeps the bytes that came, and
 * the next call finds them.
 *
 * The function also returns any other error of read(2), recv(2) or the transport.
 *
 * Returns: the number of bytes, with the delimiter. 0 at the end.
 * Errors:
 *   -EMSGSIZE   `size` bytes are buffered and contain no complete delimiter; nothing was read. The
 *               function also returns this if the stream turns out to end at exactly that point.
 *   -EINVAL     `length` or `size` is 0.
 *   -ECANCELED  the task was cancelled while it waited; nothing was read.
 *   -EDEADLK    the loop found that no task could ever go on; nothing was read. Only transports in
 *               memory, such as belay_wire(), return this.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -EIO        the device failed.
 *   -ENOMEM     no memory for the stream's buffer, or in the system or the transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -ENOTRECOVERABLE  belay_receive_descriptors() had no memory to keep bytes of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if no delimiter is buffered. Nothing was read then.
 */
BELAY_API ssize_t belay_read_until(belay_stream *stream, const void *delimiter, size_t length,
                                   void *buffer, size_t size) BELAY_MUST_USE;

/*
 * Read a line with its '\n', as getline() does.
 *
 * A '\0' follows the line, so `size` must leave room for it. The last line may have no '\n'. If the
 * function fails and `size` is not 0, *line is an empty string. Bytes that came are kept, as by
 * belay_read_until().
 *
 * The function also returns any other error of read(2), recv(2) or the transport.
 *
 * Returns: the number of bytes, with the '\n' and without the '\0'. 0 at the end.
 * Errors:
 *   -EMSGSIZE   size - 1 bytes are buffered and contain no '\n'; nothing was read.
 *   -EINVAL     `size` is less than 2.
 *   -ECANCELED  the task was cancelled while it waited; nothing was read.
 *   -EDEADLK    the loop found that no task could ever go on; nothing was read. Only transports in
 *               memory, such as belay_wire(), return this.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -EIO        the device failed.
 *   -ENOMEM     no memory for the stream's buffer, or in the system or the transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -ENOTRECOVERABLE  belay_receive_descriptors() had no memory to keep bytes of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if no '\n' is buffered. Nothing was read then.
 */
BELAY_API ssize_t belay_read_line(belay_stream *stream, char *line, size_t size) BELAY_MUST_USE;

/*
 * Wait until `least` bytes are buffered, and show them without taking them.
 *
 * *data points into the stream, and is valid until the next call that reads from the stream. If the
 * function fails, *data is NULL.
 *
 * The function also returns any other error of read(2), recv(2) or the transport.
 *
 * Returns: the number of bytes at *data. It is less than `least` only at the end.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; nothing is lost.
 *   -EDEADLK    the loop found that no task could ever go on; nothing is lost. Only transports in
 *               memory, such as belay_wire(), return this.
 *   -EBUSY      another task reads (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -EIO        the device failed.
 *   -ENOMEM     no memory for the stream's buffer, or in the system or the transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -ENOTRECOVERABLE  belay_receive_descriptors() had no memory to keep bytes of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if fewer than `least` bytes are buffered. Nothing is lost.
 * Ownership: the bytes are borrowed from the stream.
 */
BELAY_API ssize_t belay_peek(belay_stream *stream, size_t least, const void **data) BELAY_MUST_USE;
/*
 * Take up to `size` bytes from the beginning of the buffer, and drop them.
 *
 * If a task is inside a call that reads from the stream, the function takes nothing.
 *
 * Returns: the number of bytes taken, less than `size` if fewer were buffered.
 */
BELAY_API size_t belay_skip(belay_stream *stream, size_t size);
/*
 * Return how many bytes belay_peek() would show at once.
 *
 * Returns: the number of buffered bytes.
 */
BELAY_API size_t belay_buffered(const belay_stream *stream);

/* ---- writing ---- */

/*
 * Write all of `size` bytes, waiting while the peer does not keep up.
 *
 * If the function is cancelled or fails after some bytes, it returns their count, and the stream is
 * incomplete. The bytes that the function counts have reached the system, and may not have reached
 * the peer.
 *
 * The function also returns any other error of write(2), send(2) or the transport.
 *
 * Returns: `size`, or a smaller count as above.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited, and nothing was written.
 *   -EDEADLK    the loop found that no task could ever go on, and nothing was written. Only
 *               transports in memory, such as belay_wire(), return this.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EIO        the device failed, or the transport moved nothing.
 *   -ENOMEM     the system or the transport has no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device is full.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room. If bytes were written, the function
 * returns their count, and the request stays pending.
 */
BELAY_API ssize_t belay_write(belay_stream *stream, const void *data, size_t size) BELAY_MUST_USE;
/*
 * Write all bytes of several parts (<sys/uio.h>), in their order.
 *
 * The function works as belay_write(). It does not change `parts`.
 *
 * The function also returns any other error of write(2), send(2) or the transport.
 *
 * Returns: the sum of the lengths, or a smaller count as belay_write().
 * Errors:
 *   -EINVAL     `count` is negative or more than 1024 (UIO_MAXIOV), or the sum of the lengths
 *               exceeds SSIZE_MAX.
 *   -ECANCELED  the task was cancelled while it waited, and nothing was written.
 *   -EDEADLK    the loop found that no task could ever go on, and nothing was written. Only
 *               transports in memory, such as belay_wire(), return this.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EIO        the device failed, or the transport moved nothing.
 *   -ENOMEM     the system or the transport has no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device is full.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room. If bytes were written, the function
 * returns their count, and the request stays pending.
 */
BELAY_API ssize_t belay_writev(belay_stream *stream, const struct iovec *parts,
                               int count) BELAY_MUST_USE;
/*
 * Write all of a text that printf() would make.
 *
 * The function works as belay_write().
 *
 * The function also returns any other error of write(2), send(2) or the transport.
 *
 * Returns: the length of the text, or a smaller count as belay_write().
 * Errors:
 *   -EINVAL     the format is invalid.
 *   -ECANCELED  the task was cancelled while it waited, and nothing was written.
 *   -EDEADLK    the loop found that no task could ever go on, and nothing was written. Only
 *               transports in memory, such as belay_wire(), return this.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EIO        the device failed, or the transport moved nothing.
 *   -ENOMEM     no memory for the text, or in the system or the transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device is full.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room. If bytes were written, the function
 * returns their count, and the request stays pending.
 */
BELAY_API ssize_t belay_print(belay_stream *stream, const char *format, ...)
        BELAY_PRINTF(2, 3) BELAY_MUST_USE;

/*
 * Write as many bytes as there is room for, at least one, as write() does.
 *
 * The function waits only if there is no room. A count less than `size` does not make the stream
 * incomplete, because the caller knows how many bytes are left.
 *
 * The function also returns any other error of write(2), send(2) or the transport.
 *
 * Returns: the number of bytes written. 0 if `size` is 0.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited, and nothing was written.
 *   -EDEADLK    the loop found that no task could ever go on, and nothing was written. Only
 *               transports in memory, such as belay_wire(), return this.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EIO        the device failed, or the transport moved nothing.
 *   -ENOMEM     the system or the transport has no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device is full.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point if there is no room. Nothing was written then.
 */
BELAY_API ssize_t belay_write_some(belay_stream *stream, const void *data,
                                   size_t size) BELAY_MUST_USE;

/*
 * Report whether the stream is incomplete.
 *
 * Returns: true if a write moved only a part of a message, and belay_mend() was not called since.
 */
BELAY_API bool belay_is_cut(const belay_stream *stream);
/*
 * Resume writing, after the program dealt with the rest of the message.
 *
 * Returns: 0. The stream is not incomplete.
 * Errors:
 *   -ENOTRECOVERABLE  the transport does not know how much was written.
 */
BELAY_API int belay_mend(belay_stream *stream) BELAY_MUST_USE;

/* ---- from stream to stream ---- */

/*
 * Copy from one stream to another until the end.
 *
 * The copy ends when `from` ends, or when `most` bytes were written to `to`. If `most` is negative,
 * the count has no bound. Bytes that were read and not yet written stay in `from`, and the next
 * read finds them. So nothing is lost, and neither stream becomes incomplete. Between two sockets,
 * with epoll, a real clock and no seed, the task sleeps while the loop copies, and dumps show since
 * when. *copied (may be NULL) gets the number of bytes that were written, whatever the function
 * returns.
 *
 * The function also returns any other error of the two transports, as belay_read() and
 * belay_write() do.
 *
 * Returns: 0 if `from` ended or `most` bytes were written.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited. Bytes may have been copied before.
 *   -EDEADLK    the loop found that no task could ever go on. Only transports in memory, such as
 *               belay_wire(), return this.
 *   -EBADF      another task closed `to` or `from`. The handle of that stream is invalid, and the
 *               other stream stays open.
 *   -EBADF      the program closed the descriptor of `to` or `from`.
 *   -EBUSY      another task reads from `from` or writes to `to` (reported).
 *   -EPIPE      the peer of `to` no longer reads.
 *   -ECONNRESET  the peer of `to` or `from` aborted the connection.
 *   -ETIMEDOUT  the peer of `to` or `from` no longer answers.
 *   -ENOTRECOVERABLE  `to` is incomplete, or belay_receive_descriptors() had no memory to keep
 *               bytes of `from`.
 *   -ESHUTDOWN  belay_half_close() ended the writing to `to`.
 *   -EIO        a device failed, or the transport of `to` moved nothing.
 *   -ENOMEM     no memory for a buffer, or in the system or a transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device of `to` is full.
 *   -EPERM      the caller is not a task, or a stream belongs to another loop (reported).
 * Cancellation: a cancellation point if the function must wait for bytes or for room.
 */
BELAY_API int belay_copy(belay_stream *to, belay_stream *from, int64_t most,
                         int64_t *copied) BELAY_MUST_USE;

/*
 * Write `size` bytes of a file, from `offset` on.
 *
 * A thread waits for the disk. If the stream is a plain socket, the thread also gives the socket
 * what it has read, without the loop. No flag of the socket is used or changed. So other processes
 * may share the socket, blocking or not. The offset of `fd` is neither used nor changed.
 *
 * If the file ends, the function returns the count, and the stream is not incomplete. If the
 * function is cancelled or fails after some bytes, it returns their count, and the stream is
 * incomplete.
 *
 * The function also returns any other error of pread(2), of send(2) and write(2), or of the
 * transport.
 *
 * Returns: the number of bytes written. 0 if `size` is 0, or if the file ends before `offset`.
 * Errors:
 *   -EINVAL     `offset` or `size` is negative.
 *   -EBADF      `fd` is not a descriptor open for reading.
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EISDIR     `fd` is a directory.
 *   -ESPIPE     `fd` has no offsets.
 *   -EAGAIN     the system has no thread left.
 *   -ECANCELED  the task was cancelled while it waited, and nothing was written.
 *   -EDEADLK    the loop found that no task could ever go on, and nothing was written. Only
 *               transports in memory, such as belay_wire(), return this.
 *   -EPIPE      the peer no longer reads.
 *   -ECONNRESET  the peer aborted the connection.
 *   -ETIMEDOUT  the peer no longer answers. (A timeout of the program is -ECANCELED here, and
 *               -ETIMEDOUT from its scope.)
 *   -ENOTRECOVERABLE  the stream is incomplete (see belay_mend()).
 *   -ESHUTDOWN  belay_half_close() ended the writing.
 *   -EBUSY      another task writes (reported).
 *   -EIO        a device failed, or the transport moved nothing.
 *   -ENOMEM     no memory for a buffer or a thread, or in the system or the transport.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches), or
 *               the device is full.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point, since the function waits for the disk. If bytes were written,
 * the function returns their count, and the request stays pending.
 */
BELAY_API int64_t belay_send_file(belay_stream *stream, int fd, int64_t offset,
                                  int64_t size) BELAY_MUST_USE;

/* ---- its end ---- */

/*
 * End the writing of a stream, so that the peer reads the end.
 *
 * Reading goes on. A second call returns 0, too.
 *
 * The function also returns any other error of shutdown(2) or the transport.
 *
 * Returns: 0.
 * Errors:
 *   -EOPNOTSUPP  the transport cannot end one direction, as that of a pipe.
 *   -ENOTRECOVERABLE  the stream is incomplete.
 *   -EPIPE      the connection is gone.
 *   -EBUSY      another task writes (reported).
 *   -EBADF      another task closed the stream during the call, or the program closed the
 *               descriptor of the stream.
 *   -EPERM      the caller is not a task, or the stream belongs to another loop (reported).
 * Cancellation: a cancellation point for transports that end a direction by bytes (TLS), and not
 * for descriptors.
 */
BELAY_API int belay_half_close(belay_stream *stream) BELAY_MUST_USE;

/*
 * Close a stream gracefully.
 *
 * The function ends the writing, reads and drops what the peer still sends until the peer has
 * ended, too, and then closes the stream. It waits for `limit` at most. A graceful close delivers
 * the last answer even if the peer sent more. If a socket is closed with unread bytes instead, the
 * system resets the connection, and the peer may lose what it has not read.
 *
 * The function closes the stream at once, as close() does, in these cases:
 *     - `limit` is 0;
 *     - another task is inside a call of the stream;
 *     - the peer of a socket has ended;
 *     - a read or write of the stream failed permanently;
 *     - the stream is of a socket with .keep_open.
 *
 * If the stream is incomplete, the function aborts it. If `stream` is NULL, the function does
 * nothing.
 *
 * The function also returns any other error of the transport.
 *
 * Returns: 0.
 * Errors:
 *   -ETIMEDOUT  the peer did not end within `limit`, or no longer answers.
 *   -ECANCELED  the task was cancelled while it waited.
 *   -EDEADLK    the loop found that no task could ever go on.
 *   -EBADF      another task closed the stream meanwhile.
 *   -ECONNRESET  the connection is gone.
 *   -ENOMEM     no memory for the timer.
 *   -EPERM      the function would have to wait, and the caller is not a task, or the stream
 *               belongs to another loop (reported).
 * Cancellation: a cancellation point if the peer has not ended yet and `limit` is not 0.
 * Ownership: the handle is invalid and the stream is closed, whatever the function returns.
 */
BELAY_API int belay_close(belay_stream *stream, belay_time limit);

/*
 * Close a stream at once, and discard what was written and not yet sent.
 *
 * The peer of a TCP connection reads -ECONNRESET. If a task is inside a call of the stream, the
 * descriptor is closed when that task has left. If `stream` is NULL, the function does nothing.
 *
 * Ownership: the handle is invalid.
 */
BELAY_API void belay_abort(belay_stream *stream);

/* ---- inspecting ---- */

/*
 * Return the descriptor of a stream, for getsockopt() and similar calls.
 *
 * Returns: the descriptor.
 * Errors:
 *   -EOPNOTSUPP  the transport has no descriptor.
 *   -EBADF      the program closed the descriptor of the stream.
 * Ownership: the descriptor is borrowed from the stream.
 */
BELAY_API int belay_stream_fd(const belay_stream *stream);
/*
 * Describe a stream for people: "tcp 127.0.0.1:80", "pipe", "terminal".
 *
 * Returns: the description. Never NULL.
 * Ownership: the text is borrowed from the stream.
 */
BELAY_API const char *belay_stream_name(const belay_stream *stream);
/*
 * Return how many bytes readers have taken from the stream since it was made.
 *
 * Returns: the number of bytes.
 */
BELAY_API uint64_t belay_received(const belay_stream *stream);
/*
 * Return how many bytes writers have put into the stream since it was made.
 *
 * Returns: the number of bytes.
 */
BELAY_API uint64_t belay_sent(const belay_stream *stream);

/* ---- transports ---- */

/*
 * The functions of which a stream is made: for TLS, a compression, a test double.
 *
 * The transport moves bytes. The stream has the buffers, the lines and the incomplete messages, and
 * ensures that one task reads and one task writes.
 *
 * `read` and `write` are each called by one task at a time, maybe both at once, and with at least
 * one byte to move. They move at least one byte, or wait. They must follow the rule of
 * <belay/io.h>: they count what moved, and -ECANCELED means that nothing moved. `read` returns 0 at
 * the end.
 */
typedef struct belay_transport {
        size_t size;      /* sizeof(belay_transport) */
        const char *name; /* a word: "tls" */
        ssize_t (*read)(void *self, void *buffer, size_t size);
        ssize_t (*write)(void *self, const struct iovec *parts, int count);
        int (*half_close)(void *self); /* NULL: belay_half_close() returns -EOPNOTSUPP */
        /*
         * The stream is being closed: tasks that wait in `read`, `write` or `half_close` must
         * return -EBADF now. The function must not wait. If a task is inside for belay_copy() and
         * the other stream is closed, the library does not call interrupt(). It ends the wait by a
         * cancellation request, and the transport returns -ECANCELED as for any other request.
         */
        void (*interrupt)(void *self);
        /*
         * Frees the transport, when no task is inside any more. `abort`: the stream was aborted.
         * The function must not wait.
         */
        void (*destroy)(void *self, bool abort);
        int (*fd)(const void *self); /* NULL: there is no descriptor */
        /* Name of the peer, "tcp 127.0.0.1:80", valid as long as the transport; may be NULL. */
        const char *(*describe)(const void *self);
        /* After a write that was cancelled or failed: is its count reliable? NULL: yes. */
        bool (*is_sound)(const void *self);
} belay_transport;

/*
 * Make a stream of a transport.
 *
 * Returns: 0 with the stream in *stream. If the function fails, *stream is NULL.
 * Errors:
 *   -EINVAL     .name, .read, .write, .interrupt or .destroy is NULL.
 *   -ENOMEM     no memory.
 * Ownership: the stream owns the transport `self`, and ends it by .destroy. If the function fails,
 * `self` is still the caller's.
 */
BELAY_API int belay_stream_new(belay_stream **stream, const belay_transport *transport,
                               void *self) BELAY_MUST_USE;

BELAY_END
#endif
