/* SPDX-License-Identifier: MIT */
/*
 * Files that may never respond: FIFOs without a peer, terminals without input, and files with a
 * lease. A request or a timeout ends each wait for them, and no number of such waits delays calls
 * for other files. On both back ends.
 */
#include "place.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MANY = 30 };

/* ---- opening ---- */

struct opener {
        int flags, rc, then;
};

static int opens(void *arg) {
        struct opener *opener = arg;

        opener->rc = belay_file_open(in_place("fifo"), opener->flags, 0);
        if (opener->rc >= 0)
                close(opener->rc);
        opener->then = belay_sleep(BELAY_SECOND);
        return 0;
}

static void make_fifo(void) {
        (void) unlink("fifo");
        CHECK_EQ(mkfifo("fifo", 0600), 0);
}

/* Counts the threads that wait, or waited, for a file that does not respond. */
static unsigned count_endless(void) {
        DIR *directory = opendir("/proc/self/task");
        const struct dirent *entry;
        char path[300], name[32];
        unsigned count = 0;

        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL) {
                snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
                FILE *file = fopen(path, "r");

                if (file == NULL)
                        continue;
                count += fgets(name, sizeof(name), file) != NULL
                         && strcmp(name, "belay-endless\n") == 0;
                fclose(file);
        }
        closedir(directory);
        return count;
}

/* Opens both ends of the FIFO for a moment, until at most `threads` such threads are left. */
static void let_through(unsigned threads) {
        while (count_endless() > threads) {
                close(open("fifo", O_RDWR | O_NONBLOCK));
                usleep(100);
        }
}

static int opens_under_limit(void *arg) {
        belay_timeout limit;

        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_timeout_leave(&limit,
                                     belay_file_open(in_place("fifo"), *(const int *) arg, 0600)),
                 -ETIMEDOUT);
        return 0;
}

/* Timeouts of this kind expire in virtual time, too. */
static void under_limit(const belay_loop_options *options) {
        static int flags[] = { O_RDONLY, O_WRONLY, O_WRONLY | O_CREAT | O_TRUNC };
        make_fifo();
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_run_with(opens_under_limit, &flags[i], options), 0);
                let_through(0);
        }
}

static int both_sides_come(void *arg) {
        struct opener reader = { .flags = O_RDONLY }, writer = { .flags = O_WRONLY };
        belay_task *one, *other;
        unsigned fds;

        (void) arg;
        make_fifo();
        CHECK_EQ(belay_file_remove(in_place("none")), -ENOENT);
        fds = count_fds();
        one = must(belay_spawn(opens, &reader));
        CHECK_EQ(belay_yield(), 0);
        other = must(belay_spawn(opens, &writer));
        CHECK_EQ(belay_join(one, NULL), 0);
        CHECK_EQ(belay_join(other, NULL), 0);
        CHECK(reader.rc >= 0 && writer.rc >= 0);
        CHECK_EQ(reader.then, 0);
        belay_release(one);
        belay_release(other);
        CHECK_EQ(count_fds(), fds);

        /* With O_NONBLOCK the call does not wait. */
        CHECK_EQ(belay_file_open(in_place("fifo"), O_WRONLY | O_NONBLOCK, 0), -ENXIO);
        return 0;
}

static int has_reader(void) {
        int fd = open("fifo", O_WRONLY | O_NONBLOCK);

        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

static bool finds_reader(void) {
        for (int i = 0; i < 100; i++) {
                if (has_reader())
                        return true;
                usleep(100);
        }
        return false;
}

/*
 * The task stops waiting for an open, which succeeds later. No task receives the descriptor, so the
 * thread closes it. If the request came before the thread began, the test tries again.
 */
static int comes_late(void *arg) {
        belay_time span = BELAY_MILLISECOND;
        bool was_late = false;

        (void) arg;
        make_fifo();
        for (; !was_late; span *= 2) {
                struct opener opener = { .flags = O_RDONLY };
                belay_task *task = must(belay_spawn(opens, &opener));

                CHECK_EQ(belay_sleep(span), 0);
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(opener.rc, -ECANCELED);
                CHECK_EQ(opener.then, 0);
                belay_release(task);
                was_late = finds_reader();
                while (has_reader())
                        usleep(100);
        }
        return 0;
}

static int read_something(void) {
        struct stat stat;
        char *data;
        int rc = belay_file_read_all("/proc/self/stat", 0, &data, NULL);

        if (rc < 0)
                return rc;
        belay_file_free(data);
        return belay_file_stat(place, true, &stat);
}

/* The loop has one thread for files. At first all tasks wait, and then all are cancelled. */
static void many_at_once(belay_time span) {
        static struct opener openers[MANY];
        belay_task *tasks[MANY];

        for (int i = 0; i < MANY; i++) {
                openers[i] = (struct opener) { .flags = O_RDONLY };
                tasks[i] = must(belay_spawn(opens, &openers[i]));
        }
        CHECK_EQ(belay_sleep(span), 0);
        CHECK_EQ(read_something(), 0);
        for (int i = 0; i < MANY; i++)
                CHECK(belay_cancel(tasks[i], NULL));
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(openers[i].rc, -ECANCELED);
                belay_release(tasks[i]);
        }
        CHECK_EQ(read_something(), 0);
}

/*
 * Idle threads of this kind end, except for two. If the requests came before the threads began, the
 * test tries again.
 */
static int threads_end(void *arg) {
        belay_time span = BELAY_MILLISECOND;

        (void) arg;
        make_fifo();
        do {
                many_at_once(span);
                span *= 2;
        } while (count_endless() <= 2);
        let_through(2);
        return 0;
}

static int left_open(void *arg) {
        (void) arg;
        for (int i = 0; i < 3; i++) {
                static struct opener opener = { .flags = O_RDONLY };

                belay_release(must(belay_spawn(opens, &opener)));
        }
        return belay_sleep(BELAY_MILLISECOND);
}

/* The loop ends although threads still work. They close the files that they open later. */
static void outlives_its_loop(void) {
        unsigned fds = count_fds();

        make_fifo();
        CHECK_EQ(belay_run(left_open, NULL), 0);
        let_through(0);
        CHECK_EQ(count_fds(), fds);
}

/* ---- a lease ---- */

/* Another process holds a lease of the file, and gives it up when it is notified. */
static pid_t hold_lease(int told[2]) {
        int ready[2];
        char byte;
        pid_t pid;

        CHECK_EQ(pipe2(told, O_CLOEXEC), 0);
        CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                int fd = open("leased", O_RDWR);
                sigset_t notice;

                /*
                 * The signal is blocked, so that the process can wait for it. The open that causes
                 * the signal may begin after the other end of the pipe is closed.
                 */
                sigemptyset(&notice);
                sigaddset(&notice, SIGIO);
                sigprocmask(SIG_BLOCK, &notice, NULL);
                byte = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
                CHECK_EQ(write(ready[1], &byte, 1), 1);
                close(told[1]);
                while (read(told[0], &byte, 1) < 0)
                        ;
                _exit(sigwaitinfo(&notice, NULL) == SIGIO ? 0 : 1);
        }
        CHECK_EQ(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        close(told[0]);
        if (byte == 0) {
                close(told[1]);
                CHECK_EQ(waitpid(pid, NULL, 0), pid);
                return -1;
        }
        return pid;
}

static int cuts_leased(void *arg) {
        return *(int *) arg = belay_file_open(in_place("leased"), O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static int leased(void *arg) {
        int told[2], status, fd;
        belay_timeout limit;
        belay_task *task;
        pid_t pid;

        (void) arg;
        put_file("leased", "contents");
        pid = hold_lease(told);
        if (pid < 0) {
                fprintf(stderr, "leases cannot be had here\n");
                return 0;
        }
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_timeout_leave(&limit,
                                     belay_file_open(in_place("leased"), O_RDWR | O_TRUNC, 0)),
                 -ETIMEDOUT);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_timeout_leave(&limit, belay_file_open(in_place("leased"), O_RDONLY, 0)),
                 -ETIMEDOUT);
        CHECK_EQ(read_something(), 0);
        task = must(belay_spawn(cuts_leased, &fd));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(!belay_done(task));
        close(told[1]);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        CHECK(fd >= 0);
        /* The calls that were cancelled did not truncate the file. The last one did. */
        CHECK_STR(get_file("leased"), "");
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        close(fd);
        return 0;
}

/* ---- reading and writing ---- */

static int read_within(int fd, size_t size, belay_time span) {
        static char bytes[256 * 1024];
        belay_timeout limit;
        ssize_t got;
        int rc;

        CHECK_EQ(belay_timeout_enter(&limit, span), 0);
        got = belay_file_read(fd, bytes, size, -1);
        rc = belay_timeout_leave(&limit, got < 0 ? (int) got : 0);
        return rc < 0 ? rc : (int) got;
}

/* Reads data that is there, or is sure to arrive. */
static int read_from(int fd, size_t size) {
        return read_within(fd, size, BELAY_NEVER);
}

static int read_in_vain(int fd, size_t size) {
        return read_within(fd, size, BELAY_MILLISECOND);
}

static int write_to(int fd, size_t size) {
        static char bytes[256 * 1024];
        belay_timeout limit;
        ssize_t put;
        int rc;

        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        put = belay_file_write(fd, bytes, size, -1);
        rc = belay_timeout_leave(&limit, put < 0 ? (int) put : 0);
        return rc < 0 ? rc : (int) put;
}

/* `reader` receives no data, and `writer` has no reader, except from this test. */
static void check_silent(int reader, int writer) {
        int flags = fcntl(reader, F_GETFL);

        CHECK_EQ(read_in_vain(reader, 4), -ETIMEDOUT);
        CHECK_EQ(write(writer, "abc\n", 4), 4);
        CHECK_EQ(read_from(reader, 4), 4);
        CHECK_EQ(write(writer, "ab\n", 3), 3);
        CHECK_EQ(read_within(reader, 4, 100 * BELAY_MILLISECOND), 3);
        CHECK_EQ(read_something(), 0);
        CHECK_EQ(fcntl(reader, F_GETFL), flags);
        /* The offset is ignored if the descriptor has none. */
        CHECK_EQ(belay_file_write(writer, "abc\n", 4, 100), 4);
        CHECK_EQ(read_from(reader, 4), 4);
}

/* The bytes that were written before the buffer was full are counted. */
static void check_full(int reader, int writer) {
        int put, got, all = 0;

        while ((put = write_to(writer, 256 * 1024)) > 0)
                all += put;
        CHECK_EQ(put, -ETIMEDOUT);
        CHECK(all > 0);
        for (; all > 0; all -= got) {
                got = read_from(reader, (size_t) (all < 256 * 1024 ? all : 256 * 1024));
                CHECK(got > 0);
        }
        CHECK_EQ(read_in_vain(reader, 1), -ETIMEDOUT);
}

/* The SIGPIPE of the write must not kill the process. */
static void check_broken(int reader, int writer) {
        close(reader);
        CHECK_EQ(write_to(writer, 4), -EPIPE);
        close(writer);
}

static void open_fifo(int ends[2]) {
        make_fifo();
        ends[0] = open("fifo", O_RDONLY | O_NONBLOCK);
        ends[1] = open("fifo", O_WRONLY);
        CHECK(ends[0] >= 0 && ends[1] >= 0);
        CHECK_EQ(fcntl(ends[0], F_SETFL, 0), 0);
}

static int silent_ends(void *arg) {
        int ends[2], blocks = arg == NULL;

        open_fifo(ends);
        CHECK_EQ(fcntl(ends[1], F_SETFL, blocks ? 0 : O_NONBLOCK), 0);
        CHECK_EQ(fcntl(ends[0], F_SETFL, blocks ? 0 : O_NONBLOCK), 0);
        check_silent(ends[0], ends[1]);
        check_full(ends[0], ends[1]);
        check_broken(ends[0], ends[1]);

        CHECK_EQ(pipe2(ends, O_CLOEXEC | (blocks ? 0 : O_NONBLOCK)), 0);
        check_silent(ends[0], ends[1]);
        check_full(ends[0], ends[1]);
        check_broken(ends[0], ends[1]);

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK), 0,
                            ends),
                 0);
        check_silent(ends[0], ends[1]);
        check_full(ends[0], ends[1]);
        check_broken(ends[0], ends[1]);
        return 0;
}

/* The end of the data is reported, too. */
static int ends_of_fifos(void *arg) {
        char *data;
        size_t size;
        int ends[2];

        (void) arg;
        open_fifo(ends);
        CHECK_EQ(write(ends[1], "all of it", 9), 9);
        close(ends[1]);
        CHECK_EQ(read_from(ends[0], 100), 9);
        CHECK_EQ(read_from(ends[0], 100), 0);
        close(ends[0]);

        open_fifo(ends);
        CHECK_EQ(write(ends[1], "all of it", 9), 9);
        CHECK_EQ(belay_file_write(ends[1], "; more", 6, -1), 6);
        close(ends[1]);
        CHECK_EQ(belay_file_read_all("/dev/null", 0, &data, &size), 0);
        CHECK_EQ(size, 0);
        belay_file_free(data);
        CHECK_EQ(read_from(ends[0], 100), 15);
        close(ends[0]);
        return 0;
}

static int terminals(void *arg) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

        (void) arg;
        if (master < 0)
                return 0;
        CHECK_EQ(grantpt(master), 0);
        CHECK_EQ(unlockpt(master), 0);
        slave = belay_file_open(ptsname(master), O_RDWR | O_NOCTTY, 0);
        CHECK(slave >= 0);
        CHECK_EQ(read_in_vain(slave, 4), -ETIMEDOUT);
        CHECK_EQ(read_in_vain(master, 4), -ETIMEDOUT);
        CHECK_EQ(belay_file_write(master, "abc\n", 4, -1), 4);
        CHECK_EQ(read_from(slave, 4), 4);
        CHECK_EQ(read_from(master, 5), 5);
        CHECK_EQ(belay_file_write(slave, "x\n", 2, -1), 2);
        CHECK_EQ(read_from(master, 3), 3);
        CHECK_EQ(belay_file_close(slave), 0);
        CHECK_EQ(belay_file_close(master), 0);
        return 0;
}

/* ---- beyond the limit on file sizes ---- */

static int beyond_limit(void *arg) {
        static char bytes[2000];
        struct rlimit limit = { 1000, 1000 };
        int fd;

        (void) arg;
        CHECK_EQ(belay_file_write_all(in_place("small"), bytes, 10, 0600), 0);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        fd = belay_file_open(in_place("big"), O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0);
        CHECK_EQ(belay_file_write(fd, bytes, 2000, 0), 1000);
        CHECK_EQ(belay_file_write(fd, bytes, 1, 1000), -EFBIG);
        CHECK_EQ(belay_file_truncate(fd, 1001), -EFBIG);
        CHECK_EQ(belay_file_close(fd), 0);
        CHECK_EQ(belay_file_write_all(in_place("small"), bytes, 2000, 0600), -EFBIG);
        return 0;
}

static int runs_beyond_limit(void *arg) {
        return -belay_run(beyond_limit, arg);
}

int main(void) {
        static const belay_loop_options one_thread = { .size = sizeof(one_thread), .threads = 1 };
        static const belay_loop_options in_virtual_time = {
                .size = sizeof(in_virtual_time),
                .clock = BELAY_CLOCK_VIRTUAL,
        };
        unsigned fds = count_fds();
        static struct child child;

        make_place();
        under_limit(NULL);
        under_limit(&in_virtual_time);
        CHECK_EQ(belay_run(both_sides_come, NULL), 0);
        RUN_VIRTUAL(both_sides_come);
        CHECK_EQ(belay_run(comes_late, NULL), 0);
        CHECK_EQ(belay_run_with(threads_end, NULL, &one_thread), 0);
        outlives_its_loop();
        CHECK_EQ(belay_run(leased, NULL), 0);
        CHECK_EQ(belay_run(silent_ends, NULL), 0);
        CHECK_EQ(belay_run(silent_ends, &child), 0);
        RUN_VIRTUAL(silent_ends);
        CHECK_EQ(belay_run(ends_of_fifos, NULL), 0);
        CHECK_EQ(belay_run(terminals, NULL), 0);
        RUN_VIRTUAL(terminals);
        in_child(&child, runs_beyond_limit, NULL);
        CHECK_CHILD(&child, 0);
        let_through(0);
        CHECK_EQ(count_fds(), fds);
        return 0;
}
