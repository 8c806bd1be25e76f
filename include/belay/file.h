/* SPDX-License-Identifier: MIT */
/*
 * Files, without stopping the loop. Threads of the loop wait for disks. io_uring reads and writes
 * without threads.
 *
 * Descriptors and flags are those of open() and related functions. A relative name starts in the
 * directory that is current when the call begins. A read whose bytes are in memory takes no thread.
 *
 * Cancellation: every function here is a cancellation point, except belay_file_close() and
 * belay_file_free(). The rule is in <belay/io.h>. If a request is pending, or a timeout of the task
 * is due, the function begins nothing. There is one exception. If all bytes are in memory, and the
 * file system can move them without waiting, belay_file_read() and belay_file_write() are not
 * cancellation points.
 *
 * -ECANCELED means that the operation was not begun, so it had no effect. An operation that was
 * begun uses the caller's memory and cannot be stopped, so the function waits for it. The function
 * then returns the operation's result, and the request stays pending until the task's next
 * cancellation point. So a task cannot leave a disk or a network file system that does not answer.
 * belay_file_open(), belay_file_read() and belay_file_write() can leave a FIFO, a terminal, a
 * socket or a device that does not answer, and so can belay_file_read_all().
 *
 * belay_loop_options.threads (4 by default) bounds the threads that work on files. The loop starts
 * a thread when it first needs one. A thread that has been at the same call for more than 1 to 2
 * seconds does not count. The loop starts another one in its place if calls wait for a thread. A
 * task that opens or reads a file which never answers takes none of these threads. So no number of
 * files that do not answer holds up the others. The threads take no signals, and end with the loop.
 *
 * If a function that takes a path fails, the text of the failure has the operation, the path and
 * the error, as in "open a.conf: Permission denied". See belay_failure_text().
 *
 * Signals: none. A write to a FIFO, a pipe or a socket that no process reads returns -EPIPE. A
 * write beyond RLIMIT_FSIZE returns -EFBIG. Neither SIGPIPE nor SIGXFSZ is raised in the program.
 *
 * Threads: the loop's own thread.
 */
#ifndef BELAY_FILE_H
#define BELAY_FILE_H

#include <sys/types.h>

#include <belay/base.h>

BELAY_BEGIN

struct stat;

/*
 * Marks functions that fill in a struct stat with 64 bits for sizes and times. glibc has other
 * layouts as well on some 32-bit processors, by the program's flags. The compiler refuses a call of
 * these functions there, unless the program is compiled with -D_FILE_OFFSET_BITS=64 and
 * -D_TIME_BITS=64. Before glibc 2.34 the first flag alone is enough.
 */
#if defined(__GLIBC__) && !defined(__OFF_T_MATCHES_OFF64_T) \
        && !(defined(__USE_FILE_OFFSET64)                   \
             && (defined(__USE_TIME_BITS64) || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 34)))
#define BELAY_NEEDS_WIDE_STAT \
        __attribute__((error("compile with -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64")))
#else
#define BELAY_NEEDS_WIDE_STAT
#endif

/* ---- descriptors ---- */

/*
 * Open a file.
 *
 * The function waits, as open() does, for the peer of a FIFO, for the line of a terminal, and for
 * the holder of a lease. With O_NONBLOCK it waits for none of them. It uses `mode` with O_CREAT
 * only.
 *
 * The function also returns any other error of open(2).
 *
 * Returns: the descriptor, which is closed on exec.
 * Errors:
 *   -ECANCELED  the task was cancelled. The function created and truncated nothing, and no
 *               descriptor stays open.
 *   -ENOENT     the file or a directory of its name does not exist.
 *   -EACCES     the system does not permit the access.
 *   -EEXIST     the file exists, with O_CREAT and O_EXCL.
 *   -EISDIR     the file is a directory, and `flags` ask for writing.
 *   -ENOTDIR    a part of the name is no directory.
 *   -ENXIO      no process reads the FIFO, with O_NONBLOCK and O_WRONLY.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point. After -ECANCELED a thread may still wait for the peer of a
 * FIFO. It closes what it opens late, so that the peer sees an open and a close.
 * Ownership: the descriptor is the caller's.
 */
BELAY_API int belay_file_open(const char *path, int flags, mode_t mode) BELAY_MUST_USE;
/*
 * Close a descriptor.
 *
 * The function also returns any other error of close(2), but not -EINTR.
 *
 * Returns: 0.
 * Errors:
 *   -EBADF      `fd` is not an open descriptor.
 *   -EIO        an earlier write failed.
 *   -EDQUOT     an earlier write exceeded the quota.
 *   -ENOSPC     an earlier write found the device full.
 *   -ENOMEM     no memory for the back end.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: not a cancellation point. The function waits until the descriptor is closed, and a
 * request stays pending.
 * Ownership: the descriptor is closed, whatever the function returns, even if the caller is not a
 * task.
 */
BELAY_API int belay_file_close(int fd);
/*
 * Read up to `size` bytes at an offset.
 *
 * If `offset` is negative, the function reads at the descriptor's own offset. A descriptor without
 * offsets (a FIFO, a terminal, a socket) ignores `offset`. The task waits until the descriptor is
 * ready, whether it blocks or not.
 *
 * The function also returns any other error of read(2) or pread(2).
 *
 * Returns: the number of bytes read. It is less than `size` at the end of the file, or if an error
 * or a request came after the first byte. The next call, or the next cancellation point, returns
 * that error or request.
 * Errors:
 *   -ECANCELED  the task was cancelled, and no byte was read.
 *   -EBADF      `fd` is not a descriptor open for reading, or belay_forget_fd() ended the wait.
 *   -EISDIR     `fd` is a directory.
 *   -EIO        the device failed.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point, unless all bytes are in memory and the file system can move
 * them without waiting. The task's 64th such call without a wait is one all the same.
 */
BELAY_API ssize_t belay_file_read(int fd, void *buffer, size_t size, int64_t offset) BELAY_MUST_USE;
/*
 * Write `size` bytes at an offset.
 *
 * If `offset` is negative, the function writes at the descriptor's own offset. A descriptor without
 * offsets (a FIFO, a terminal, a socket) ignores `offset`. The task waits until the descriptor is
 * ready, whether it blocks or not.
 *
 * The function also returns any other error of write(2) or pwrite(2).
 *
 * Returns: the number of bytes written. It is less than `size` only if an error or a request came
 * after the first byte. The next call, or the next cancellation point, returns that error or
 * request.
 * Errors:
 *   -ECANCELED  the task was cancelled, and no byte was written.
 *   -EBADF      `fd` is not a descriptor open for writing, or belay_forget_fd() ended the wait.
 *   -EPIPE      no process reads the other end.
 *   -EFBIG      the write is beyond RLIMIT_FSIZE, or beyond what the file system can store.
 *   -ENOSPC     the device is full.
 *   -EDQUOT     the quota is exceeded.
 *   -EIO        the device failed.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point, unless the file system can take all bytes without waiting.
 * The task's 64th such call without a wait is one all the same.
 */
BELAY_API ssize_t belay_file_write(int fd, const void *data, size_t size,
                                   int64_t offset) BELAY_MUST_USE;
/*
 * Write a file's changes to its disk: fsync(), or fdatasync() if `data_only`.
 *
 * The function also returns any other error of fsync(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -EBADF      `fd` is not an open descriptor.
 *   -EINVAL     `fd` cannot be synced, as that of a FIFO.
 *   -EIO        the device failed.
 *   -ENOSPC     the device is full.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_sync(int fd, bool data_only) BELAY_MUST_USE;
/*
 * Set the size of a file, as ftruncate() does.
 *
 * The function also returns any other error of ftruncate(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -EBADF      `fd` is not an open descriptor.
 *   -EINVAL     `size` is negative, or `fd` is not a file open for writing.
 *   -EFBIG      `size` is beyond RLIMIT_FSIZE, or beyond what the file system can store.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_truncate(int fd, int64_t size) BELAY_MUST_USE;

/* ---- names ---- */

/*
 * Get the status of a file by its name: stat(), or lstat() if `follow` is false.
 *
 * The function also returns any other error of stat(2).
 *
 * Returns: 0 with the status in *result.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -ENOENT     the file or a directory of its name does not exist.
 *   -EACCES     a directory of the name may not be searched.
 *   -ENOTDIR    a part of the name is no directory.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_stat(const char *path, bool follow,
                              struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
/*
 * Get the status of a file by its descriptor, as fstat() does.
 *
 * The function also returns any other error of fstat(2).
 *
 * Returns: 0 with the status in *result.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -EBADF      `fd` is not an open descriptor.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_stat_fd(int fd, struct stat *result) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;
/*
 * Rename a file, as rename() does.
 *
 * The function also returns any other error of rename(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -ENOENT     `from`, or a directory of either name, does not exist.
 *   -EACCES     the system does not permit the operation.
 *   -EISDIR     `to` is a directory, and `from` is not.
 *   -ENOTEMPTY  `to` is a directory that is not empty.
 *   -EXDEV      the names are on different file systems.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_rename(const char *from, const char *to) BELAY_MUST_USE;
/*
 * Remove a name: unlink(), or rmdir() of a directory.
 *
 * The function also returns any other error of unlink(2) or rmdir(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -ENOENT     the file or a directory of its name does not exist.
 *   -EACCES     the system does not permit the operation.
 *   -ENOTEMPTY  the directory is not empty.
 *   -EBUSY      the system uses the directory.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_remove(const char *path) BELAY_MUST_USE;
/*
 * Make a directory, as mkdir() does.
 *
 * The function also returns any other error of mkdir(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled, and the operation was not begun.
 *   -EEXIST     the name exists.
 *   -ENOENT     a directory of the name does not exist.
 *   -EACCES     the system does not permit the operation.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for the back end.
 *   -ENFILE     the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_file_make_directory(const char *path, mode_t mode) BELAY_MUST_USE;

/* ---- whole files ---- */

/*
 * Read a whole file into memory.
 *
 * *data gets the contents, with a '\0' after them. *size (may be NULL) gets their length without
 * the '\0'. If the file does not report its size, as in /proc, the function reads it to its end. A
 * failure's detail names the file.
 *
 * The function also returns any other error of open(2) or read(2).
 *
 * Returns: 0 with the contents. If the function fails, *data is NULL and *size is 0.
 * Errors:
 *   -ECANCELED  the task was cancelled. A part of the file may have been read, and is dropped.
 *   -EFBIG      the file has more than `most` bytes (0: no limit), or more than memory can hold.
 *   -ENOENT     the file or a directory of its name does not exist.
 *   -EACCES     the system does not permit the access.
 *   -EISDIR     the file is a directory.
 *   -EIO        the device failed.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 * Ownership: the caller frees *data by belay_file_free().
 */
BELAY_API int belay_file_read_all(const char *path, size_t most, char **data,
                                  size_t *size) BELAY_MUST_USE;
/*
 * Free the contents that belay_file_read_all() returned.
 *
 * If `data` is NULL, the function does nothing.
 */
BELAY_API void belay_file_free(char *data);
/*
 * Replace a file by one with new contents, atomically.
 *
 * A thread writes the contents to a new file in the same directory, syncs it, and renames it to
 * `path`. No process ever sees a part of the contents, and after a crash the file is the old or the
 * new one. If the function fails, the file is as it was, and the new file is removed.
 *
 * The mode of the new file is `mode` without the bits of the umask, and its owner is the caller.
 * Other names (hard links) keep the old file. If `path` is a symbolic link, the file takes the
 * link's place.
 *
 * There is one exception. If syncing the directory fails, the function returns that error though
 * the name is the new file's already. After a crash the name may then be the old file's.
 *
 * A failure's detail names the file and the step that failed, such as "replace a.conf: making a
 * file beside it: Permission denied".
 *
 * The function also returns any other error of open(2), write(2), fsync(2) or rename(2).
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled. The file is as it was, and the new file is removed.
 *   -ENOENT     `path` is empty, or its directory does not exist.
 *   -EISDIR     `path` ends in '/', or its last part is "." or "..", or it is a directory.
 *   -ENAMETOOLONG  the name is too long.
 *   -EACCES     the system does not permit the operation.
 *   -EEXIST     100 random names for the new file all exist.
 *   -EFBIG      the contents are beyond RLIMIT_FSIZE, or beyond what the file system can store.
 *   -ENOSPC     the device is full.
 *   -EDQUOT     the quota is exceeded.
 *   -EROFS      the file system is read-only.
 *   -EIO        the device failed.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -EPERM      the caller is not a task (reported), or the system does not permit the operation.
 * Cancellation: a cancellation point. A request has an effect until the rename.
 */
BELAY_API int belay_file_write_all(const char *path, const void *data, size_t size,
                                   mode_t mode) BELAY_MUST_USE;

/* ---- directories ---- */

/* One entry that belay_walk() found. */
typedef struct belay_walk_entry {
        /* sizeof(belay_walk_entry) in the library; a newer library has more members */
        size_t size;
        const char *path;        /* path from `root` on: root/sub/name */
        const char *name;        /* last part of the path */
        int depth;               /* 1 for root's own entries */
        const struct stat *stat; /* status as by lstat(); all zero if lstat() failed */
        /*
         * Negative errno if lstat() failed, or in the second report of a directory that could not
         * be read. 0 otherwise.
         */
        int error;
} belay_walk_entry;

/* Return value of a belay_walk_fn: do not enter this directory. */
enum { BELAY_WALK_PASS = 1 };
/*
 * The function that belay_walk() calls for each entry, in the calling task. It may wait.
 *
 * It returns 0 to go on, or BELAY_WALK_PASS to leave a directory out. Any other value ends the
 * walk, and belay_walk() returns it. The entry is valid until the function returns.
 */
typedef int belay_walk_fn(const belay_walk_entry *entry, void *arg);
/*
 * Call fn(entry, arg) for every entry below a directory.
 *
 * The walk reports a directory before its entries, and the entries of a directory sorted by name.
 * It does not follow symbolic links, except `root` itself. It enters other file systems. It passes
 * over entries that vanish meanwhile. If a directory below `root` cannot be read, the walk reports
 * it a second time with .error, and goes on.
 *
 * The function also returns any other error of open(2) or getdents(2) for `root`.
 *
 * Returns: 0 at the end of the walk, or the value by which `fn` ended it.
 * Errors:
 *   -ECANCELED  the task was cancelled. Entries may have been reported before.
 *   -ENOTDIR    `root` is not a directory.
 *   -ENOENT     `root` does not exist.
 *   -EACCES     the system does not permit reading `root`.
 *   -EAGAIN     the system has no thread left.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point, before each directory and after every 32 entries.
 */
BELAY_API int belay_walk(const char *root, belay_walk_fn *fn,
                         void *arg) BELAY_MUST_USE BELAY_NEEDS_WIDE_STAT;

BELAY_END
#endif
