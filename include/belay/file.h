/* SPDX-License-Identifier: MIT */
/*
 * Files, without stopping the loop: disks are waited for by threads of the loop, a few, or by io_uring.
 *
 * Descriptors and flags are those of open() and its like; a name is looked up from the directory that is current when
 * the call begins. What is in memory already (as most of what is read again) is read at once, by no thread.
 *
 * What a cancellation leaves: what happened wins. An operation that was not begun is given up, and -ECANCELED means
 * that it was not. One that was begun is waited for, since it uses the caller's memory and cannot be stopped; its
 * result is returned, and the request stays for the next wait. So a disk that does not answer cannot be left by cancelling.
 *
 * The threads (belay_loop_options.threads, 4 by default) are started when they are first needed, take no signals, and end
 * with the loop.
 *
 * Errors are those of the system calls; of all: -ENOMEM, -EAGAIN (no thread could be started), -EPERM outside of a task.
 *
 * Threads: the loop's own.
 * Cancellation: all functions here are cancellation points where they have to wait. See <belay/io.h> for the rule.
 */
#ifndef BELAY_FILE_H
#define BELAY_FILE_H

#include <sys/types.h>

#include <belay/base.h>

BELAY_BEGIN

struct stat;

/* ---- descriptors ---- */

/*
 * Opens: returns the descriptor, which is closed on exec. `mode` is looked at with O_CREAT alone.
 * Cancellation: if -ECANCELED, nothing was opened or made. One that was opened is returned.
 */
BELAY_API int belay_file_open(const char *path, int flags, mode_t mode) BELAY_MUST_USE;
/*
 * Closes. The descriptor is gone, whatever it returns; an error (-EIO, -EDQUOT, -ENOSPC) speaks of what was written before.
 * Cancellation: not a cancellation point: it waits until it is done, and a request stays for the next wait.
 */
BELAY_API int belay_file_close(int fd);
/*
 * Read and write at an offset, or at the descriptor's own if it is negative, and return how many bytes that were: reading, fewer
 * than `size` only at the end of the file, or after a cancellation or failure in between, which the next call meets. Writing, likewise.
 */
BELAY_API ssize_t belay_file_read(int fd, void *buffer, size_t size, int64_t offset) BELAY_MUST_USE;
BELAY_API ssize_t belay_file_write(int fd, const void *data, size_t size, int64_t offset) BELAY_MUST_USE;
/* fsync(), or fdatasync() if `data_only`. If -ECANCELED, it was not begun. */
BELAY_API int belay_file_sync(int fd, bool data_only) BELAY_MUST_USE;
BELAY_API int belay_file_truncate(int fd, int64_t size) BELAY_MUST_USE;

/* ---- names ---- */

/* stat(), lstat() if not `follow`; fstat(). */
BELAY_API int belay_file_stat(const char *path, bool follow, struct stat *result) BELAY_MUST_USE;
BELAY_API int belay_file_stat_fd(int fd, struct stat *result) BELAY_MUST_USE;
BELAY_API int belay_file_rename(const char *from, const char *to) BELAY_MUST_USE;
/* unlink(), or rmdir() of a directory. */
BELAY_API int belay_file_remove(const char *path) BELAY_MUST_USE;
BELAY_API int belay_file_make_directory(const char *path, mode_t mode) BELAY_MUST_USE;

/* ---- whole files ---- */

/*
 * Reads a file as a whole: *data gets its contents with a '\0' behind them, to be freed by belay_file_free(), *size (may be NULL) how
 * many bytes they are. -EFBIG: more than `most` (0: no limit). What cannot be told its size before, as in /proc, is read to its end.
 */
BELAY_API int belay_file_read_all(const char *path, size_t most, char **data, size_t *size) BELAY_MUST_USE;
BELAY_API void belay_file_free(char *data);
/*
 * Replaces a file by one with these contents, or leaves it as it was: they are written beside it, synced, and take its name then.
 * Nobody ever sees half of it, whatever happens meanwhile. It is a new file: its mode is `mode` without the umask's bits, its owner
 * the caller, and other names (hard links) keep the old one; where `path` is a symbolic link, the file takes the link's place. An
 * error of syncing the directory is returned though the name is the new file's already: only after a crash may it be the old one's.
 * The failure's detail names the file and the step that failed, such as "replace a.conf: making a file beside it: Permission denied".
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
 * Calls fn(entry, arg), in the calling task, for everything below `root`, directories before what is in them, sorted by name in each.
 * fn may wait. It returns 0; BELAY_WALK_PASS not to go into this directory; anything else ends the walk, which returns it. Symbolic links
 * are not followed, other file systems are gone into. What vanishes meanwhile is passed over. A root that is no directory is -ENOTDIR.
 */
enum { BELAY_WALK_PASS = 1 };
typedef int belay_walk_fn(const belay_walk_entry *entry, void *arg);
BELAY_API int belay_walk(const char *root, belay_walk_fn *fn, void *arg) BELAY_MUST_USE;

BELAY_END
#endif
