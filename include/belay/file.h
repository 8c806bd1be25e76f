/* SPDX-License-Identifier: MIT */
/*
 * Files, without stopping the loop. Threads of the loop wait for disks; io_uring reads and writes
 * without them.
 *
 * Descriptors and flags are those of open() and its like. A relative name begins in the directory
 * that is current when the call begins. A read that finds its bytes in memory takes no thread.
 *
 * Cancellation: every function here but belay_file_close() is a cancellation point; <belay/io.h>
 * has the rule. If a request is pending, or a limit of the task is over, the function begins
 * nothing. belay_file_read() and belay_file_write() are no cancellation points if all that they
 * move is in memory, and the file system can move it without waiting. -ECANCELED means that the
 * operation was not begun, so nothing happened. The function waits for an operation that was begun,
 * since it uses the caller's memory and cannot be stopped. It returns the result, and the request
 * stays for the next wait. So a task cannot leave a disk, or a file system of a network, that does
 * not answer. belay_file_open(), _read() and _write() can leave a FIFO, a terminal, a socket or a
 * device that does not answer, and so can belay_file_read_all().
 *
 * belay_loop_options.threads (4 by default) bounds the threads that work on files. The loop starts
 * a thread when it first needs it. A thread that has been at the same call for more than a second
 * or two does not count: the loop starts another one in its place if calls stand in line. A task
 * that opens or reads what never answers takes none of these threads. So no number of files that do
 * not answer holds up the others. The threads take no signals, and end with the loop.
 *
 * Signals: none. A write to a FIFO, a pipe or a socket that nobody reads returns -EPIPE. A write
 * beyond RLIMIT_FSIZE returns -EFBIG. Neither SIGPIPE nor SIGXFSZ is raised in the program.
 *
 * Errors: those of the system calls. All functions may also return -ENOMEM, -EAGAIN (the system has
 * no thread left) and -EPERM (called outside of a task).
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_FILE_H
#define BELAY_FILE_H

#include <sys/types.h>

#include <belay/base.h>

BELAY_BEGIN

struct stat;

/*
 * The library fills in a struct stat with 64 bits for sizes and times. glibc has other layouts as
 * well on some 32-bit processors, by the program's flags. The compiler refuses a call of these
 * functions there, unless the program is compiled with -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 (the
 * first alone before glibc 2.34).
 */
#if defined(__GLIBC__) && !defined(__OFF_T_MATCHES_OFF64_T) && !(defined(__USE_FILE_OFFSET64) \
        && (defined(__USE_TIME_BITS64) || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 34)))
#  define BELAY_NEEDS_WIDE_STAT __attribute__((error("compile with -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64")))
#else
#  define BELAY_NEEDS_WIDE_STAT
#endif

/* ---- descriptors ---- */

/*
 * Open a file. Waits, as open() does, for the other side of a FIFO, for the line of a terminal, and
 * for the holder of a lease; with O_NONBLOCK it waits for none of them. The function looks at
 * `mode` with O_CREAT alone.
 * Returns: the descriptor, which is closed on exec.
 * Errors: those of open().
 * Cancellation: a cancellation point. If -ECANCELED, the function made and cut off nothing, and no
 * descriptor stays open. A thread may still wait for the other side of a FIFO then. It closes what
 * it opens late, so that the other side sees somebody come and go.
 */
BELAY_API int belay_file_open(const char *path, int flags, mode_t mode) BELAY_MUST_USE;
/*
 * Close a descriptor.
 * Returns: 0. The descriptor is gone, whatever the function returns.
 * Errors: -EBADF (not open); -EIO, -EDQUOT, -ENOSPC (an earlier write failed).
 * Cancellation: not a cancellation point. The function waits until the descriptor is closed, and a
 * request stays for the next wait.
 */
BELAY_API int belay_file_close(int fd);
/*
 * Read or write `size` bytes, at an offset, or at the descriptor's own if `offset` is negative. A
 * descriptor without offsets (a FIFO, a terminal, a socket) takes no notice of `offset`. Whether a
 * descriptor blocks is of no consequence: the task waits until it is ready.
 * Returns: how many bytes moved. A read returns fewer than `size` at the end of the file. Both
 * return fewer if a failure or a request came after the first byte; the next call, or the next
 * wait, then meets it.
 * Errors: those of read() and write(); -EPIPE (nobody reads the other end); -EFBIG (beyond
 * RLIMIT_FSIZE).
 * Cancellation: a cancellation point. If -ECANCELED, no byte moved.
 */
BELAY_API ssize_t belay_file_read(int fd, void *buffer, size_t size, int64_t offset) BELAY_MUST_USE;
BELAY_API ssize_t belay_file_write(int fd, const void *data, size_t size, int64_t offset) BELAY_MUST_USE;
/* fsync(), or fdatasync() if `data_only`. If -ECANCELED, it was not begun. */
BELAY_API int belay_file_sync(int fd, bool data_only) BELAY_MUST_USE;
/* ftruncate(). -EFBIG: beyond RLIMIT_FSIZE. If -ECANCELED, it was not begun. */
BELAY_API int belay_file_truncate(int fd, int64_t size) BELAY_MUST_USE;

/* ---- names ---- */

/* stat(), lstat() if not `follow`; fstat(). */
BELAY_API int belay_file_stat(const char *path, bool follow, struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
BELAY_API int belay_file_stat_fd(int fd, struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
BELAY_API int belay_file_rename(const char *from, const char *to) BELAY_MUST_USE;
/* unlink(), or rmdir() of a directory. */
BELAY_API int belay_file_remove(const char *path) BELAY_MUST_USE;
BELAY_API int belay_file_make_directory(const char *path, mode_t mode) BELAY_MUST_USE;

/* ---- whole files ---- */

/*
 * Reads a file as a whole: *data gets its contents with a '\0' behind them, to be freed by
 * belay_file_free(), *size (may be NULL) how many bytes they are. -EFBIG: more than `most` (0: no
 * limit). What cannot be told its size before, as in /proc, is read to its end.
 */
BELAY_API int belay_file_read_all(const char *path, size_t most, char **data, size_t *size) BELAY_MUST_USE;
BELAY_API void belay_file_free(char *data);
/*
 * Replaces a file by one with these contents, or leaves it as it was: they are written beside it,
 * synced, and take its name then. Nobody ever sees half of it, whatever happens meanwhile. It is a
 * new file: its mode is `mode` without the umask's bits, its owner the caller, and other names
 * (hard links) keep the old one; where `path` is a symbolic link, the file takes the link's place.
 * An error of syncing the directory is returned though the name is the new file's already: only
 * after a crash may it be the old one's. The failure's detail names the file and the step that
 * failed, such as "replace a.conf: making a file beside it: Permission denied".
 * Cancellation: if -ECANCELED, the file is as it was, and nothing is left beside it.
 */
BELAY_API int belay_file_write_all(const char *path, const void *data, size_t size, mode_t mode) BELAY_MUST_USE;

/* ---- directories ---- */

typedef struct belay_walk_entry {
        size_t size;                      /* sizeof(belay_walk_entry) as the library has it: a newer one knows more */
        const char *path;                 /* from `root` on: root/sub/name */
        const char *name;                 /* its last part */
        int depth;                        /* of root's own entries: 1 */
        const struct stat *stat;          /* as lstat() */
        int error;                        /* a directory that could not be read, told of once more: its negative errno; 0 else */
} belay_walk_entry;

/*
 * Calls fn(entry, arg), in the calling task, for everything below `root`, directories before what
 * is in them, sorted by name in each. fn may wait. It returns 0; BELAY_WALK_PASS not to go into
 * this directory; anything else ends the walk, which returns it. Symbolic links are not followed,
 * other file systems are gone into. What vanishes meanwhile is passed over. A root that is no
 * directory is -ENOTDIR.
 */
enum { BELAY_WALK_PASS = 1 };
typedef int belay_walk_fn(const belay_walk_entry *entry, void *arg);
BELAY_API int belay_walk(const char *root, belay_walk_fn *fn, void *arg) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;

BELAY_END
#endif
