/* SPDX-License-Identifier: MIT */
/*
 * Older kernels. The back end works on kernels that know fewer options of the ring. It refuses
 * kernels that lack a feature or an operation that it needs. The test compiles the back end a
 * second time, with wrappers that imitate an old kernel.
 */
#define _GNU_SOURCE
#include "ring.h"

#ifdef BLY_HAVE_URING

/* options and features that the imitated kernel knows */
static unsigned options, features;
static int lacks = -1; /* operation that it lacks, or -1 */

static int old_init(unsigned entries, struct io_uring *ring, struct io_uring_params *params) {
        int rc;

        if ((params->flags & ~options) != 0)
                return -EINVAL;
        rc = io_uring_queue_init_params(entries, ring, params);
        params->features &= features;
        return rc;
}

static int old_probe(struct io_uring *ring, struct io_uring_probe *probe, unsigned count) {
        int rc = io_uring_register_probe(ring, probe, count);

        if (lacks >= 0)
                probe->ops[lacks].flags = 0;
        return rc;
}

#define io_uring_queue_init_params old_init
#define io_uring_register_probe    old_probe
#define bly_uring_backend          old_backend
#define bly_uring_reserve          old_reserve
#define bly_uring_hand_in          old_hand_in
#define bly_uring_take             old_take
#define bly_uring_happened         old_happened
#define bly_uring_begin            old_begin
#define bly_uring_stop             old_stop
#define bly_uring_stop_late        old_stop_late
#define bly_uring_stopped          old_stopped
#define bly_uring_stop_all         old_stop_all
#define bly_uring_completed        old_completed
#define bly_uring_needs            old_needs
#define bly_uring_embed_open       old_embed_open
#define bly_uring_embed_arm        old_embed_arm
#define bly_uring_embed_disarm     old_embed_disarm
#define bly_uring_embed_wait       old_embed_wait
#define bly_uring_embed_signal     old_embed_signal

extern const struct bly_backend old_backend;
int old_reserve(struct bly_uring *ring, unsigned entries);
void old_hand_in(struct bly_uring *ring);
void old_take(struct bly_uring *ring, struct bly_io *io);
void old_happened(struct bly_io *io, uint64_t user_data, int result);
int old_begin(struct bly_io *io, struct bly_op *op);
void old_stop(struct bly_io *io, struct bly_op *op);
void old_stop_late(struct bly_uring *ring);
void old_stopped(struct bly_uring *ring, uint64_t user_data, int result);
void old_stop_all(struct bly_uring *ring);
void old_completed(struct bly_uring *ring, struct bly_io *io, uint64_t user_data, int result);
extern const uint8_t old_needs[BLY_OP_KINDS];
int old_embed_open(struct bly_io *io);
int old_embed_arm(struct bly_uring *ring, struct bly_fd *fd, unsigned events, bool same);
void old_embed_disarm(struct bly_uring *ring, struct bly_fd *fd);
void old_embed_wait(struct bly_io *io, belay_time span);
void old_embed_signal(struct bly_uring *ring);

#include "io/uring.c"
#include "io/uring_embed.c"
#include "io/uring_op.c"

#define EPOLL BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_EPOLL)

/* ---- operations ---- */

static int fds[2];

static int receives(void *arg) {
        char byte;

        (void) arg;
        return (int) receive(fds[0], &byte, 1);
}

static int waits(void *arg) {
        (void) arg;
        return belay_wait_fd(fds[0], BELAY_READABLE);
}

static void tries(void) {
        int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        belay_task *tasks[600];
        char byte = 1;
        struct bly_op op = { .kind = BLY_OP_READ, .fd = zero, .address = &byte, .length = 1 };

        for (int i = 0; i < 600; i++)
                tasks[i] = must(belay_spawn(i % 2 == 0 ? receives : waits, NULL));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        for (int i = 1; i < 600; i++)
                CHECK(belay_cancel(tasks[i], NULL));
        for (int i = 1; i < 600; i++)
                CHECK_EQ(end_of(tasks[i]), -ECANCELED);
        say(fds[1], "x");
        CHECK_EQ(end_of(tasks[0]), 1);
        tasks[0] = must(belay_spawn(waits, NULL));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        say(fds[1], "x");
        CHECK_EQ(end_of(tasks[0]), BELAY_READABLE);
        CHECK_EQ(receive(fds[0], &byte, 1), 1);
        for (int i = 0; i < 600; i++)
                CHECK_EQ(perform(op), 1);
        CHECK_EQ(byte, 0);
        CHECK_EQ(close(zero), 0);
}

static void bell(void) {
        uint64_t one = 1;

        for (int i = 0; i < 3; i++) {
                atomic_store(&bly_loop->inbox->attention, 0);
                CHECK_EQ(write(bly_loop->inbox->wake_fd, &one, sizeof(one)), sizeof(one));
                the_io()->backend->wait(the_io(), BELAY_NEVER);
                CHECK(bly_needs_attention(bly_loop));
                bly_attend(bly_loop);
        }
}

static int runs(void *arg) {
        struct bly_io *io = the_io();
        void *epoll = io->state;

        (void) arg;
        make_pair(fds);
        /* Replaces the back end of the loop. */
        CHECK_EQ(old_backend.open(io), 0);
        io->backend = &old_backend;
        CHECK_EQ(((struct bly_uring *) io->state)->queues.flags & ~options, 0);
        tries();
        bell();
        CHECK(io->backend->descriptor(io) >= 0);
        tries();
        bell();
        CHECK_EQ(((struct bly_uring *) io->state)->going_on, 0);
        io->backend->close(io);
        io->backend = &bly_epoll_backend;
        io->state = epoll;
        close_pair(fds);
        return 0;
}

static int is_refused(void *arg) {
        struct bly_io *io = the_io();
        void *epoll = io->state;
        int before = count_open();

        CHECK_EQ(old_backend.open(io), *(int *) arg);
        CHECK_EQ(count_open(), before);
        io->state = epoll;
        return 0;
}

static void refused(int error) {
        CHECK_EQ(belay_run_with(is_refused, &error, EPOLL), 0);
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

int main(void) {
        static const unsigned known[] = {
                IORING_SETUP_SUBMIT_ALL,
                IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
                IORING_SETUP_SINGLE_ISSUER,
                IORING_SETUP_DEFER_TASKRUN,
        };
        const unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL
                                | IORING_FEAT_EXT_ARG;

        run_with_ring(nothing);
        options = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        features = needed;
        for (size_t i = 0;; i++) {
                CHECK_EQ(belay_run_with(runs, NULL, EPOLL), 0);
                if (i == ARRAY_SIZE(known))
                        break;
                options |= known[i];
                features |= IORING_FEAT_CQE_SKIP;
        }
        features = needed & ~IORING_FEAT_EXT_ARG;
        refused(-ENOSYS);
        features = needed;
        lacks = IORING_OP_MKDIRAT;
        refused(-ENOSYS);
        lacks = -1;
        options = IORING_SETUP_CLAMP;
        refused(-EINVAL);
        return 0;
}

#endif
