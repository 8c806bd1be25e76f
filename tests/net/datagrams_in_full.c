/* SPDX-License-Identifier: MIT */
/*
 * Datagrams that wait for room in the peer's queue arrive unchanged, on each back end. None is
 * lost, truncated or emptied.
 */
#include "net/plain.h"

enum { COUNT = 200, SIZE_MOST = 3000 };

static size_t size_of(int number) {
        return 1 + (size_t) number * 7919 % SIZE_MOST;
}

static int send_all(void *arg) {
        char buffer[SIZE_MOST];

        for (int i = 0; i < COUNT; i++) {
                memset(buffer, i, size_of(i));
                CHECK_EQ(belay_send(arg, buffer, size_of(i), NULL), size_of(i));
        }
        return 0;
}

static int app(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *receiver = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *sender = opened(NULL, belay_datagrams_endpoint(receiver));
        belay_task *task = must(belay_spawn(send_all, sender));
        char buffer[SIZE_MOST + 1];

        for (int i = 0; i < COUNT; i++) {
                /* Waits until the sender has filled the queue. */
                if (i % 50 == 0)
                        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(belay_receive(receiver, buffer, sizeof(buffer), NULL), size_of(i));
                for (size_t at = 0; at < size_of(i); at++)
                        CHECK_EQ(buffer[at], (char) i);
        }
        end_of(task, 0);
        belay_datagrams_close(sender);
        belay_datagrams_close(receiver);
        return 0;
}

int main(void) {
        static const enum kind kinds[] = { UNIX_PATH, UNIX_ABSTRACT };

        for (size_t i = 0; i < 2; i++)
                for (int backend = BELAY_BACKEND_EPOLL; backend <= BELAY_BACKEND_IO_URING;
                     backend++)
                        CHECK_EQ(belay_run_with(
                                         app, (void *) &kinds[i],
                                         BELAY_OPTIONS(belay_loop_options, .backend = backend)),
                                 0);
        return 0;
}
