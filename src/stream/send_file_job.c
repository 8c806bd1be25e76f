/* SPDX-License-Identifier: MIT */
/*
 * Sending a file through a stream: the part that runs in a thread, because it may wait for a disk.
 *
 * The thread sends to a socket by send(), because MSG_DONTWAIT keeps each call from waiting.
 * sendfile() would save a copy, but it waits if the socket is full and O_NONBLOCK is not set. All
 * processes that have the socket share that flag. If another process cleared it, the thread would
 * hang in sendfile().
 */
#include <sys/socket.h>
#include <unistd.h>

#include "thread/pool.h"

enum { AT_ONCE = 1024 * 1024 };

/* ---- to a socket ---- */

struct sending {
        struct bly_job job;
        struct bly_sending *state;
        ssize_t moved;
};

/* Reads the next bytes of the file. Returns false at the end of the file, or if the read fails. */
static bool read_more(struct bly_sending *state) {
        size_t most = state->left < (int64_t) state->room ? (size_t) state->left : state->room;
        ssize_t rc;

        do
                rc = pread(state->file, state->buffer, most, state->offset);
        while (rc < 0 && errno == EINTR);
        state->file_error = rc < 0 ? -errno : 0;
        state->ended = rc <= 0;
        if (rc <= 0)
                return false;
        state->start = 0;
        state->end = (size_t) rc;
        state->offset += rc;
        state->left -= rc;
        return true;
}

static bool send_buffered(struct sending *sending) {
        struct bly_sending *state = sending->state;
        ssize_t rc;

        do
                rc = send(state->socket, state->buffer + state->start, state->end - state->start,
                          MSG_DONTWAIT | MSG_NOSIGNAL);
        while (rc < 0 && errno == EINTR);
        if (rc < 0) {
                state->socket_error = errno == EWOULDBLOCK ? -EAGAIN : -errno;
                return false;
        }
        state->start += (size_t) rc;
        sending->moved += rc;
        return true;
}

static void send_some(struct bly_job *job) {
        struct sending *sending = container_of(job, struct sending, job);
        struct bly_sending *state = sending->state;
        bool goes_on = true;

        while (goes_on && sending->moved < AT_ONCE && !bly_job_asked(job)) {
                if (state->start == state->end)
                        goes_on = state->left > 0 && read_more(state);
                if (goes_on)
                        goes_on = send_buffered(sending);
        }
}

ssize_t bly_pool_send(struct belay_loop *loop, struct bly_sending *state, const char *place) {
        struct sending sending = {
                .job = { .run = send_some, .what = "send file", .fd = state->file },
                .state = state,
        };
        int rc;

        state->socket_error = 0;
        rc = bly_pool_do(loop, &sending.job, place);
        return rc < 0 ? rc : sending.moved;
}

/* ---- to memory ---- */

struct transfer {
        struct bly_job job;
        void *buffer;
        size_t size;
        off_t offset;
        ssize_t result;
};

static void read_file(struct bly_job *job) {
        struct transfer *transfer = container_of(job, struct transfer, job);

        do
                transfer->result = pread(job->fd, transfer->buffer, transfer->size,
                                         transfer->offset);
        while (transfer->result < 0 && errno == EINTR);
        if (transfer->result < 0)
                transfer->result = -errno;
}

ssize_t bly_pool_read(struct belay_loop *loop, int fd, void *buffer, size_t size, int64_t offset,
                      const char *place) {
        struct transfer transfer = {
                .job = { .run = read_file, .what = "read", .fd = fd },
                .buffer = buffer,
                .size = size,
                .offset = offset,
        };

        int rc = bly_pool_do(loop, &transfer.job, place);

        return rc < 0 ? rc : transfer.result;
}
