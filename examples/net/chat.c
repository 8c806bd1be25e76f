/* SPDX-License-Identifier: MIT */
/*
 * A chat room: chat [ENDPOINT]. The first line of a client is its name. The room sends the other
 * lines to all other clients.
 *
 * A connection has two tasks. One reads the lines of its client, the other writes the lines from a
 * queue to it. The reader puts each line into the queues of the others. That call never waits, so
 * no client delays another. The room drops a client that does not keep up.
 */
#define _GNU_SOURCE /* for asprintf() */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1024, NAME_SIZE = 32, QUEUED = 100, MEMBERS = 1000 };
#define FAREWELL_LIMIT (2 * BELAY_SECOND)
/* Lies on the stack of its connection's task, where it stays valid until the handler returns. */
struct member {
        belay_stream *stream;
        belay_queue *queue;  /* of lines, each an own copy */
        belay_timeout limit; /* for sending a name, and for leaving */
        bool is_dropped;
        char name[NAME_SIZE];
};

struct room {
        const char *endpoint;
        struct member *members[MEMBERS];
        size_t count;
};

/*
 * Puts a line into the queues of all members but `from`. No call in here waits, so members neither
 * join nor leave during the walk.
 */
static void tell(struct room *room, const struct member *from, const char *before,
                 const char *text) {
        for (size_t i = 0; i < room->count; i++) {
                struct member *each = room->members[i];
                char *line;

                if (each == from || each->is_dropped
                    || asprintf(&line, "%s%s%s\n", before, from->name, text) < 0)
                        continue;
                if (belay_queue_try_put(each->queue, line) == 0)
                        continue;
                free(line);
                /*
                 * The writer of the dropped member finds no more lines in the queue. It has
                 * FAREWELL_LIMIT to write last words.
                 */
                each->is_dropped = true;
                belay_queue_shutdown(each->queue, true);
                belay_timeout_reschedule(&each->limit, FAREWELL_LIMIT);
                tell(room, each, "* ", " does not keep up and is dropped");
        }
}

static int write_lines(void *arg) {
        struct member *self = arg;
        void *line;
        int rc;

        while ((rc = belay_queue_get(self->queue, &line)) == 0) {
                ssize_t size = belay_write(self->stream, line, strlen(line));

                free(line);
                if (size < 0)
                        return (int) size;
        }
        /* The failure cancels the reader, too. */
        if (self->is_dropped && belay_print(self->stream, "* you do not keep up: good-bye\n") > 0)
                return -ENOBUFS;
        return rc == -ESHUTDOWN ? 0 : rc;
}

static ssize_t read_lines(struct room *room, struct member *self) {
        char line[LINE_SIZE] = ": ";
        ssize_t size;

        /*
         * No client speaks faster than one line a millisecond. Therefore a queue is full only if
         * its client does not read.
         */
        while ((size = belay_read_line(self->stream, line + 2, sizeof(line) - 2)) > 0
               && (size = belay_sleep(BELAY_MILLISECOND)) == 0) {
                line[strcspn(line, "\r\n")] = '\0';
                tell(room, self, "", line);
        }
        return size;
}

static int stay(struct room *room, struct member *self) {
        belay_group group;
        size_t i = 0;
        int rc;

        room->members[room->count++] = self;
        tell(room, self, "* ", " joined");
        belay_group_enter(&group);
        rc = belay_group_spawn(&group, write_lines, self);
        if (rc == 0)
                rc = (int) read_lines(room, self);
        while (room->members[i] != self)
                i++;
        room->members[i] = room->members[--room->count];
        tell(room, self, "* ", " left");
        /*
         * The lines that are left in the queue still go to the client, if that does not take too
         * long.
         */
        belay_queue_shutdown(self->queue, false);
        belay_timeout_reschedule(&self->limit, FAREWELL_LIMIT);
        return belay_group_leave(&group, rc);
}

static int handle(belay_stream *stream, void *room) {
        struct member self = { .stream = stream };
        int rc;

        self.queue = belay_queue_new_with(
                BELAY_OPTIONS(belay_queue_options, .capacity = QUEUED, .destroy = free));
        if (self.queue == NULL)
                return -errno;
        belay_timeout_enter(&self.limit, BELAY_MINUTE);
        rc = (int) belay_print(stream, "* your name?\n");
        if (rc > 0)
                rc = (int) belay_read_line(stream, self.name, sizeof(self.name));
        if (rc > 0) {
                self.name[strcspn(self.name, "\r\n")] = '\0';
                belay_timeout_reschedule(&self.limit, BELAY_NEVER);
                rc = stay(room, &self);
        }
        rc = belay_timeout_leave(&self.limit, rc);
        belay_queue_free(self.queue);
        /*
         * A cancellation request is delivered once. After that, the handler may write last words.
         */
        if (rc == -ECANCELED && !belay_is_cut(stream))
                rc = (int) belay_print(stream, "* the room is closing\n");
        /*
         * If the handler returns no failure, belay_serve() closes the connection gracefully, so
         * that the last words arrive.
         */
        return rc < 0 && !self.is_dropped ? rc : 0;
}

static int app(void *arg) {
        struct room *room = arg;
        belay_listener *listener;
        int rc = belay_listen(&listener, room->endpoint, NULL);

        if (rc < 0)
                return rc;
        printf("listening at %s\n", belay_listener_endpoint(listener));
        fflush(stdout);
        /* No client leaves because the room closes, so waiting for that is of no use. */
        rc = belay_serve(listener, handle, room,
                         BELAY_OPTIONS(belay_serve_options, .most = MEMBERS, .grace = 1));
        belay_listener_close(listener);
        return rc;
}

int main(int argc, char **argv) {
        struct room room = { .endpoint = argc > 1 ? argv[1] : "127.0.0.1:7009" };
        int rc = belay_run(app, &room);

        if (rc < 0 && rc != -EINTR)
                fprintf(stderr, "chat: %s: %s\n", room.endpoint, strerror(-rc));
        return rc < 0 && rc != -EINTR;
}
