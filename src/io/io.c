/* SPDX-License-Identifier: MIT */
/*
 * The I/O state of a loop. It is made when it is first needed, with the back end that the program
 * or BELAY_BACKEND requests. If io_uring cannot be used, the loop uses epoll.
 */
#include <stdlib.h>

#include "io/io.h"

/* Interval at which a loop that is busy with tasks polls the back end. */
#define LOOK_OUTSIDE_EVERY (500 * BELAY_MICROSECOND)

static belay_backend wanted(const struct belay_loop *loop) {
        const char *text = loop->backend == BELAY_BACKEND_DEFAULT ? getenv("BELAY_BACKEND") : NULL;

        if (text == NULL || *text == '\0' || strcmp(text, "epoll") == 0)
                return loop->backend;
        if (strcmp(text, "io_uring") == 0)
                return BELAY_BACKEND_IO_URING;
        bly_log(BELAY_LOG_WARNING,
                "BELAY_BACKEND is \"%s\": neither epoll nor io_uring; epoll it is", text);
        return BELAY_BACKEND_DEFAULT;
}

static int open_backend(struct bly_io *io) {
        if (io->loop->backend == BELAY_BACKEND_IO_URING) {
#ifdef BLY_HAVE_URING
                int rc;

                io->backend = &bly_uring_backend;
                rc = io->backend->open(io);
                if (rc == 0)
                        return 0;
                bly_log(BELAY_LOG_WARNING, "io_uring cannot be used here (%s); epoll it is",
                        strerror(-rc));
#else
                bly_log(BELAY_LOG_WARNING, "io_uring was not built in; epoll it is");
#endif
        }
        io->backend = &bly_epoll_backend;
        return io->backend->open(io);
}

struct bly_io *bly_io_make(struct belay_loop *loop) {
        struct bly_io *io = bly_zalloc(sizeof(*io));
        int rc;

        if (io == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        io->loop = loop;
        io->tries = BLY_TRIES;
        rc = open_backend(io);
        if (rc < 0) {
                bly_free(io);
                errno = -rc;
                return NULL;
        }
        loop->io = io;
        return io;
}

int bly_io_begin(struct belay_loop *loop) {
        loop->backend = wanted(loop);
        return loop->backend != BELAY_BACKEND_IO_URING || bly_io_make(loop) != NULL ? 0 : -errno;
}

void bly_io_close(struct belay_loop *loop) {
        struct bly_io *io = loop->io;

        if (io == NULL)
                return;
        loop->io = NULL;
        io->backend->close(io);
        io->closed = true;
        io->loop = NULL;
        if (io->owned == 0)
                bly_io_free(io);
}

void bly_io_free(struct bly_io *io) {
        for (size_t page = 0; page < io->page_count; page++)
                bly_free_aligned(io->pages[page]);
        bly_free(io->pages);
        bly_free_aligned(io->shared);
        bly_free(io->reserve);
        bly_free(io);
}

void bly_io_poll(struct belay_loop *loop) {
        struct bly_io *io = loop->io;

        if (io->waiting == 0)
                return;
        if (!loop->is_virtual && loop->now - io->looked < LOOK_OUTSIDE_EVERY)
                return;
        bly_io_wait(io, 0);
}

void bly_io_wait(struct bly_io *io, belay_time span) {
        /* This may run on the stack of a task, whose errno must not change. */
        int saved = errno;

        io->backend->wait(io, span);
        errno = saved;
        io->looked = io->loop->now;
}

const char *belay_loop_backend(const belay_loop *loop) {
        if (loop == NULL)
                loop = bly_loop;
        if (loop == NULL)
                return "";
        return loop->io != NULL ? loop->io->backend->name : bly_epoll_backend.name;
}
