/* SPDX-License-Identifier: MIT */
/*
 * Tests the server of the README with each wait of the server and its clients cancelled.
 */
#define main example_main
#include "../../examples/front/greet.c"
#undef main

#include "examples/inside.h"

static int talk(void *arg) {
        belay_stream *stream;
        int rc = connect_soon(&stream, endpoint);

        (void) arg;
        if (rc == 0)
                rc = say(stream, "hello\n");
        if (rc == 0)
                rc = hear(stream, "you said: hello\n");
        if (rc == 0)
                return belay_close(stream, BELAY_SECOND);
        belay_abort(stream);
        return rc;
}

static void tests(void) {
        struct scene scene = { .app = app, .arg = endpoint, .clients = { talk, talk } };

        play_everywhere(&scene, -ECANCELED);
}

int main(void) {
        on_both(tests);
        return 0;
}
