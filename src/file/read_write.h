/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way between a descriptor and the caller's memory: what reading and writing have in common.
 */
#ifndef BLY_FILE_TRANSFER_H
#define BLY_FILE_TRANSFER_H

#include "file/file.h"

struct bly_transfer {
        struct bly_job job;
        bool writes;
        bool once;                      /* the thread makes one call, of one page if it writes */
        int fd;
        char *at;
        size_t left;
        int64_t offset;                 /* -1: the descriptor's own */
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

/* One system call that does not wait, and does not count yet: -1 with errno, EOPNOTSUPP where there is no such call. */
ssize_t bly_transfer_try(const struct bly_transfer *transfer);

/* Has a thread move all, or one piece. 0, with transfer->error, or why it was not begun. */
int bly_transfer_in_thread(const struct bly_file_call *call, struct bly_transfer *transfer);

/*
 * Moves all where somebody else may never write or read: waits until the descriptor is ready, in no thread (ready.c). Returns
 * likewise; what moved before -ECANCELED counts.
 */
int bly_move_when_ready(const struct bly_file_call *call, struct bly_transfer *transfer);

#endif
