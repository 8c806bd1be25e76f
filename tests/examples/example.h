/* SPDX-License-Identifier: MIT */
/*
 * Runs examples as separate processes: starts them, talks to them, ends them and checks their
 * results. All of this runs in a task.
 */
#ifndef BELAY_TESTS_EXAMPLE_H
#define BELAY_TESTS_EXAMPLE_H

#include <dirent.h>
#include <sys/prctl.h>

#include "base/help.h"

struct example {
        pid_t pid;
        belay_stream *out;                 /* its standard output */
        FILE *complaints;                  /* its standard error */
        char endpoint[BELAY_ADDRESS_TEXT]; /* where it listens */
};

enum { WORDS_MOST = 32 };

/* ---- starting ---- */

/* Returns the command: the words of $RUN, the program and its arguments. */
static inline char **command_of(const char *name, const char *const arguments[],
                                char *words[WORDS_MOST]) {
        const char *run = getenv("RUN"), *build = getenv("BUILD");
        static char path[4096], copy[1024];
        int count = 0;
        char *word;

        snprintf(copy, sizeof(copy), "%s", run != NULL ? run : "");
        for (word = strtok(copy, " "); word != NULL && count < 8; word = strtok(NULL, " "))
                words[count++] = word;
        snprintf(path, sizeof(path), "%s/examples/net/%s", build != NULL ? build : "build", name);
        words[count++] = path;
        for (int i = 0; arguments[i] != NULL; i++)
                words[count++] = (char *) arguments[i];
        words[count] = NULL;
        return words;
}

static inline void start(struct example *example, const char *name, const char *const arguments[]) {
        char *words[WORDS_MOST];
        int ends[2];

        *example = (struct example) { .complaints = tmpfile() };
        CHECK(example->complaints != NULL);
        CHECK_EQ(pipe(ends), 0);
        command_of(name, arguments, words);
        example->pid = fork();
        CHECK(example->pid >= 0);
        if (example->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                signal(SIGINT, SIG_DFL);
                signal(SIGTERM, SIG_DFL);
                dup2(ends[1], 1);
                dup2(fileno(example->complaints), 2);
                close(ends[0]);
                close(ends[1]);
                execvp(words[0], words);
                fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
                _exit(127);
        }
        close(ends[1]);
        CHECK_EQ(belay_stream_open_fd(&example->out, ends[0], NULL), 0);
}

#define START(example, name, ...) start(example, name, (const char *const[]) { __VA_ARGS__, NULL })

static inline void show_complaints(struct example *example) {
        char line[1024];

        rewind(example->complaints);
        while (fgets(line, sizeof(line), example->complaints) != NULL)
                fprintf(stderr, "    it wrote: %s", line);
}

/* ---- talking ---- */

/* Returns the next line of a stream, without its end. */
static inline const char *next_line(belay_stream *stream) {
        static char line[8192];
        ssize_t size = belay_read_line(stream, line, sizeof(line));

        if (size <= 0)
                return size == 0 ? "(its end)" : strerror((int) -size);
        line[strcspn(line, "\n")] = '\0';
        return line;
}

#define CHECK_SAYS(stream, text) CHECK_STR(next_line(stream), text)

static inline bool begins_with(const char *text, const char *with) {
        return strncmp(text, with, strlen(with)) == 0;
}

/* Waits until the example prints where it listens. */
static inline void await_listening(struct example *example) {
        const char *line = next_line(example->out), *begin = "listening at ";

        if (!begins_with(line, begin)) {
                fprintf(stderr, "it does not listen, but says: %s\n", line);
                show_complaints(example);
                CHECK_END(1);
        }
        snprintf(example->endpoint, sizeof(example->endpoint), "%s", line + strlen(begin));
}

static inline belay_stream *connect_to(const struct example *example) {
        belay_stream *stream;

        CHECK_EQ(belay_connect(&stream, example->endpoint, NULL), 0);
        return stream;
}

static inline void say(belay_stream *stream, const char *text) {
        CHECK_EQ(belay_write(stream, text, strlen(text)), strlen(text));
}

/* Joins a task, which must succeed. */
static inline void join_task_of(belay_task *task) {
        int outcome = -1;

        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        belay_release(task);
}

/* ---- its descriptors ---- */

static inline int descriptors_of(const struct example *example) {
        char path[64];
        DIR *directory;
        int count = 0;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int) example->pid);
        directory = opendir(path);
        CHECK(directory != NULL);
        while (readdir(directory) != NULL)
                count++;
        closedir(directory);
        return count;
}

/*
 * Waits until the example has at most `count` descriptors. If it never does, the runner's time
 * limit ends the test.
 */
static inline void await_descriptors(const struct example *example, int count) {
        while (descriptors_of(example) > count)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
}

/* ---- its end ---- */

static inline bool is_asleep(const struct example *example) {
        char path[64], state = '?';
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int) example->pid);
        file = fopen(path, "r");
        CHECK(file != NULL);
        CHECK_EQ(fscanf(file, "%*d %*s %c", &state), 1);
        fclose(file);
        return state == 'S';
}

/*
 * Sends a signal.
 *
 * If a signal arrives while a task runs, ThreadSanitizer holds it back until that task runs again,
 * which may never happen. Under a checker this function therefore waits until the process sleeps.
 */
static inline void send_signal(const struct example *example, int signal) {
        for (int times = 0; is_checked() && times < 5; times = is_asleep(example) ? times + 1 : 0)
                CHECK_EQ(belay_sleep(2 * BELAY_MILLISECOND), 0);
        CHECK_EQ(kill(example->pid, signal), 0);
}

/*
 * Ends the example by a signal, or lets it end by itself if `signal` is 0. It must exit with
 * `code`, and the caller must have read all of its output.
 */
static inline void end(struct example *example, int signal, int code) {
        int status;

        if (signal != 0)
                send_signal(example, signal);
        CHECK_SAYS(example->out, "(its end)");
        belay_close(example->out, 0);
        CHECK_EQ(waitpid(example->pid, &status, 0), example->pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != code) {
                fprintf(stderr, "its status is %#x, not exit code %d\n", (unsigned) status, code);
                show_complaints(example);
                CHECK_END(1);
        }
}

/* Returns a line with the C library's text for an error. */
static inline const char *error_line(const char *before, int error, const char *after) {
        static char line[512];

        snprintf(line, sizeof(line), "%s%s%s\n", before, strerror(error), after);
        return line;
}

/* Checks standard error: the library's line about main's failure, and then only this text. */
#define CHECK_FAILED(example, detail, text)                                      \
        do {                                                                     \
                char line[1024] = "";                                            \
                                                                                 \
                rewind((example)->complaints);                                   \
                CHECK(fgets(line, sizeof(line), (example)->complaints) != NULL); \
                CHECK(strncmp(line, "belay: main (started at ", 24) == 0);       \
                CHECK(strstr(line, " failed: " detail) != NULL);                 \
                CHECK(fgets(line, sizeof(line), (example)->complaints) != NULL); \
                CHECK_STR(line, text);                                           \
                CHECK(fgets(line, sizeof(line), (example)->complaints) == NULL); \
                fclose((example)->complaints);                                   \
        } while (0)

/* Checks that standard error contains exactly this text. */
#define CHECK_COMPLAINTS(example, text)                                                  \
        do {                                                                             \
                char wrote[4096];                                                        \
                                                                                         \
                rewind((example)->complaints);                                           \
                wrote[fread(wrote, 1, sizeof(wrote) - 1, (example)->complaints)] = '\0'; \
                fclose((example)->complaints);                                           \
                CHECK_STR(wrote, text);                                                  \
        } while (0)

/* ---- both back ends ---- */

/*
 * Runs a test on epoll and, if available, on io_uring. Both the example and the test use that back
 * end.
 */
static inline void run_on_both(belay_fn *fn) {
        static const belay_loop_options wanted = { .size = sizeof(wanted),
                                                   .backend = BELAY_BACKEND_IO_URING };
        belay_loop *loop;
        bool has_both;

        keep_lines();
        loop = belay_loop_new(&wanted);
        CHECK(loop != NULL);
        has_both = strcmp(belay_loop_backend(loop), "io_uring") == 0;
        CHECK_EQ(belay_loop_close(loop), 0);
        belay_set_log(NULL, NULL);
        for (int i = 0; i < 1 + has_both; i++) {
                CHECK_EQ(setenv("BELAY_BACKEND", i == 0 ? "epoll" : "io_uring", 1), 0);
                CHECK_EQ(belay_run(fn, NULL), 0);
        }
}

#endif
