/* SPDX-License-Identifier: MIT */
/*
 * Moving the bytes of a file on to a stream: the one step of it that waits for a disk.
 */
#define _GNU_SOURCE
#include <sys/sendfile.h>
#include <unistd.h>

#include "thread/pool.h"

/* As much as the kernel moves at once. */
enum { TRANSFER_MOST = 0x7ffff000 };

struct transfer {
        struct bly_job job;
        int to;
        void *buffer;
        size_t size;
        off_t offset;
        ssize_t result;
};

static void send_file(struct bly_job *job) {
        struct transfer *transfer = container_of(job, struct transfer, job);

        do
                transfer->result = sendfile(transfer->to, job->fd, &transfer->offset, transfer->size);
        while (transfer->result < 0 && errno == EINTR);
        if (transfer->result < 0)
                transfer->result = -errno;
}

static void read_file(struct bly_job *job) {
        struct transfer *transfer = container_of(job, struct transfer, job);

        do
                transfer->result = pread(job->fd, transfer->buffer, transfer->size, transfer->offset);
        while (transfer->result < 0 && errno == EINTR);
        if (transfer->result < 0)
                transfer->result = -errno;
}

static ssize_t transfer_in_thread(struct belay_loop *loop, struct transfer *transfer, const char *place) {
        int rc = bly_pool_do(loop, &transfer->job, place);

        return rc < 0 ? rc : transfer->result;
}

int64_t bly_pool_sendfile(struct belay_loop *loop, int out_fd, int in_fd, int64_t offset, int64_t size,
                          const char *place) {
        struct transfer transfer = {
                .job = { .run = send_file, .what = "send file", .fd = in_fd },
                .to = out_fd,
                .size = size < TRANSFER_MOST ? (size_t) size : TRANSFER_MOST,
                .offset = offset,
        };

        return transfer_in_thread(loop, &transfer, place);
}

ssize_t bly_pool_read(struct belay_loop *loop, int fd, void *buffer, size_t size, int64_t offset, const char *place) {
        struct transfer transfer = {
                .job = { .run = read_file, .what = "read", .fd = fd },
                .buffer = buffer,
                .size = size,
                .offset = offset,
        };

        return transfer_in_thread(loop, &transfer, place);
}
