/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes descriptors whose peer may never answer: FIFOs, terminals, sockets and devices.
 *
 * A thread that reads such a descriptor could not be stopped. So the task makes calls that do not
 * wait, and if a call would wait, the task waits until the descriptor is ready. There are two ways
 * to make such calls:
 *     - a flag of the call (RWF_NOWAIT), if the kernel supports it for the descriptor;
 *     - for FIFOs and terminals, a separate open file description with O_NONBLOCK.
 * The flags of the caller's descriptor stay as they are, since other processes may share them. For
 * all other descriptors a thread makes a single call each time the descriptor is ready.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/quiet.h"
#include "file/read_write.h"

enum way { BY_FLAG, BY_DESCRIPTION, BY_THREAD };

struct attempt {
        struct bly_transfer *transfer;
        enum way way;
        int apart; /* descriptor of the separate description, or -1 */
};

/* ---- a separate open file description ---- */

/*
 * Opens a FIFO or a terminal again. Returns a descriptor, or -1 with errno. Other devices, and the
 * master of a terminal, are refused: opening a device may make another device.
 */
static int open_apart(const struct bly_transfer *transfer) {
        int fd = transfer->fd, number;
        struct stat stat;
        char path[32];

        if (transfer->offset >= 0 || fstat(fd, &stat) < 0
            || !(S_ISFIFO(stat.st_mode) || (isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0))) {
                errno = EOPNOTSUPP;
                return -1;
        }
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path,
                    (transfer->writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/*
 * Chooses another way, since the kernel does not support the flag for the descriptor. Returns
 * false, with transfer->error set, if no process reads the FIFO.
 */
static bool find_another_way(struct attempt *attempt) {
        attempt->apart = open_apart(attempt->transfer);
        /* ENXIO means that the FIFO has no reader. */
        if (attempt->apart < 0 && errno == ENXIO) {
                attempt->transfer->error = -EPIPE;
                return false;
        }
        attempt->way = attempt->apart >= 0 ? BY_DESCRIPTION : BY_THREAD;
        return true;
}

/* ---- trying ---- */

static ssize_t try_once(const struct attempt *attempt) {
        const struct bly_transfer *transfer = attempt->transfer;

        if (attempt->way == BY_FLAG)
                return bly_transfer_try(transfer);
        return transfer->writes ? write(attempt->apart, transfer->at, transfer->left)
                                : read(attempt->apart, transfer->at, transfer->left);
}

static ssize_t try_quietly(const struct attempt *attempt) {
        struct bly_quiet quiet;
        ssize_t rc;

        bly_quiet_begin(&quiet);
        rc = try_once(attempt);
        bly_quiet_end(&quiet, rc < 0 && errno == EPIPE);
        return rc;
}

/* ---- waiting ---- */

static int wait_until_ready(const struct bly_file_call *call, const struct bly_transfer *transfer) {
        int rc = belay_wait_fd_placed(call->place, transfer->fd,
                                      transfer->writes ? BELAY_WRITABLE : BELAY_READABLE);

        return rc < 0 ? rc : 0;
}

static int move_by_thread(const struct bly_file_call *call, struct bly_transfer *transfer) {
        size_t moved = transfer->moved;
        int rc = wait_until_ready(call, transfer);

        transfer->once = true;
        if (rc == 0)
                rc = bly_transfer_in_thread(call, transfer);
        /* A call that moves nothing and does not fail is at the end of the stream. */
        if (rc == 0 && transfer->error == 0 && transfer->moved == moved)
                transfer->left = 0;
        return rc;
}

/*
 * Makes one call, waits once, or chooses another way. Sets transfer->left to 0 at the end of the
 * stream.
 */
static int step(const struct bly_file_call *call, struct attempt *attempt) {
        struct bly_transfer *transfer = attempt->transfer;
        ssize_t rc;

        if (attempt->way == BY_THREAD)
                return move_by_thread(call, transfer);
        rc = transfer->writes ? try_quietly(attempt) : try_once(attempt);
        if (rc > 0)
                bly_transfer_advance(transfer, (size_t) rc);
        else if (rc == 0)
                transfer->left = 0;
        else if (errno == EAGAIN)
                return wait_until_ready(call, transfer);
        else if (attempt->way == BY_FLAG && (errno == EOPNOTSUPP || errno == ENOSYS))
                (void) find_another_way(attempt);
        else if (errno != EINTR)
                transfer->error = -errno;
        return 0;
}

int bly_move_when_ready(const struct bly_file_call *call, struct bly_transfer *transfer) {
        struct attempt attempt = { .transfer = transfer, .way = BY_FLAG, .apart = -1 };
        int rc = 0;

        /* The offset is ignored if the descriptor has no position. io_uring does the same. */
        if (transfer->offset >= 0 && lseek(transfer->fd, 0, SEEK_CUR) < 0 && errno == ESPIPE)
                transfer->offset = -1;
        while (rc == 0 && transfer->left > 0 && transfer->error == 0) {
                if (bly_io_tried_enough(call->io))
                        rc = bly_yield_before_trying(call->io, call->place);
                if (rc == 0)
                        rc = step(call, &attempt);
        }
        if (attempt.apart >= 0)
                close(attempt.apart);
        return rc;
}
