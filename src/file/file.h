/* SPDX-License-Identifier: MIT */
/*
 * The functions that all files of file/ share.
 *
 * A struct bly_op describes a system call. The back end performs it if it needs no thread for it.
 * Otherwise a thread of the pool does.
 */
#ifndef BLY_FILE_H
#define BLY_FILE_H

#include <fcntl.h>
#include <sys/stat.h>

#include <belay/file.h>

#include "io/io.h"
#include "thread/pool.h"

/* A task's call of a public function of <belay/file.h>. */
struct bly_file_call {
        belay_task *self;
        struct bly_io *io;
        const char *place;
};

/*
 * Fills in `call` for the calling task. Returns 0, -EPERM if the caller is not a task (reported),
 * or another negative errno if the loop's back end could not be made.
 */
int bly_file_begin(struct bly_file_call *call, const char *place, const char *what);

/*
 * Returns `result`. A failure becomes the task's latest failure, so that the detail of an earlier
 * failure is gone.
 */
ssize_t bly_file_end(const struct bly_file_call *call, ssize_t result);
/* As bly_file_end(). The text of the failure has the operation and the path. */
int bly_file_end_at(const struct bly_file_call *call, ssize_t result, const char *what,
                    const char *path);

/*
 * Performs an operation, and waits for it. Returns the result of the system call as a number or
 * negative errno. Returns -ECANCELED if a request came before the call began, which does not happen
 * with BLY_OP_CLOSE. If the call was not made, op->result keeps its value. BLY_OP_STAT stands for
 * fstatat() with a struct stat here.
 */
ssize_t bly_file_do(const struct bly_file_call *call, struct bly_op *op);

/*
 * Runs a job in a thread. A job that stops early because of a request, and has undone its work,
 * sets *cut. If the request is still pending then, the function delivers it and returns -ECANCELED.
 * If the request was withdrawn, the job runs again.
 */
int bly_file_do_job(const struct bly_file_call *call, struct bly_job *job, const bool *cut);

/*
 * Closes a descriptor. If neither the back end nor a thread can do it, the function calls close()
 * itself. The descriptor is closed whatever the function returns. A failure leaves no detail.
 */
int bly_file_close(const struct bly_file_call *call, int fd);

/*
 * Returns the directory from which `path` is resolved. For a relative path the function opens the
 * current directory, since the program may change it before a thread uses the path. If the path is
 * absolute or the open fails, it returns AT_FDCWD. The caller must close the directory with
 * bly_file_directory_close(), which ignores AT_FDCWD.
 */
int bly_file_directory(const char *path);
void bly_file_directory_close(int directory);

#endif
