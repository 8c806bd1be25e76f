/* SPDX-License-Identifier: MIT */
/*
 * A transfer of bytes between a descriptor and the caller's memory, which is a read or a write.
 */
#ifndef BLY_FILE_TRANSFER_H
#define BLY_FILE_TRANSFER_H

#include "file/file.h"

struct bly_transfer {
        struct bly_job job;
        bool writes;
        bool once; /* a single call, which writes at most PIPE_BUF bytes */
        int fd;
        char *at;
        size_t left;
        int64_t offset; /* in the file, or -1 for the descriptor's own position */
        size_t moved;
        int error;
};

static inline void bly_transfer_advance(struct bly_transfer *transfer, size_t size) {
        transfer->at += size;
        transfer->left -= size;
        transfer->moved += size;
        if (transfer->offset >= 0)
                transfer->offset += (int64_t) size;
}

/*
 * Makes one system call that does not wait, and does not advance the transfer. Returns the number
 * of bytes, or -1 with errno. EOPNOTSUPP and ENOSYS mean that the system has no such call for the
 * descriptor.
 */
ssize_t bly_transfer_try(const struct bly_transfer *transfer);

/*
 * Moves all bytes in a thread, or one piece if transfer->once is set. Returns 0, with any error of
 * the system call in transfer->error, or a negative errno if the thread did not begin.
 */
int bly_transfer_in_thread(const struct bly_file_call *call, struct bly_transfer *transfer);

/*
 * Moves all bytes of a transfer whose peer may never read or write (ready.c). The task, and no
 * thread, waits until the descriptor is ready. Returns as bly_transfer_in_thread() does. Bytes that
 * moved before -ECANCELED count.
 */
int bly_move_when_ready(const struct bly_file_call *call, struct bly_transfer *transfer);

#endif
