/* SPDX-License-Identifier: MIT */
/*
 * A bounded pool of workers that is fed through a queue.
 */
#include <belay.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

struct pool {
        belay_queue *jobs; /* each allocated by malloc() */
        belay_fn *process;
};

static int worker(void *arg) {
        const struct pool *pool = arg;
        void *job;
        int rc;

        while ((rc = belay_queue_get(pool->jobs, &job)) == 0) {
                rc = pool->process(job);
                free(job);
                belay_queue_task_done(pool->jobs);
                if (rc < 0)
                        return rc;
        }
        return rc == -ESHUTDOWN ? 0 : rc;
}

/* feed(queue) puts jobs in, and waits where the queue is full. */
static int run_pool(size_t workers, size_t queued, belay_fn *process, belay_fn *feed) {
        struct pool pool = { belay_queue_new_with(BELAY_OPTIONS(belay_queue_options,
                                                                .capacity = queued, .destroy = free,
                                                                .name = "jobs")),
                             process };
        belay_group group;
        int rc = pool.jobs != NULL ? belay_group_enter(&group) : -ENOMEM;

        if (rc == 0) {
                for (size_t i = 0; i < workers && rc == 0; i++)
                        rc = belay_group_spawn(&group, worker, &pool);
                if (rc == 0)
                        rc = feed(pool.jobs);
                /* No more will come. The workers end when the queue is empty. */
                belay_queue_shutdown(pool.jobs, rc < 0);
                rc = belay_group_leave(&group, rc);
        }
        belay_queue_free(pool.jobs);
        return rc;
}

/* ---- the check ---- */

static unsigned done, most, busy;

static int process(void *job) {
        int rc;

        busy++;
        most = busy > most ? busy : most;
        rc = belay_sleep(*(int *) job * BELAY_MILLISECOND);
        busy--;
        done += rc == 0;
        return rc;
}

static int jobs_to_feed;

static int feed(void *arg) {
        for (int i = 0; i < jobs_to_feed; i++) {
                int *job = malloc(sizeof(*job)), rc;

                check(job != NULL);
                *job = 1;
                rc = belay_queue_put(arg, job);
                if (rc < 0) {
                        free(job);
                        return rc;
                }
        }
        /* All that was fed is done when this returns. */
        return belay_queue_join(arg);
}

static int pool(void *arg) {
        (void) arg;
        return run_pool(4, 8, process, feed);
}

static int app(void *arg) {
        (void) arg;
        jobs_to_feed = 100;
        check(pool(NULL) == 0);
        check(done == 100 && most == 4);
        check(belay_now() == 25 * BELAY_MILLISECOND);
        /* The timeout cancels the pool midway, and the queue frees the jobs that are left. */
        check(belay_wait_for(pool, NULL, 10 * BELAY_MILLISECOND) == -ETIMEDOUT);
        check(busy == 0 && done < 200);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
