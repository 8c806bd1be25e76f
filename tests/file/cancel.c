/* SPDX-License-Identifier: MIT */
/*
 * Cancellation of calls for files. A call that is cancelled before it begins has no effect. If it
 * is cancelled in the middle, it returns the number of bytes that it moved, and the request stays
 * pending.
 */
#include "place.h"
#include "../thread/jobs.h"

/* ---- before the call ---- */

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
        /* The loop opens its own descriptors here, before they are counted. */
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

        /*
         * Closing cannot be cancelled: the descriptor is closed, and the request is pending
         * afterwards.
         */
        pending();
        CHECK_EQ(belay_file_close(fd), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        delivered(belay_yield());

        /* A call that need not wait is carried out. */
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
        /* cancels itself again before the first request is delivered */
        bool asks_again;
        char reason[16], origin[16]; /* reason and origin of the delivered request */
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

/* Two bytes have arrived, and the reader waits for two more. */
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
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(reader.got, 2);
        CHECK_EQ(strncmp(reader.text, "ab", 2), 0);
        CHECK_EQ(reader.then, -ECANCELED);
        belay_release(task);
        close(reader.ends[0]);
        close(reader.ends[1]);
        return 0;
}

/*
 * A second request arrives before the first is delivered. The origin is that of the first, and the
 * reason that of the latest.
 */
static int asked_twice(void *arg) {
        struct reader reader;
        belay_task *task = read_half(&reader);

        (void) arg;
        reader.asks_again = true;
        CHECK(belay_cancel(task, "enough"));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(reader.got, 2);
        CHECK_STR(reader.reason, "again");
        CHECK_STR(reader.origin, "enough");
        belay_release(task);
        close(reader.ends[0]);
        close(reader.ends[1]);
        return 0;
}

/* ---- a FIFO that does not open ---- */

struct opener {
        int fd, then;
};

static int opens(void *arg) {
        struct opener *opener = arg;

        opener->fd = belay_file_open(in_place("fifo"), O_RDONLY, 0);
        opener->then = belay_sleep(BELAY_SECOND);
        return 0;
}

/*
 * The job waits in the queue after another. It is withdrawn from there, and never opens the file.
 */
static int open_in_line(void *arg) {
        struct opener opener = { .fd = -1 };
        struct gate gate;
        belay_task *busy, *task;

        (void) arg;
        CHECK_EQ(mkfifo(in_place("fifo"), 0600), 0);
        gate_init(&gate);
        busy = must(belay_spawn(goes_through, &gate));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&gate);
        task = must(belay_spawn(opens, &opener));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(opener.fd, -ECANCELED);
        gate_open(&gate);
        CHECK_EQ(belay_join(busy, NULL), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(opener.then, 0);
        belay_release(busy);
        belay_release(task);
        return 0;
}

/*
 * The request may arrive before or during the open. The call returns a descriptor, or leaves none
 * open.
 */
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

/* ---- a job whose task the shutdown abandons ---- */

static struct gate kept;

static int leaves_it(void *arg) {
        (void) arg;
        belay_release(must(belay_spawn(goes_through, &kept)));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&kept);
        return 0;
}

/*
 * The loop is closed although the thread still works. When the thread continues, it finds no loop,
 * and ends.
 */
static int is_given_up(void *arg) {
        unsigned threads = count_threads();

        (void) arg;
        keep_lines();
        gate_init(&kept);
        kept.job.what = "a job";
        CHECK_EQ(belay_run_with(
                         leaves_it, NULL,
                         BELAY_OPTIONS(belay_loop_options, .shutdown_limit = BELAY_MILLISECOND)),
                 -ETIMEDOUT);
        CHECK_LINES(1, "thread of a job");
        CHECK_EQ(count_threads(), threads + 1);
        gate_open(&kept);
        await_threads(threads);
        CHECK(is_checked() || kept.done);
        return 0;
}

static const belay_loop_options one_thread = {
        .size = sizeof(one_thread),
        .clock = BELAY_CLOCK_VIRTUAL,
        .threads = 1,
};

int main(void) {
        unsigned fds = count_fds(), threads = first_threads();
        static struct child child;

        make_place();
        RUN_VIRTUAL(all_before);
        RUN_VIRTUAL(in_the_middle);
        RUN_VIRTUAL(asked_twice);
        CHECK_EQ(belay_run_with(open_in_line, NULL, &one_thread), 0);
        CHECK_EQ(unlink("fifo"), 0);
        RUN_VIRTUAL(open_waits);
        CHECK_EQ(count_fds(), fds);
        await_threads(threads);
        /* The abandoned task leaks its memory, which checkers would report at the end. */
        in_child(&child, is_given_up, NULL);
        CHECK_CHILD(&child, 0);
        return 0;
}
