/* SPDX-License-Identifier: MIT */
/*
 * Jobs that a test holds and lets go on.
 */
#ifndef BELAY_TESTS_JOBS_H
#define BELAY_TESTS_JOBS_H

#include <semaphore.h>

#include "core/wait.h"
#include "thread/pool.h"

#include "../base/help.h"
#include "threads.h"

/* A job that reports when it has begun, and ends when the test lets it. */
struct gate {
        struct bly_job job;
        sem_t begun, go;
        bool done, was_asked;
        int rc; /* result that the job's task received */
};

static inline void pass_gate(struct bly_job *job) {
        struct gate *gate = (struct gate *) job;

        sem_post(&gate->begun);
        while (sem_wait(&gate->go) != 0)
                ;
        gate->was_asked = bly_job_asked(job);
        gate->done = true;
}

static inline void gate_init(struct gate *gate) {
        memset(gate, 0, sizeof(*gate));
        sem_init(&gate->begun, 0, 0);
        sem_init(&gate->go, 0, 0);
        gate->job.run = pass_gate;
        gate->job.what = "gate";
        gate->job.fd = -1;
        gate->rc = 1;
}

/* Blocks the loop's thread, which only a test may do. */
static inline void gate_await(struct gate *gate) {
        while (sem_wait(&gate->begun) != 0)
                ;
}

static inline void gate_open(struct gate *gate) {
        sem_post(&gate->go);
}

static inline int goes_through(void *arg) {
        struct gate *gate = (struct gate *) arg;

        return gate->rc = bly_pool_do(belay_loop_self(), &gate->job, "here:1");
}

#endif
