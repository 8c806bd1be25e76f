/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: the table, their owners, the waits for them and their events.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/io.h"
#include "io/poll_bits.h"

/* ---- the table ---- */

static bool grow(struct bly_io *io, size_t pages) {
        struct bly_fd **table = bly_realloc(io->pages, pages * sizeof(*table));

        if (table == NULL)
                return false;
        for (size_t page = io->page_count; page < pages; page++)
                table[page] = NULL;
        io->pages = table;
        io->page_count = pages;
        return true;
}

static struct bly_fd *make_page(struct bly_io *io, size_t page) {
        struct bly_fd *fds = bly_alloc_aligned(BLY_CACHE_LINE, BLY_FD_PAGE * sizeof(struct bly_fd));

        if (fds == NULL)
                return NULL;
        memset(fds, 0, BLY_FD_PAGE * sizeof(struct bly_fd));
        for (int i = 0; i < BLY_FD_PAGE; i++) {
                fds[i].fd = (int) page * BLY_FD_PAGE + i;
                bly_list_init(&fds[i].waits);
                bly_list_init(&fds[i].ops);
        }
        return io->pages[page] = fds;
}

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

/* The table grows only for an open descriptor, so that an arbitrary number takes no memory. */
struct bly_fd *bly_fd_at(struct bly_io *io, int fd) {
        size_t page = (size_t) fd / BLY_FD_PAGE;
        struct bly_fd *fds;

        if (fd < 0)
                return NULL;
        if (page >= io->page_count && (!is_open(fd) || !grow(io, page < 8 ? 8 : page * 2)))
                return NULL;
        fds = io->pages[page];
        if (fds == NULL)
                fds = make_page(io, page);
        return fds != NULL ? &fds[fd % BLY_FD_PAGE] : NULL;
}

/* ---- owning ---- */

/* Resets the entry, because the state of an earlier descriptor says nothing about the next one. */
static void renew(struct bly_fd *fd, bool owned) {
        fd->generation++;
        fd->tenancy++;
        fd->armed = fd->ready = 0;
        fd->owned = owned;
        fd->registered = fd->gone = fd->drained = fd->closing = fd->is_tcp = false;
        fd->owner = NULL;
}

/*
 * Called when `next` registers a descriptor that already has an owner. Returns 0 if that owner has
 * lost it, and -EBUSY if it has not. Both are reported as misuse.
 */
static int dispossess(struct bly_io *io, struct bly_fd *fd, const struct bly_fd_owner *next,
                      bool fresh) {
        struct bly_fd_owner *owner = fd->owner;
        char name[128];

        if (!fresh && (owner->is_same == NULL || owner->is_same(owner, fd->fd)))
                return bly_misuse(-EBUSY, next->place,
                                  "%s of fd %d (%s), which is that of %s, made at %s", next->what,
                                  fd->fd, bly_fd_name(fd->fd, name, sizeof(name)), owner->what,
                                  bly_place_text(owner->place));
        bly_misuse(
                0, owner->place,
                "fd %d of %s was closed by the program, and its number is that of %s, made at %s",
                fd->fd, owner->what, next->what, bly_place_text(next->place));
        owner->is_lost = true;
        bly_fd_forget(io, fd);
        io->backend->unwatch(io, fd, true);
        io->owned--;
        owner->lost(owner);
        return 0;
}

int bly_fd_own(struct bly_io *io, int number, struct bly_fd_owner *owner, bool fresh,
               struct bly_fd **out) {
        struct bly_fd *fd = bly_fd_at(io, number);
        int rc = fd != NULL ? 0 : -ENOMEM;

        *out = NULL;
        if (fd != NULL && unlikely(fd->owned))
                rc = dispossess(io, fd, owner, fresh);
        if (rc < 0)
                return rc;
        bly_fd_forget(io, fd);
        renew(fd, true);
        fd->owner = owner;
        io->owned++;
        *out = fd;
        return 0;
}

void bly_fd_disown(struct bly_io *io, struct bly_fd *fd, bool closing) {
        bly_fd_forget(io, fd);
        if (!io->closed)
                io->backend->unwatch(io, fd, closing);
        renew(fd, false);
        if (--io->owned == 0 && io->closed)
                bly_io_free(io);
}

/* ---- waiting ---- */

static inline void hook(struct bly_io *io, struct bly_fd_wait *wait, struct bly_fd_server *server,
                        bool apart) {
        struct bly_fd *fd = wait->fd;

        if (likely(!apart && fd->waiter == NULL && bly_list_empty(&fd->waits))) {
                wait->link.next = NULL;
                fd->waited_for = wait->events;
                if (server != NULL) {
                        server->task = wait->task;
                        fd->server = server;
                        fd->is_served = true;
                } else {
                        fd->waiter = wait->task;
                }
        } else {
                bly_list_append(&fd->waits, &wait->link);
        }
        io->waiting++;
}

static void detach(struct bly_io *io, struct bly_fd_wait *wait) {
        if (wait->link.next == NULL) {
                wait->fd->waiter = NULL;
                wait->fd->is_served = false;
        } else {
                bly_list_remove(&wait->link);
        }
        io->waiting--;
}

/*
 * Stops watching a descriptor that is not owned after its last wait. The program may close the
 * descriptor at any time, and the watch must not keep its file open.
 */
static void let_go(struct bly_io *io, struct bly_fd *fd) {
        if (fd->owned || fd->armed == 0 || !bly_list_empty(&fd->waits))
                return;
        io->backend->unwatch(io, fd, true);
        fd->armed = 0;
}

static enum bly_answer meet_wait(belay_task *task, struct bly_wait *wait) {
        struct bly_fd_wait *self = container_of(wait, struct bly_fd_wait, wait);

        detach(task->loop->io, self);
        let_go(task->loop->io, self->fd);
        return BLY_DETACHED;
}

static const char *name_of_wait(const struct bly_wait *wait) {
        const struct bly_fd_wait *self = container_of(wait, struct bly_fd_wait, wait);

        return bly_fd_doing(self->what, self->fd->fd);
}

static const struct bly_wait_class fd_class = {
        .what = "descriptor",
        .on_request = meet_wait,
        .on = name_of_wait,
        .between = ": ",
        .outside = true,
};

unsigned bly_fd_wanted(const struct bly_fd *fd) {
        unsigned events = fd->waiter != NULL ? fd->waited_for : 0;

        for (const struct bly_link *link = fd->waits.next; link != &fd->waits; link = link->next)
                events |= container_of(link, struct bly_fd_wait, link)->events;
        return events;
}

/*
 * Waits once. Returns 0 when the wait is over, -EPERM if the descriptor cannot be polled, and
 * otherwise as bly_fd_wait(). A wait that is `apart` never becomes fd->waiter, and receives its
 * events in wait->got. All waits for descriptors that are not owned are `apart`. `same` says that
 * the task has waited for this descriptor before.
 */
static inline __attribute__((always_inline)) int
wait_for(struct bly_io *io, struct bly_fd_wait *wait, const char *place,
         struct bly_fd_server *server, bool apart, bool same) {
        belay_task *self = wait->task;
        struct bly_fd *fd = wait->fd;
        int rc;

        wait->wait.class = &fd_class;
        wait->forgotten = false;
        hook(io, wait, server, apart);
        if ((fd->armed & wait->events) != wait->events) {
                rc = io->backend->watch(io, fd, same);
                if (unlikely(rc < 0)) {
                        detach(io, wait);
                        return rc;
                }
        }
        bly_io_refill(io);
        bly_suspend(self, &wait->wait, place);
        if (unlikely(self->wake != 0))
                return bly_settle(self);
        return unlikely(wait->forgotten) ? -EBADF : 0;
}

int bly_fd_wait_served(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what,
                       const char *place, struct bly_fd_server *server) {
        struct bly_fd_wait wait;
        const struct bly_fd_owner *owner = fd->owner;
        int rc;

        if (unlikely(fd->closing))
                return -EBADF;
        if (fd->ready & events)
                return 0;
        wait.task = io->loop->current;
        wait.fd = fd;
        wait.what = what;
        wait.events = (uint8_t) events;
        rc = wait_for(io, &wait, place, server, false, false);
        if (unlikely(rc == -EPERM))
                rc = 0;
        return likely(fd->owner == owner) || rc < 0 ? rc : -EBADF;
}

int bly_fd_wait(struct bly_io *io, struct bly_fd *fd, unsigned events, const char *what,
                const char *place) {
        return bly_fd_wait_served(io, fd, events, what, place, NULL);
}

int bly_yield_before_trying(struct bly_io *io, const char *place) {
        if (!io->loop->is_virtual)
                return bly_try_slowly(place);
        io->tries = BLY_TRIES;
        return belay_yield_placed(place);
}

int bly_fd_yield(struct bly_io *io, const struct bly_fd *fd, const char *place) {
        const struct bly_fd_owner *owner = fd->owner;
        int rc = bly_yield_before_trying(io, place);

        return rc == 0 && fd->owner != owner ? -EBADF : rc;
}

/* ---- events ---- */

/*
 * Wakes the tasks in fd->waits that wait for any of these events, and stores the events in `got`.
 */
static __attribute__((noinline)) void wake_others(struct bly_io *io, struct bly_fd *fd,
                                                  unsigned events) {
        struct bly_link *link = fd->waits.next, *next;

        for (; link != &fd->waits; link = next) {
                struct bly_fd_wait *wait = container_of(link, struct bly_fd_wait, link);

                next = link->next;
                wait->got = (uint8_t) (events & wait->events);
                if (wait->got == 0)
                        continue;
                detach(io, wait);
                bly_wake(wait->task, 0);
        }
        /*
         * A descriptor that is not owned was armed for one event on behalf of all waits. The waits
         * for other events need it armed again.
         */
        if (!fd->owned && !bly_list_empty(&fd->waits) && io->backend->watch(io, fd, true) < 0)
                bly_fd_forget(io, fd);
}

void bly_fd_happened(struct bly_io *io, struct bly_fd *fd, unsigned events) {
        belay_task *waiter;

        if (unlikely(events & BLY_GONE))
                fd->gone = true;
        if (fd->owned)
                fd->ready |= (uint8_t) events;
        else
                fd->armed = 0;
        waiter = fd->waiter;
        if (waiter != NULL && (events & fd->waited_for)) {
                if (fd->is_served) {
                        struct bly_fd_server *server = fd->server;

                        waiter = server->serve(server, fd) ? NULL : server->task;
                }
                if (waiter != NULL) {
                        fd->waiter = NULL;
                        fd->is_served = false;
                        io->waiting--;
                        bly_wake(waiter, 0);
                }
        }
        if (unlikely(!bly_list_empty(&fd->waits)))
                wake_others(io, fd, events);
}

static void forget_wait(struct bly_io *io, struct bly_fd_wait *wait) {
        wait->forgotten = true;
        detach(io, wait);
        bly_wake(wait->task, 0);
}

int bly_fd_forget(struct bly_io *io, struct bly_fd *fd) {
        int count = 0;

        /* task->wait is set: no other task runs between hook() and bly_suspend(). */
        if (fd->waiter != NULL) {
                const belay_task *task = fd->is_served ? fd->server->task : fd->waiter;

                forget_wait(io, container_of(task->wait, struct bly_fd_wait, wait));
                count++;
        }
        for (; !bly_list_empty(&fd->waits); count++)
                forget_wait(io, container_of(fd->waits.next, struct bly_fd_wait, link));
        let_go(io, fd);
        for (struct bly_link *link = fd->ops.next; link != &fd->ops && !io->closed;
             link = link->next) {
                struct bly_op *op = container_of(link, struct bly_op, link);

                op->forgotten = true;
                if (!op->stopped) {
                        op->stopped = true;
                        io->backend->stop(io, op);
                        bly_wake_host(io->loop);
                        count++;
                }
        }
        return count;
}

/* ---- any descriptor ---- */

/*
 * Returns whether epoll accepts the descriptor. poll() reports a regular file as ready, too, but
 * never for BELAY_PRIORITY.
 */
static bool can_be_polled(int fd) {
        int saved = errno, probe = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLPRI };
        bool can = epoll_ctl(probe, EPOLL_CTL_ADD, fd, &event) == 0 || errno != EPERM;

        close(probe);
        errno = saved;
        return can;
}

/*
 * Returns which of `events` the descriptor is ready for at the moment, or 0 for none. Returns
 * -EBADF if it is not open, and -EAGAIN if poll() fails. A descriptor that cannot be polled is
 * ready for all.
 */
static int poll_once(int fd, int events) {
        struct pollfd pollfd = { .fd = fd, .events = (short) bly_poll_of((unsigned) events) };
        int ready;

        if (unlikely(poll(&pollfd, 1, 0) < 0))
                return -EAGAIN;
        if (pollfd.revents & POLLNVAL)
                return -EBADF;
        ready = (int) bly_events_of((unsigned) pollfd.revents) & events;
        return unlikely(events & ~ready & BELAY_PRIORITY) && !can_be_polled(fd) ? events : ready;
}

/* Returns the entry of a number, or NULL if the table has none. It does not add one. */
static struct bly_fd *find(const struct bly_io *io, int number) {
        size_t page = (size_t) number / BLY_FD_PAGE;

        if (io == NULL || number < 0 || page >= io->page_count || io->pages[page] == NULL)
                return NULL;
        return &io->pages[page][number % BLY_FD_PAGE];
}

/*
 * Ends the waits for a descriptor that the program has closed. Its number may stand for no
 * descriptor or for another one by then.
 */
static void forget_closed(struct bly_io *io, struct bly_fd *fd) {
        if (fd != NULL && fd->armed != 0 && io->backend->watch(io, fd, true) == -EBADF)
                bly_fd_forget(io, fd);
}

/*
 * Waits until poll() reports one of the events. The events of a wake-up may be over when this task
 * runs, because other tasks run before it and may take the data. If poll() then reports no event,
 * the task waits again.
 */
static int wait_until_ready(struct bly_io *io, struct bly_fd_wait *wait, const char *place) {
        struct bly_fd *fd = wait->fd;
        uint16_t tenancy = fd->tenancy;
        bool same = false;
        int rc;

        forget_closed(io, fd);
        for (;;) {
                rc = wait_for(io, wait, place, NULL, true, same);
                if (rc < 0)
                        return rc == -EPERM ? wait->events : rc;
                /* The descriptor's owner has closed it, or it has got an owner. */
                if (unlikely(fd->tenancy != tenancy))
                        return -EBADF;
                rc = poll_once(fd->fd, wait->events);
                if (likely(rc != 0))
                        return rc == -EAGAIN ? wait->got : rc;
                same = true;
        }
}

int belay_wait_fd_placed(const char *place, int number, int events) {
        belay_task *self = bly_waiter(place, "belay_wait_fd()");
        struct bly_fd_wait wait;
        struct bly_io *io;
        int rc;

        if (unlikely(self == NULL))
                return -EPERM;
        if (events <= 0 || (events & ~(BELAY_READABLE | BELAY_WRITABLE | BELAY_PRIORITY)) != 0)
                return -EINVAL;
        io = bly_io_of(self->loop);
        if (io == NULL)
                return -errno;
        /* A request may be delivered even if the descriptor is ready: this call takes no data. */
        if (unlikely(self->node.must_cancel) || bly_io_tried_enough(io)) {
                rc = bly_yield_before_trying(io, place);
                if (rc < 0)
                        return rc;
        }
        rc = poll_once(number, events);
        if (unlikely(rc == -EBADF))
                forget_closed(io, find(io, number));
        if (rc != 0 && rc != -EAGAIN)
                return rc;
        wait = (struct bly_fd_wait) {
                .task = self,
                .fd = bly_fd_at(io, number),
                .what = "poll",
                .events = (uint8_t) events,
        };
        if (wait.fd == NULL)
                return is_open(number) ? -ENOMEM : -EBADF;
        return wait_until_ready(io, &wait, place);
}

int belay_forget_fd(int number) {
        struct belay_loop *loop = bly_loop;
        struct bly_fd *fd = loop != NULL ? find(loop->io, number) : NULL;

        return fd != NULL ? bly_fd_forget(loop->io, fd) : 0;
}
