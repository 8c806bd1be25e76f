/* SPDX-License-Identifier: MIT */
/*
 * Words that other threads leave: each is told once, in its thread's order, to a loop that waits and to one that is
 * busy.
 */
#include <pthread.h>

#include "thread/inbox.h"

#include "../base/help.h"

enum { THREADS = 4, WORDS = 2000 };

struct sender;

struct letter {
        struct bly_word word;
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

static void told(struct bly_word *word) {
        struct letter *letter = (struct letter *) word;

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
                sender->letters[i] = (struct letter) { .word.told = told, .sender = sender, .number = i };
                bly_leave_word(sender->loop, &sender->letters[i].word);
                /* So that the inbox is empty at times and full at others. */
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

/* With an argument, the loop is never idle. */
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

/* ---- what is expected holds the loop ---- */

static void *leave_one(void *arg) {
        usleep(20000);
        bly_leave_word(senders[0].loop, arg);
        return NULL;
}

static void told_one(struct bly_word *word) {
        (void) word;
        belay_loop_self()->expected--;
        belay_event_set(&all_told);
}

static int sleeps(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        *(bool *) arg = true;
        return 0;
}

/* No deadlock is reported meanwhile, and virtual time does not pass: the sleeper of an hour sleeps. */
static int is_held(void *arg) {
        struct bly_word word = { .told = told_one };
        bool slept = false;
        belay_task *sleeper = arg != NULL ? must(belay_spawn(sleeps, &slept)) : NULL;
        pthread_t thread;

        belay_event_clear(&all_told);
        senders[0].loop = belay_loop_self();
        senders[0].loop->expected++;
        CHECK_EQ(pthread_create(&thread, NULL, leave_one, &word), 0);
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
        return 0;
}
