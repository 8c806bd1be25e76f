/* SPDX-License-Identifier: MIT */
/*
 * Tests the chat room. Lines must go to all other clients, and joins and leaves must be announced.
 * A client that does not keep up must be dropped and must delay no other client. A signal must end
 * the room with last words.
 */
#include "examples/example.h"

static struct example chat;
static char endpoint[256];

static belay_stream *join(const char *name) {
        belay_stream *stream = connect_to(&chat);
        char line[64];

        CHECK_SAYS(stream, "* your name?");
        snprintf(line, sizeof(line), "%s\n", name);
        say(stream, line);
        return stream;
}

static void check_all_hear(belay_stream *const streams[], size_t count, const char *text) {
        for (size_t i = 0; i < count; i++)
                CHECK_SAYS(streams[i], text);
}

/*
 * Sends more lines at once than a queue holds. The room must not drop a client whose socket has
 * room for them.
 */
static void check_burst(belay_stream *from, belay_stream *to) {
        enum { LINES = 200 };
        char *burst = malloc(LINES * 8), expected[32];

        CHECK(burst != NULL);
        for (int i = 0; i < LINES; i++)
                sprintf(burst + 5 * i, "%04d\n", i);
        say(from, burst);
        free(burst);
        for (int i = 0; i < LINES; i++) {
                snprintf(expected, sizeof(expected), "ann: %04d", i);
                CHECK_SAYS(to, expected);
        }
}

/*
 * A client stays and reads nothing. The others must still receive each line at once, and in the end
 * the message that it was dropped.
 */
static void check_lazy(belay_stream *speaker, belay_stream *listener) {
        const char *dropped = "* sid does not keep up and is dropped", *line;
        belay_stream *lazy = join("sid");
        char text[1000];
        int heard = 0;

        CHECK_SAYS(speaker, "* sid joined");
        CHECK_SAYS(listener, "* sid joined");
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        do {
                say(speaker, text);
                say(speaker, "\n");
                line = next_line(listener);
                heard++;
        } while (begins_with(line, "ann: xxx"));
        CHECK_STR(line, dropped);
        CHECK_SAYS(speaker, dropped);
        CHECK(begins_with(next_line(listener), "ann: xxx"));
        CHECK_SAYS(speaker, "* sid left");
        CHECK_SAYS(listener, "* sid left");
        /* The dropped client must have as many lines as there was room for, in order. */
        while (begins_with(next_line(lazy), "ann: xxx"))
                heard--;
        CHECK(heard > 0);
        belay_abort(lazy);
}

static int app(void *arg) {
        belay_stream *all[3];
        int before;

        (void) arg;
        START(&chat, "chat", endpoint);
        await_listening(&chat);
        CHECK_STR(chat.endpoint, endpoint);
        all[0] = join("ann");
        before = descriptors_of(&chat);
        all[1] = join("bob");
        CHECK_SAYS(all[0], "* bob joined");
        all[2] = join("cid");
        check_all_hear(all, 2, "* cid joined");
        say(all[0], "hello\nthere");
        CHECK_SAYS(all[1], "ann: hello");
        CHECK_SAYS(all[2], "ann: hello");
        say(all[2], "hi\r\n");
        check_all_hear(all, 2, "cid: hi");

        /* A last line without an end must be sent when its client leaves. */
        CHECK_EQ(belay_half_close(all[0]), 0);
        CHECK_SAYS(all[1], "ann: there");
        CHECK_SAYS(all[1], "* ann left");
        CHECK_SAYS(all[0], "(its end)");
        CHECK_EQ(belay_close(all[0], BELAY_NEVER), 0);
        belay_abort(all[2]);
        CHECK_SAYS(all[1], "* cid left");
        await_descriptors(&chat, before);

        all[0] = join("ann");
        CHECK_SAYS(all[1], "* ann joined");
        check_burst(all[0], all[1]);
        check_lazy(all[0], all[1]);
        await_descriptors(&chat, before + 1);
        send_signal(&chat, SIGTERM);
        check_all_hear(all, 2, "* the room is closing");
        check_all_hear(all, 2, "(its end)");
        belay_abort(all[0]);
        belay_abort(all[1]);
        end(&chat, 0, 0);
        CHECK_COMPLAINTS(&chat, "");
        CHECK(access(endpoint + strlen("unix:"), F_OK) < 0);
        return 0;
}

int main(void) {
        const char *directory = getenv("TMPDIR");

        if (directory == NULL)
                directory = "/tmp";
        snprintf(endpoint, sizeof(endpoint), "unix:%s/chat.%d", directory, (int) getpid());
        run_on_both(app);
        return 0;
}
