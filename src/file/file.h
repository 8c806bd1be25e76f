/* SPDX-License-Identifier: MIT */
/*
 * Files: what their functions have in common.
 *
 * Each system call is described as an operation (struct bly_op), which a thread of the pool performs, or the back end where
 * it needs no thread for it.
 */
#ifndef BLY_FILE_H
#define BLY_FILE_H

#include <fcntl.h>
#include <sys/stat.h>

#include <belay/file.h>

#include "io/io.h"
#include "thread/pool.h"

/* A call of one of the functions, by a task. */
struct bly_file_call {
        belay_task *self;
        struct bly_io *io;
        const char *place;
};

/* 0, -EPERM outside of a task, or why there is no back end. */
int bly_file_begin(struct bly_file_call *call, const char *place, const char *what);

/* What a call returns: a failure leaves no detail of an earlier one behind. */
ssize_t bly_file_end(const struct bly_file_call *call, ssize_t result);

/*
 * Does it, and waits: the result of the system call; -ECANCELED if it was not begun, which for BLY_OP_CLOSE cannot
 * be. op->result stays as it is if it was not even tried. BLY_OP_STAT is fstatat() here, with a struct stat.
 */
ssize_t bly_file_do(const struct bly_file_call *call, struct bly_op *op);

/*
 * Has a thread do it. A job that was asked to end early and did says so by job->cut, if it undid what it had done:
 * then it is -ECANCELED, or done again if whoever asked took it back.
 */
int bly_file_do_job(const struct bly_file_call *call, struct bly_job *job, const bool *cut);

/* Also where it cannot be waited for; the descriptor is gone in any case. No detail is left. */
int bly_file_close(const struct bly_file_call *call, int fd);

/*
 * The directory that a name is looked up from: the one that is current now, held open if the name is relative. To be
 * closed if it is not AT_FDCWD.
 */
int bly_file_directory(const char *path);
void bly_file_directory_close(int directory);

#endif
