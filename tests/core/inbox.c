/* SPDX-License-Identifier: MIT */
/*
 * The inbox. Each item that a thread posts is received once, in that thread's order, by a loop that
 * waits and by a loop that is busy. An inbox outlives its loop for a thread that holds a reference.
 */
#include <pthread.h>

#include "core/loop.h"

#include "../base/help.h"

enum { THREADS = 4, WORDS = 2000 };

struct sender;

struct letter {
        struct bly_posted posted;
        struct sender *sender;
        unsigned number;
};

struct sender {
        pthread_t thread;
        struct belay_loop *loop;
        struct letter letters[WORDS];
        unsigned told;
        bool pauses;
};

static struct sender senders[THREADS];
static belay_event all_told;
static unsigned told_count;

static void received(struct bly_posted *posted) {
        struct letter *letter = (struct letter *) posted;

        CHECK(belay_loop_self() == letter->sender->loop);
        CHECK_EQ(letter->number, letter->sender->told);
        letter->sender->told++;
        letter->sender->loop->expected--;
        if (++told_count == THREADS * WORDS)
                belay_event_set(&all_told);
}

static void *leave_words(void *arg) {
        struct sender *sender = arg;

        for (unsigned i = 0; i < WORDS; i++) {
                sender->letters[i] = (struct letter) { .posted.received = received,
                                                       .sender = sender,
                                                       .number = i };
                CHECK(bly_post(sender->loop->inbox, &sender->letters[i].posted));
                /* The pauses make the inbox empty at some times and full at others. */
                if (sender->pauses && i % 16 == 0)
                        usleep(50);
        }
        return NULL;
}

static bool done;
static unsigned turns;

static int yields(void *arg) {
        (void) arg;
        while (!done) {
                turns++;
                CHECK_EQ(belay_yield(), 0);
        }
        return 0;
}

/* If `arg` is not NULL, two tasks keep the loop busy. */
static int receive(void *arg) {
        belay_task *busy[2] = { NULL, NULL };

        belay_event_clear(&all_told);
        told_count = 0;
        done = false;
        for (int i = 0; i < 2 && arg != NULL; i++)
                busy[i] = must(belay_spawn(yields, NULL));
        for (int i = 0; i < THREADS; i++) {
                senders[i].loop = belay_loop_self();
                senders[i].told = 0;
                senders[i].pauses = i % 2;
                senders[i].loop->expected += WORDS;
        }
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_create(&senders[i].thread, NULL, leave_words, &senders[i]), 0);
        CHECK_EQ(belay_event_wait(&all_told), 0);
        done = true;
        for (int i = 0; i < 2; i++) {
                if (busy[i] != NULL)
                        CHECK_EQ(belay_join(busy[i], NULL), 0);
                belay_release(busy[i]);
        }
        for (int i = 0; i < THREADS; i++) {
                CHECK_EQ(pthread_join(senders[i].thread, NULL), 0);
                CHECK_EQ(senders[i].told, WORDS);
        }
        CHECK_EQ(belay_loop_self()->expected, 0);
        return 0;
}

/* ---- an expected item keeps the loop waiting ---- */

static void *leave_one(void *arg) {
        usleep(20000);
        CHECK(bly_post(senders[0].loop->inbox, arg));
        return NULL;
}

static void told_one(struct bly_posted *posted) {
        (void) posted;
        belay_loop_self()->expected--;
        belay_event_set(&all_told);
}

static int sleeps(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        *(bool *) arg = true;
        return 0;
}

/*
 * While an item is expected, the loop reports no deadlock, and virtual time stands still. The task
 * that sleeps for 1 h must not wake.
 */
static int is_held(void *arg) {
        struct bly_posted posted = { .received = told_one };
        bool slept = false;
        belay_task *sleeper = arg != NULL ? must(belay_spawn(sleeps, &slept)) : NULL;
        pthread_t thread;

        belay_event_clear(&all_told);
        senders[0].loop = belay_loop_self();
        senders[0].loop->expected++;
        CHECK_EQ(pthread_create(&thread, NULL, leave_one, &posted), 0);
        CHECK_EQ(belay_event_wait(&all_told), 0);
        CHECK(!slept && belay_now() == 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        if (sleeper != NULL) {
                CHECK_EQ(belay_join(sleeper, NULL), 0);
                CHECK_EQ(belay_now(), BELAY_HOUR);
        }
        belay_release(sleeper);
        return 0;
}

/* ---- a loop that is closed while threads post ---- */

static struct bly_inbox *outlives;
static atomic_uint accepted;
static unsigned received_at_close;
static pthread_barrier_t closing;

static void count(struct bly_posted *posted) {
        free(posted);
        received_at_close++;
}

static void *posts_until_refused(void *arg) {
        struct bly_inbox *inbox = bly_inbox_ref(outlives);
        struct bly_posted *posted;

        (void) pthread_barrier_wait(&closing);
        for (;;) {
                posted = malloc(sizeof(*posted));
                CHECK(posted != NULL);
                posted->received = count;
                if (!bly_post(inbox, posted))
                        break;
                atomic_fetch_add(&accepted, 1);
        }
        /* The inbox refuses the item permanently, and the item still belongs to the poster. */
        CHECK(!bly_post(inbox, posted));
        free(posted);
        bly_inbox_unref(inbox);
        return arg;
}

static void test_close(void) {
        pthread_t threads[THREADS];
        belay_loop *loop = belay_loop_new(NULL);

        CHECK(loop != NULL);
        outlives = bly_inbox_ref(loop->inbox);
        CHECK_EQ(pthread_barrier_init(&closing, NULL, THREADS + 1), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_create(&threads[i], NULL, posts_until_refused, NULL), 0);
        (void) pthread_barrier_wait(&closing);
        CHECK_EQ(belay_loop_close(loop), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(received_at_close, atomic_load(&accepted));
        bly_inbox_unref(outlives);
        CHECK_EQ(pthread_barrier_destroy(&closing), 0);
}

int main(void) {
        int yes;

        CHECK_EQ(belay_run(receive, NULL), 0);
        CHECK_EQ(belay_run(receive, &yes), 0);
        CHECK_EQ(belay_run_with(receive, NULL, VIRTUAL), 0);
        CHECK_EQ(belay_run_with(receive, &yes, VIRTUAL), 0);
        keep_lines();
        CHECK_EQ(belay_run_with(is_held, NULL, VIRTUAL), 0);
        CHECK_EQ(belay_run_with(is_held, &yes, VIRTUAL), 0);
        CHECK_EQ(kept_count, 0);
        test_close();
        return 0;
}
