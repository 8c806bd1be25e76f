/* SPDX-License-Identifier: MIT */
/*
 * Cancelled before it was begun, nothing happened; in the middle, what moved is counted, and the request stays.
 */
#include "place.h"

/* ---- before ---- */

static void pending(void) {
        CHECK(belay_cancel(belay_self(), "pending"));
}

static void delivered(int rc) {
        belay_failure *failure;

        CHECK_EQ(rc, -ECANCELED);
        failure = belay_failure_take(rc);
        CHECK_STR(belay_failure_text(failure), "pending");
        belay_failure_release(failure);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_yield(), 0);
}

static int never(const belay_walk_entry *entry, void *arg) {
        (void) entry;
        (void) arg;
        CHECK(!"nothing is told of");
        return 0;
}

static int all_before(void *arg) {
        struct stat stat;
        char *data, byte;
        unsigned fds;
        int fd;

        (void) arg;
        /* The loop has what it needs from here on. */
        CHECK_EQ(belay_file_stat(place, true, &stat), 0);
        fds = count_fds();
        put_file("file", "as it was");
        fd = open(in_place("file"), O_RDWR);
        pending();
        delivered(belay_file_open(in_place("new"), O_RDWR | O_CREAT, 0600));
        CHECK(get_file("new") == NULL);
        pending();
        delivered(belay_file_sync(fd, false));
        pending();
        delivered(belay_file_truncate(fd, 0));
        pending();
        delivered(belay_file_stat(place, true, &stat));
        pending();
        delivered(belay_file_stat_fd(fd, &stat));
        pending();
        delivered(belay_file_rename(in_place("file"), in_place("other")));
        pending();
        delivered(belay_file_remove(in_place("file")));
        pending();
        delivered(belay_file_make_directory(in_place("dir"), 0700));
        pending();
        delivered(belay_file_read_all(in_place("file"), 0, &data, NULL));
        CHECK(data == NULL);
        pending();
        delivered(belay_walk(place, never, NULL));
        CHECK_STR(get_file("file"), "as it was");
        CHECK_EQ(count_entries(place), 1);

        /* Closing cannot be cancelled: it is closed, and the request is there afterwards. */
        pending();
        CHECK_EQ(belay_file_close(fd), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        delivered(belay_yield());

        /* What need not wait is done. */
        fd = open(in_place("file"), O_RDONLY);
        if (by_threads()) {
                pending();
                CHECK_EQ(belay_file_read(fd, &byte, 1, 0), 1);
                delivered(belay_yield());
        }
        close(fd);
        CHECK_EQ(count_fds(), fds);
        return 0;
}

/* ---- in the middle ---- */

struct reader {
        int ends[2];
        ssize_t got, then;
        char text[8];
        bool asks_again;                /* for its end, before the first request is delivered */
        char reason[16], origin[16];    /* of what was delivered */
};

static int reads(void *arg) {
        belay_origin origin = BELAY_ORIGIN_INIT;
        struct reader *reader = arg;
        belay_failure *failure;

        reader->got = belay_file_read(reader->ends[0], reader->text, 4, -1);
        if (reader->asks_again)
                CHECK(belay_cancel(belay_self(), "again"));
        reader->then = belay_sleep(BELAY_SECOND);
        if (reader->then == -ECANCELED) {
                failure = belay_failure_take(-ECANCELED);
                snprintf(reader->reason, sizeof(reader->reason), "%s", belay_failure_text(failure));
                belay_failure_release(failure);
                CHECK(belay_origin_of(belay_self(), &origin));
                snprintf(reader->origin, sizeof(reader->origin), "%s", origin.reason);
        }
        return 0;
}

static void await_empty(int fd) {
        int left = 1;

        while (left > 0) {
                CHECK_EQ(ioctl(fd, FIONREAD, &left), 0);
                CHECK_EQ(belay_yield(), 0);
        }
}

/* Two bytes came, two are missing; whoever reads them waits. */
static belay_task *read_half(struct reader *reader) {
        belay_task *task;

        memset(reader, 0, sizeof(*reader));
        CHECK_EQ(pipe2(reader->ends, O_CLOEXEC), 0);
        task = must(belay_spawn(reads, reader));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(write(reader->ends[1], "ab", 2), 2);
        await_empty(reader->ends[0]);
        return task;
}

static int in_the_middle(void *arg) {
        struct reader reader;
        belay_task *task = read_half(&reader);

        (void) arg;
        CHECK(belay_cancel(task, "enough"));
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_yield(), 0);
        if (by_threads()) {
                /* A thread is at it: it is waited for. */
                CHECK(!belay_done(task));
                CHECK_EQ(write(reader.ends[1], "c", 1), 1);
        }
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(reader.got == 2 || reader.got == 3);
        CHECK_EQ(strncmp(reader.text, "abc", (size_t) reader.got), 0);
        CHECK_EQ(reader.then, -ECANCELED);
        belay_release(task);
        close(reader.ends[0]);
        close(reader.ends[1]);
        return 0;
}

/* The first bytes moved at once; the request comes while the rest is in line for the one thread there is. */
static int half_in_line(void *arg) {
        struct reader first, second = { .got = 1, .asks_again = arg != NULL };
        belay_task *busy = read_half(&first), *task;

        CHECK_EQ(pipe2(second.ends, O_CLOEXEC), 0);
        CHECK_EQ(write(second.ends[1], "xy", 2), 2);
        task = must(belay_spawn(reads, &second));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, "enough"));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_yield(), 0);
        if (second.got == -ECANCELED) {
                /* This system does not try pipes, and so nothing moved. */
                await_empty(first.ends[0]);
                CHECK_EQ(read(second.ends[0], second.text, 8), 2);
        } else {
                CHECK_EQ(second.got, 2);
                CHECK_EQ(second.then, -ECANCELED);
                CHECK_STR(second.reason, arg != NULL ? "again" : "enough");
                CHECK_STR(second.origin, "enough");
        }
        CHECK_EQ(strncmp(second.text, "xy", 2), 0);
        CHECK_EQ(write(first.ends[1], "cd", 2), 2);
        CHECK_EQ(belay_join(busy, NULL), 0);
        CHECK_EQ(first.got, 4);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(busy);
        belay_release(task);
        for (int i = 0; i < 2; i++) {
                close(first.ends[i]);
                close(second.ends[i]);
        }
        return 0;
}

/* ---- a name that does not open ---- */

struct opener {
        int fd, then;
};

static int opens(void *arg) {
        struct opener *opener = arg;

        opener->fd = belay_file_open(in_place("fifo"), O_RDONLY, 0);
        opener->then = belay_sleep(BELAY_SECOND);
        return 0;
}

/* Behind one that is at it, in line: it is never opened. */
static int open_in_line(void *arg) {
        struct reader first;
        struct opener opener = { .fd = -1 };
        belay_task *busy = read_half(&first), *task;

        (void) arg;
        CHECK_EQ(mkfifo(in_place("fifo"), 0600), 0);
        task = must(belay_spawn(opens, &opener));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(opener.fd, -ECANCELED);
        CHECK_EQ(write(first.ends[1], "cd", 2), 2);
        CHECK_EQ(belay_join(busy, NULL), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(opener.then, 0);
        belay_release(busy);
        belay_release(task);
        close(first.ends[0]);
        close(first.ends[1]);
        return 0;
}

/* Being opened when the request comes, or not yet: a descriptor is returned, or there is none. */
static int open_waits(void *arg) {
        (void) arg;
        CHECK_EQ(mkfifo(in_place("fifo"), 0600), 0);
        CHECK_EQ(belay_file_rename(in_place("fifo"), in_place("fifo")), 0);
        for (int i = 0; i < 20; i++) {
                unsigned fds = count_fds();
                struct opener opener = { .fd = -1 };
                belay_task *task = must(belay_spawn(opens, &opener));
                int other;

                CHECK_EQ(belay_yield(), 0);
                usleep((unsigned) i * 50);
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_yield(), 0);
                other = open(in_place("fifo"), O_RDWR);
                CHECK(other >= 0);
                CHECK_EQ(belay_join(task, NULL), 0);
                if (opener.fd == -ECANCELED) {
                        CHECK_EQ(opener.then, 0);
                } else {
                        CHECK(opener.fd >= 0);
                        CHECK_EQ(opener.then, -ECANCELED);
                        close(opener.fd);
                }
                belay_release(task);
                close(other);
                CHECK_EQ(count_fds(), fds);
        }
        return 0;
}

/* ---- the shut-down gives up one that is at it ---- */

static int reads_for_ever(void *arg) {
        struct reader *reader = arg;

        return (int) belay_file_read(reader->ends[0], reader->text, 4, -1);
}

static int leaves_it(void *arg) {
        struct reader *reader = arg;

        belay_release(must(belay_spawn(reads_for_ever, reader)));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(write(reader->ends[1], "a", 1), 1);
        await_empty(reader->ends[0]);
        return 0;
}

/* The loop is closed all the same; when the byte comes at last the thread finds nobody, and ends. */
static int is_given_up(void *arg) {
        static struct reader reader;
        unsigned threads = count_threads();

        (void) arg;
        keep_lines();
        CHECK_EQ(pipe2(reader.ends, O_CLOEXEC), 0);
        CHECK_EQ(belay_run_with(leaves_it, &reader, BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_EPOLL,
                                                                  .shutdown_limit = BELAY_MILLISECOND)), -ETIMEDOUT);
        CHECK_LINES(1, "thread of read");
        CHECK_EQ(count_threads(), threads + 1);
        CHECK_EQ(write(reader.ends[1], "bcd", 3), 3);
        await_threads(threads);
        /*
         * Nothing but its end says that it is done, which is no order to a checker; the descriptors stay for the same
         * reason.
         */
        if (!is_checked())
                CHECK(memcmp(reader.text, "abcd", 4) == 0);
        return 0;
}

static const belay_loop_options one_thread = {
        .size = sizeof(one_thread),
        .clock = BELAY_CLOCK_VIRTUAL,
        .threads = 1,
        .backend = BELAY_BACKEND_EPOLL,
};

int main(void) {
        unsigned fds = count_fds(), threads = first_threads();
        static struct child child;

        make_place();
        RUN_VIRTUAL(all_before);
        RUN_VIRTUAL(in_the_middle);
        CHECK_EQ(belay_run_with(half_in_line, NULL, &one_thread), 0);
        CHECK_EQ(belay_run_with(half_in_line, &child, &one_thread), 0);
        CHECK_EQ(belay_run_with(open_in_line, NULL, &one_thread), 0);
        CHECK_EQ(unlink("fifo"), 0);
        RUN_VIRTUAL(open_waits);
        CHECK_EQ(count_fds(), fds);
        await_threads(threads);
        /* What it leaves is a leak, of which checkers would tell at the end. */
        in_child(&child, is_given_up, NULL);
        CHECK_CHILD(&child, 0);
        return 0;
}
