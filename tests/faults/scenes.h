/* SPDX-License-Identifier: MIT */
/*
 * Runs scenes with one fault after the other. A first run without faults counts the calls. Then
 * each call of each function fails once with each of its errors, and each allocation fails once.
 *
 * Each time, the scene must end with 0 or with a suitable error. It must not lose a byte that was
 * counted. Descriptors, memory, threads and files must be as before.
 *
 * Each function has a process of its own, so that a fault that crashes it or makes it hang is one
 * complaint. With the arguments scene, back end, function, error and n, the program makes only that
 * fault happen.
 */
#ifndef BELAY_TESTS_SCENES_H
#define BELAY_TESTS_SCENES_H

#include <dirent.h>
#include <sched.h>

#include "faults/shim.h"
#include "io/io.h"

struct scene {
        const char *name;
        int (*run)(void);      /* returns 0 or a negative errno */
        void (*prepare)(void); /* called without faults before each run, or NULL */
};

/* ---- memory ---- */

static _Atomic size_t live;

static void *memory(void *context, void *block, size_t size) {
        void *result;

        (void) context;
        if (size == 0) {
                if (block != NULL)
                        live--;
                free(block);
                return NULL;
        }
        if (fails(F_memory))
                return NULL;
        if (armed && plan.function == F_memory_on && plan.nth != 0
            && ++calls[F_memory_on] >= plan.nth) {
                reached = true;
                return NULL;
        }
        result = realloc(block, size);
        if (block == NULL && result != NULL)
                live++;
        return result;
}

/* ---- operations of the ring ---- */

#ifdef BLY_HAVE_URING
static struct bly_backend faulty_ring;
static struct bly_op *injected; /* operation that ends with the fault in the next turn */
static struct bly_call injection;
static struct iovec cut_part;
static struct msghdr cut_message;

static void cut_short(struct bly_op *op) {
        switch (op->kind) {
        case BLY_OP_RECEIVE:
        case BLY_OP_READ:
        case BLY_OP_WRITE:
                op->length = op->length < 1 ? op->length : 1;
                break;
        case BLY_OP_SEND_MESSAGE:
        case BLY_OP_RECEIVE_MESSAGE:
                /* Only a message without other data is truncated. */
                cut_message = *(const struct msghdr *) op->address;
                if (cut_message.msg_controllen == 0 && cut_message.msg_name == NULL
                    && !is_datagram(op->fd)
                    && cut(cut_message.msg_iov, (int) cut_message.msg_iovlen, &cut_part) == 1) {
                        cut_message.msg_iov = &cut_part;
                        cut_message.msg_iovlen = 1;
                        op->address = &cut_message;
                }
                break;
        default:
                break;
        }
}

static void end_injected(struct bly_call *call) {
        struct bly_op *op = injected;

        (void) call;
        injected = NULL;
        /* The descriptor must be closed in spite of the fault. */
        if (op->kind == BLY_OP_CLOSE)
                REAL(close)(op->fd);
        bly_op_over(op->task->loop->io, op, op->stopped ? -ECANCELED : -plan.error);
}

static int begin_or_fail(struct bly_io *io, struct bly_op *op) {
        /* A ring never reports that a close was interrupted. */
        if (!fails(F_operation) || (op->kind == BLY_OP_CLOSE && plan.error == EINTR))
                return bly_uring_backend.begin(io, op);
        if (plan.error == ENOMEM)
                return -ENOMEM;
        if (plan.error == SHORT) {
                cut_short(op);
                return bly_uring_backend.begin(io, op);
        }
        injected = op;
        bly_call_soon(io->loop, &injection, end_injected);
        return 0;
}

static void stop_or_not(struct bly_io *io, struct bly_op *op) {
        if (op != injected)
                bly_uring_backend.stop(io, op);
}

static void make_faulty(struct belay_loop *loop) {
        if (loop->io == NULL || loop->io->backend != &bly_uring_backend)
                return;
        faulty_ring = bly_uring_backend;
        faulty_ring.begin = begin_or_fail;
        faulty_ring.stop = stop_or_not;
        loop->io->backend = &faulty_ring;
}
#else
static void make_faulty(struct belay_loop *loop) {
        (void) loop;
}
#endif

/* ---- for scenes ---- */

/* Makes a loop, runs `fn` as its main task, and closes the loop. */
static inline int run_loop(belay_fn *fn, void *arg) {
        belay_loop *loop = belay_loop_new(NULL);
        int rc, closed, outcome = 0;

        if (loop == NULL)
                return -errno;
        make_faulty(loop);
        rc = belay_loop_run(loop, fn, arg, &outcome);
        closed = belay_loop_close(loop);
        CHECK_EQ(closed, 0);
        return rc < 0 ? rc : outcome;
}

/* Returns the byte at this position of all that is sent. */
static inline char byte_at(uint64_t place) {
        return (char) ((place * 0x9e3779b97f4a7c15) >> 56);
}

static inline void fill(void *buffer, size_t size, uint64_t from) {
        for (size_t i = 0; i < size; i++)
                ((char *) buffer)[i] = byte_at(from + i);
}

static inline void check_filled(const void *buffer, size_t size, uint64_t from) {
        for (size_t i = 0; i < size; i++)
                CHECK(((const char *) buffer)[i] == byte_at(from + i));
}

/* the program's own directory */
static char scratch[64];

static inline const char *scratch_path(const char *name) {
        static char path[4][128];
        static unsigned next;

        next = (next + 1) % 4;
        snprintf(path[next], sizeof(path[0]), "%s/%s", scratch, name);
        return path[next];
}

static int in_scratch(void) {
        DIR *directory = opendir(scratch);
        int count = 0;

        CHECK(directory != NULL);
        while (readdir(directory) != NULL)
                count++;
        closedir(directory);
        return count;
}

/* Removes the files that scenes leave to each other, and those of failed scenes. */
static void empty_scratch(void) {
        DIR *directory = opendir(scratch);

        CHECK(directory != NULL);
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
                if (entry->d_name[0] != '.' && REAL(unlink)(scratch_path(entry->d_name)) < 0)
                        fprintf(stderr, "%s is left\n", scratch_path(entry->d_name));
        closedir(directory);
        CHECK_EQ(rmdir(scratch), 0);
}

/* ---- one run ---- */

struct balance {
        int descriptors, files, threads;
        size_t live;
};

static int count_threads(void) {
        DIR *directory = opendir("/proc/self/task");
        int count = 0;

        CHECK(directory != NULL);
        for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
                count += entry->d_name[0] != '.';
        closedir(directory);
        return count;
}

static void take_balance(struct balance *balance) {
        *balance = (struct balance) { .files = in_scratch(), .live = live };
        for (int fd = 0; fd < 512; fd++)
                balance->descriptors += REAL(fcntl)(fd, F_GETFD, NULL) >= 0;
        /* Threads whose jobs go on alone end later. */
        for (int i = 0; i < 2000 && (balance->threads = count_threads()) > 1; i++)
                usleep(1000);
        balance->live = live;
}

/* Returns whether a scene may end with `rc` if a call in it has failed. */
static bool makes_sense(int rc) {
        if (rc == 0)
                return true;
        if (plan.nth == 0)
                return false;
        if (plan.function == F_getaddrinfo)
                return rc
                       == (plan.error == EAI_MEMORY   ? -ENOMEM
                           : plan.error == EAI_NONAME ? -ENOENT
                           : plan.error == EAI_SYSTEM ? -EMFILE
                                                      : -EAGAIN);
        /* There is no stack for a task. */
        if (rc == -ENOMEM && (plan.function == F_madvise || plan.function == F_mprotect))
                return true;
        switch (rc) {
        case -EINTR:
        case -EINPROGRESS:
        case -EALREADY:
        case -EPERM:
        case -EDEADLK:
        case -ECANCELED:
        case -ETIMEDOUT:
        case -ECONNABORTED:
                return false;
        case -EAGAIN:
                /* There is no thread or no port. */
                return plan.function == F_pthread_create || plan.function == F_connect
                       || plan.function == F_operation;
        case -EPIPE:
        case -ECONNRESET:
        case -ENOTRECOVERABLE:
                /* The peer has aborted the connection, or a message is incomplete. */
                return true;
        default:
                return rc == -plan.error;
        }
}

static const char *error_name(void) {
        static char text[16];

        if (plan.function == F_getaddrinfo)
                snprintf(text, sizeof(text), "EAI %d", plan.error);
        return plan.function == F_getaddrinfo ? text
               : plan.error == SHORT          ? "short"
                                              : strerror(plan.error);
}

enum { NOW_SIZE = 256 };
/* the current action, for complaints; shared by all processes */
static char *now;

static void complain(const char *what, long is, long should_be) {
        fprintf(stderr, "%s: %s: %ld, not %ld\n", now, what, is, should_be);
        CHECK_END(1);
}

static void hangs(int signal) {
        (void) signal;
        armed = false;
        fprintf(stderr, "%s: hangs\n", now);
        belay_dump(2);
        _exit(3);
}

static char lines[4096]; /* log lines of the current run */

static void note_line(void *context, belay_log_level level, const char *line) {
        size_t length = strlen(lines);

        (void) context;
        (void) level;
        snprintf(lines + length, sizeof(lines) - length, "    %s\n", line);
}

/* Returns whether a line was logged that no scene gives cause for. */
static bool has_said_wrong(void) {
        return strstr(lines, "deadlock") != NULL || strstr(lines, "was not retrieved") != NULL
               || strstr(lines, "misuse") != NULL;
}

static void run_once(const struct scene *scene) {
        struct balance before, after;
        bool removes = plan.function == F_unlink || plan.function == F_unlinkat;
        int rc;

        if (scene->prepare != NULL)
                scene->prepare();
        take_balance(&before);
        for (int i = 0; i < FUNCTION_COUNT; i++)
                calls[i] = 0;
        reached = false;
        lines[0] = '\0';
        alarm(300);
        armed = true;
        rc = scene->run();
        armed = false;
        alarm(0);
        take_balance(&after);
        if (has_said_wrong()) {
                fprintf(stderr, "%s:\n%s", now, lines);
                CHECK_END(1);
        }
        if (!reached && rc != 0)
                complain("without a fault it ends with", rc, 0);
        if (!makes_sense(rc))
                complain("it ends with", rc, -plan.error);
        if (after.descriptors != before.descriptors)
                complain("open descriptors", after.descriptors, before.descriptors);
        if (after.live != before.live)
                complain("blocks of memory", (long) after.live, (long) before.live);
        if (after.threads != before.threads)
                complain("threads", after.threads, before.threads);
        if (after.files != before.files && !removes)
                complain("files", after.files, before.files);
}

/* ---- all faults of a function ---- */

/* Calls in the first run of a scene, and the number of faults. Shared by all processes. */
static unsigned *counts;

enum { ALL_CALLS = 40, SOME_CALLS = 20 };

/*
 * If there are very many calls, only some of them fail. With valgrind, where each run takes long,
 * every tenth call fails.
 */
static unsigned step_after(unsigned nth, unsigned count) {
        if (getenv("RUN") != NULL && strstr(getenv("RUN"), "valgrind") != NULL)
                return 10;
        return nth < ALL_CALLS || count < 2 * ALL_CALLS ? 1 : (count - ALL_CALLS) / SOME_CALLS;
}

static void run_faults(const struct scene *scene, const char *back_end, enum function function,
                       unsigned count) {
        const int *error = functions[function].errors;

        for (; *error != 0; error++)
                for (unsigned nth = 1;; nth += step_after(nth, count)) {
                        plan.function = function;
                        plan.error = *error;
                        plan.nth = nth;
                        snprintf(now, NOW_SIZE, "%s, %s, call %u of %s: %s", scene->name, back_end,
                                 nth, functions[function].name, error_name());
                        run_once(scene);
                        if (!reached)
                                break;
                        counts[FUNCTION_COUNT]++;
                }
        plan.nth = 0;
        snprintf(now, NOW_SIZE, "%s, %s, after faults of %s", scene->name, back_end,
                 functions[function].name);
        run_once(scene);
}

/* ---- processes ---- */

static int in_process(const struct scene *scene, const char *back_end, int function) {
        int status;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                signal(SIGALRM, hangs);
                signal(SIGPIPE, SIG_DFL);
                plan.nth = 0;
                snprintf(now, NOW_SIZE, "%s, %s, without faults", scene->name, back_end);
                /* Twice, so that everything that is made only once exists before the counts. */
                run_once(scene);
                run_once(scene);
                if (function < 0)
                        for (int i = 0; i < FUNCTION_COUNT; i++)
                                counts[i] = calls[i];
                else
                        run_faults(scene, back_end, (enum function) function, counts[function]);
                CHECK_END(0);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (WIFSIGNALED(status))
                fprintf(stderr, "%s: killed by signal %d\n", now, WTERMSIG(status));
        else
                fprintf(stderr, "    that was: %s\n", now);
        return 1;
}

static int run_scene(const struct scene *scene, const char *back_end) {
        int failed = 0;

        for (int i = 0; i <= FUNCTION_COUNT; i++)
                counts[i] = 0;
        if (in_process(scene, back_end, -1) != 0)
                return 1;
        counts[F_memory_on] = counts[F_memory];
        for (int function = 0; function < FUNCTION_COUNT; function++)
                if (counts[function] > 0)
                        failed += in_process(scene, back_end, function);
        printf("%s, %s: %u faults\n", scene->name, back_end, counts[FUNCTION_COUNT]);
        CHECK(counts[FUNCTION_COUNT] > 0);
        return failed;
}

/* ---- */

static inline bool has_back_end(const char *name) {
        belay_loop *loop;
        bool has;

        setenv("BELAY_BACKEND", name, 1);
        loop = belay_loop_new(NULL);
        has = loop != NULL && strcmp(belay_loop_backend(loop), name) == 0;
        CHECK_EQ(belay_loop_close(loop), 0);
        return has;
}

static int one_fault(const struct scene *scenes, size_t count, char **arguments) {
        plan.error = atoi(arguments[4]);
        plan.nth = (unsigned) atoi(arguments[5]);
        setenv("BELAY_BACKEND", arguments[2], 1);
        snprintf(now, NOW_SIZE, "%s", arguments[1]);
        for (size_t i = 0; i < count; i++)
                for (int function = 0; function < FUNCTION_COUNT; function++)
                        if (strcmp(scenes[i].name, arguments[1]) == 0
                            && strcmp(functions[function].name, arguments[3]) == 0) {
                                plan.function = (enum function) function;
                                belay_set_log(NULL, NULL);
                                run_once(&scenes[i]);
                        }
        return 0;
}

static void *shared(size_t size) {
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        CHECK(at != MAP_FAILED);
        return at;
}

static int run_scenes(const struct scene *scenes, size_t count, int argument_count,
                      char **arguments) {
        static const char *const back_ends[] = { "epoll", "io_uring" };
        const char *directory = getenv("TMPDIR");
        int failed = 0;

        belay_set_memory(memory, NULL);
        belay_set_log(note_line, NULL);
        snprintf(scratch, sizeof(scratch), "%s/belay-faults.XXXXXX",
                 directory != NULL ? directory : "/tmp");
        CHECK(mkdtemp(scratch) != NULL);
        counts = shared((FUNCTION_COUNT + 1) * sizeof(*counts));
        now = shared(NOW_SIZE);
        if (argument_count > 5)
                failed = one_fault(scenes, count, arguments);
        else
                for (int i = 0; i < 2; i++)
                        for (size_t j = 0; has_back_end(back_ends[i]) && j < count; j++)
                                failed += run_scene(&scenes[j], back_ends[i]);
        empty_scratch();
        return failed > 0;
}

#define RUN_SCENES(scenes) \
        run_scenes(scenes, sizeof(scenes) / sizeof((scenes)[0]), argument_count, arguments)

#endif
