/* SPDX-License-Identifier: MIT */
/*
 * Several copies wait for data, and then none of them can write the data that it has read. Each
 * needs a buffer, while the loop keeps only one in reserve. If there is no memory for another
 * buffer, the copy returns -ENOMEM, and no byte is lost.
 */
#include "stream/streams.h"

enum { COPIES = 5, SIZE = 40000 };

struct one {
        belay_stream *in, *from, *to, *out;
        belay_task *task;
        uint64_t filled; /* bytes in the target before the copy began */
};

static int copy(void *arg) {
        struct one *one = arg;
        int64_t copied;
        int rc;

        while ((rc = belay_copy(one->to, one->from, -1, &copied)) == -ENOMEM)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(rc, 0);
        return belay_half_close(one->to);
}

/* Writes until there is no more room. */
static void fill_up(struct one *one) {
        char piece[4096];
        belay_timeout limit;
        ssize_t rc = 1;

        while (rc > 0) {
                fill(piece, sizeof(piece), one->filled);
                belay_timeout_enter(&limit, 0);
                rc = belay_write_some(one->to, piece, sizeof(piece));
                rc = belay_timeout_leave(&limit, (int) rc);
                if (rc > 0)
                        one->filled += (uint64_t) rc;
        }
        CHECK_EQ(rc, -ETIMEDOUT);
}

static void check_content(struct one *one) {
        static char data[SIZE];

        for (uint64_t at = 0; at < one->filled; at++) {
                CHECK_EQ(belay_read_exactly(one->out, data, 1), 1);
                CHECK(is_filled(data, 1, at));
        }
        CHECK_EQ(belay_read_exactly(one->out, data, SIZE), SIZE);
        CHECK(is_filled(data, SIZE, 0));
        CHECK_EQ(belay_read(one->out, data, 1), 0);
}

static int app(void *arg) {
        static char data[SIZE];
        struct one copies[COPIES];

        (void) arg;
        fill(data, SIZE, 0);
        for (int i = 0; i < COPIES; i++) {
                copies[i].filled = 0;
                CHECK_EQ(belay_stream_pair(&copies[i].in, &copies[i].from), 0);
                CHECK_EQ(belay_stream_pair(&copies[i].to, &copies[i].out), 0);
                fill_up(&copies[i]);
                copies[i].task = must(belay_spawn(copy, &copies[i]));
        }
        let_run();
        refused_from = SIZE;
        for (int i = 0; i < COPIES; i++)
                CHECK_EQ(belay_write(copies[i].in, data, SIZE), SIZE);
        CHECK_EQ(belay_sleep(5 * BELAY_MILLISECOND), 0);
        refused_from = 0;
        for (int i = 0; i < COPIES; i++) {
                CHECK_EQ(belay_half_close(copies[i].in), 0);
                check_content(&copies[i]);
                join_task(copies[i].task, 0);
                belay_abort(copies[i].in);
                belay_abort(copies[i].from);
                belay_abort(copies[i].to);
                belay_abort(copies[i].out);
        }
        return 0;
}

int main(void) {
        belay_set_memory(scarce_memory, NULL);
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
