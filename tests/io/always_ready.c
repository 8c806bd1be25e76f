/* SPDX-License-Identifier: MIT */
/*
 * A task whose stream is always ready, and which therefore never has to wait, still receives its
 * cancellation request. Other tasks run and wait meanwhile, so the loop is not idle either.
 */
#include "back_ends.h"

#include <belay/net.h>
#include <belay/stream.h>

static belay_stream *ends[2];
static unsigned reads, writes;
static char bytes[64 * 1024];

static int reads_on(void *arg) {
        char buffer[512];
        ssize_t rc;

        (void) arg;
        while ((rc = belay_read(ends[0], buffer, sizeof(buffer))) > 0)
                reads++;
        return (int) rc;
}

static int writes_on(void *arg) {
        ssize_t rc;

        (void) arg;
        while ((rc = belay_write(ends[1], bytes, sizeof(bytes))) == (ssize_t) sizeof(bytes))
                writes++;
        return (int) rc;
}

/*
 * The reader is cancelled by a request. The close is ended by its limit: it shuts the stream down
 * gracefully while the peer goes on sending.
 */
static int is_met(void *arg) {
        belay_task *reader, *writer;
        unsigned before;
        int outcome;

        (void) arg;
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        writer = must(belay_spawn(writes_on, NULL));
        reader = must(belay_spawn(reads_on, NULL));
        for (reads = writes = 0; reads < 1000 || writes < 4;)
                CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(reader, NULL));
        before = reads;
        CHECK_EQ(belay_join(reader, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(reads - before <= 64);
        CHECK_EQ(belay_close(ends[0], BELAY_MILLISECOND), -ETIMEDOUT);
        CHECK_EQ(belay_join(writer, &outcome), 0);
        CHECK(outcome < 0 || outcome > 0);
        belay_abort(ends[1]);
        belay_release(reader);
        belay_release(writer);
        return 0;
}

static void run_it(void) {
        CHECK_EQ(belay_run(is_met, NULL), 0);
}

int main(void) {
        on_back_ends(run_it);
        return 0;
}
