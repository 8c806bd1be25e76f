/* SPDX-License-Identifier: MIT */
/*
 * The pools: their threads, their queues of jobs, and the waits for jobs.
 *
 * The pool's mutex protects all that its threads and the loop share. Threads hold it even while
 * they post, so a pool that was closed never posts to a loop that is gone. The pool's memory lives
 * until the last thread has left the pool. It comes from the C library, since the program's memory
 * function is never called in another thread.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "scope/scope.h"
#include "thread/pool.h"

enum {
        FILE_THREADS = 4, /* unless the loop's options set another number */
        FILE_STACK = 256 * 1024,
        LOOKUP_THREADS = 8,
        THREADS_MOST = 1024,
        SPARE_THREADS = 2, /* idle threads that a pool without a bound keeps */
};

/* A thread that two successive checks find at the same job is overdue. */
#define LOOK_EVERY BELAY_SECOND

struct worker {
        struct bly_pool *pool;
        struct worker *next;
        pthread_t thread;
        struct bly_job *job; /* current job; NULL if idle */
        bool looked_at;      /* a check has found it at this job */
        bool apart;          /* not counted, since its job goes on alone or is overdue */
        bool left_alone;     /* not joined, since it is busy or ends early */
};

struct bly_pool {
        pthread_mutex_t mutex;
        pthread_cond_t work;
        struct belay_loop *loop;       /* NULL if the pool is closed */
        struct bly_job *first, **last; /* queue of jobs */
        size_t in_line;
        struct worker *workers;
        /* `count` excludes threads that are apart; `most` is 0 if there is no bound */
        unsigned idle, count, most;
        unsigned threads;  /* all threads, including those apart */
        unsigned refs;     /* of the loop and of each thread */
        size_t stack_size; /* of the threads; 0 for the system's default */
        const char *name;  /* of the threads */
        belay_ticket look; /* the loop's next check for overdue threads, or 0 */
};

struct bly_job_wait {
        struct bly_wait wait;
        struct bly_pool *pool;
        struct bly_job *job;
        belay_task *task;
        bool endless; /* copy of job->endless, since the job may be gone */
        bool handed_in;
        bool over;
};

/* ---- making and freeing ---- */

static struct bly_pool *make(struct belay_loop *loop, unsigned most, size_t stack_size,
                             const char *name) {
        struct bly_pool *pool = calloc(1, sizeof(*pool));

        if (pool == NULL)
                return NULL;
        pthread_mutex_init(&pool->mutex, NULL);
        pthread_cond_init(&pool->work, NULL);
        pool->loop = loop;
        pool->last = &pool->first;
        pool->most = most;
        pool->refs = 1;
        pool->stack_size = stack_size;
        pool->name = name;
        return pool;
}

/* Releases a reference to the pool. Called with the mutex held, and releases it. */
static void leave(struct bly_pool *pool) {
        bool last = --pool->refs == 0;

        pthread_mutex_unlock(&pool->mutex);
        if (!last)
                return;
        pthread_cond_destroy(&pool->work);
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
}

/* ---- the queue of jobs ---- */

static void put_in_line(struct bly_pool *pool, struct bly_job *job) {
        job->state = BLY_JOB_IN_LINE;
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->in_line++;
}

static struct bly_job *take_first(struct bly_pool *pool) {
        struct bly_job *job = pool->first;

        pool->first = job->next;
        if (pool->first == NULL)
                pool->last = &pool->first;
        pool->in_line--;
        return job;
}

static void take_out(struct bly_pool *pool, struct bly_job *job) {
        struct bly_job **at = &pool->first;

        while (*at != job)
                at = &(*at)->next;
        *at = job->next;
        if (*at == NULL)
                pool->last = at;
        pool->in_line--;
        job->state = BLY_JOB_NEW;
}

/* ---- in a thread ---- */

/* Returns whether the thread must dispose of the job, since no task waits for it or will use it. */
static bool is_left(const struct bly_pool *pool, const struct bly_job *job) {
        return job->state == BLY_JOB_ALONE || (pool->loop == NULL && job->dispose != NULL);
}

/*
 * Posts the end of a job to its loop. Returns true if the loop, which is being closed, takes no
 * post any more and the job must be disposed of.
 */
static bool report_end(struct bly_pool *pool, struct bly_job *job) {
        if (pool->loop == NULL)
                return false;
        job->state = BLY_JOB_OVER;
        return !bly_post(pool->loop->inbox, &job->posted) && job->dispose != NULL;
}

/* Runs the first job. Called with the mutex held, and returns with it held. */
static void do_one(struct bly_pool *pool, struct worker *worker) {
        struct bly_job *job = take_first(pool);

        job->state = BLY_JOB_BEGUN;
        worker->job = job;
        worker->looked_at = false;
        pthread_mutex_unlock(&pool->mutex);
        job->run(job);
        pthread_mutex_lock(&pool->mutex);
        worker->job = NULL;
        if (!is_left(pool, job) && !report_end(pool, job))
                return;
        pthread_mutex_unlock(&pool->mutex);
        job->dispose(job);
        pthread_mutex_lock(&pool->mutex);
}

/*
 * A thread that is apart counts again if the pool has a place for it. Returns false if it has none,
 * and the thread must end.
 */
static bool has_its_place(struct bly_pool *pool, struct worker *worker) {
        if (worker->apart && (pool->most == 0 || pool->count < pool->most)) {
                worker->apart = false;
                pool->count++;
        }
        return !worker->apart;
}

/* Returns whether an idle thread may stay in the pool. */
static bool may_rest(const struct bly_pool *pool) {
        return pool->most > 0 || pool->idle < SPARE_THREADS;
}

/* Removes the calling thread from the pool before it ends. */
static void take_leave(struct bly_pool *pool, struct worker *worker) {
        struct worker **at = &pool->workers;

        while (*at != worker)
                at = &(*at)->next;
        *at = worker->next;
        pool->threads--;
        if (!worker->apart)
                pool->count--;
        pthread_detach(worker->thread);
        worker->left_alone = true;
}

static void serve(struct bly_pool *pool, struct worker *worker) {
        for (;;) {
                while (pool->first == NULL && pool->loop != NULL) {
                        if (!may_rest(pool)) {
                                take_leave(pool, worker);
                                return;
                        }
                        pool->idle++;
                        pthread_cond_wait(&pool->work, &pool->mutex);
                        pool->idle--;
                }
                if (pool->loop == NULL)
                        return;
                do_one(pool, worker);
                if (pool->loop != NULL && !has_its_place(pool, worker)) {
                        take_leave(pool, worker);
                        return;
                }
        }
}

static void *work(void *arg) {
        struct worker *worker = arg;
        struct bly_pool *pool = worker->pool;

        pthread_setname_np(pthread_self(), pool->name);
        pthread_mutex_lock(&pool->mutex);
        serve(pool, worker);
        if (worker->left_alone)
                free(worker);
        leave(pool);
        return NULL;
}

/* ---- starting threads ---- */

/*
 * Signals are for the program's own threads. A signal that a fault of this thread raises must still
 * reach its handler.
 */
static void block_signals(sigset_t *saved) {
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
        sigset_t all;

        sigfillset(&all);
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
                sigdelset(&all, faults[i]);
        pthread_sigmask(SIG_SETMASK, &all, saved);
}

/*
 * Called with the mutex held. The new thread waits for it, so it does not begin before it is in the
 * list, and does not end before `worker->thread` is set.
 */
static int start_thread(struct bly_pool *pool) {
        struct worker *worker = calloc(1, sizeof(*worker));
        pthread_attr_t attributes;
        sigset_t saved;
        int rc;

        if (worker == NULL)
                return -ENOMEM;
        worker->pool = pool;
        if (pthread_attr_init(&attributes) != 0) {
                free(worker);
                return -ENOMEM;
        }
        /* If the size is too small for this system, the thread gets the default size. */
        if (pool->stack_size != 0)
                (void) pthread_attr_setstacksize(&attributes, pool->stack_size);
        block_signals(&saved);
        rc = pthread_create(&worker->thread, &attributes, work, worker);
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
        pthread_attr_destroy(&attributes);
        if (rc != 0) {
                free(worker);
                return -rc;
        }
        worker->next = pool->workers;
        pool->workers = worker;
        pool->refs++;
        pool->threads++;
        pool->count++;
        return 0;
}

static bool has_place(const struct bly_pool *pool) {
        return pool->threads < THREADS_MOST && (pool->most == 0 || pool->count < pool->most);
}

/*
 * Ensures that a job which is about to be queued finds a thread, at once or later. Returns 0,
 * -EAGAIN or -ENOMEM.
 */
static int make_room(struct bly_pool *pool) {
        unsigned threads;
        int rc = 0;

        pthread_mutex_lock(&pool->mutex);
        if (pool->in_line >= pool->idle)
                rc = has_place(pool) ? start_thread(pool) : pool->most == 0 ? -EAGAIN : 0;
        threads = pool->threads;
        pthread_mutex_unlock(&pool->mutex);
        /*
         * If no thread could be started, the threads of a bounded pool take the job when they are
         * free. Those of a pool without a bound may never be free.
         */
        if (rc == 0 || (threads > 0 && pool->most > 0))
                return 0;
        return rc == -ENOMEM ? rc : -EAGAIN;
}

/*
 * Starts threads for queued jobs that no idle thread will take, since places have become free.
 * Called with the mutex held.
 */
static void fill_places(struct bly_pool *pool) {
        size_t without = pool->in_line > pool->idle ? pool->in_line - pool->idle : 0;

        for (; without > 0 && has_place(pool) && start_thread(pool) == 0; without--)
                ;
}

/* ---- overdue threads ---- */

static void look(void *arg);

/*
 * Schedules the next check if queued jobs wait for threads. A check reads no clock, since a thread
 * at the same job in the next check is overdue. Called with the mutex held.
 */
static void look_later(struct bly_pool *pool) {
        struct belay_loop *loop = pool->loop;

        if (pool->look == 0 && pool->most > 0 && pool->in_line > pool->idle && !loop->is_virtual)
                pool->look = bly_callback_at(loop, bly_add_time(bly_now(loop), LOOK_EVERY), look,
                                             pool);
}

static void set_apart(struct bly_pool *pool, struct worker *worker) {
        if (!worker->apart)
                pool->count--;
        worker->apart = true;
}

static void look(void *arg) {
        struct bly_pool *pool = arg;

        pthread_mutex_lock(&pool->mutex);
        pool->look = 0;
        for (struct worker *worker = pool->workers; worker != NULL; worker = worker->next) {
                if (worker->job != NULL && worker->looked_at)
                        set_apart(pool, worker);
                worker->looked_at = worker->job != NULL;
        }
        fill_places(pool);
        look_later(pool);
        pthread_mutex_unlock(&pool->mutex);
}

/* ---- waiting for a job ---- */

static void expect_no_more(const struct bly_job_wait *wait) {
        struct belay_loop *loop = wait->pool->loop;

        loop->expected--;
        loop->endless -= wait->endless;
}

static void received(struct bly_posted *posted) {
        struct bly_job_wait *wait = container_of(posted, struct bly_job, posted)->wait;

        expect_no_more(wait);
        wait->over = true;
        bly_wake(wait->task, 0);
}

static void hand_in(struct bly_pool *pool, struct bly_job_wait *wait) {
        wait->handed_in = true;
        pool->loop->expected++;
        pool->loop->endless += wait->endless;
        pthread_mutex_lock(&pool->mutex);
        put_in_line(pool, wait->job);
        look_later(pool);
        pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->mutex);
}

static void leave_alone(struct bly_pool *pool, struct bly_job *job) {
        struct worker *worker = pool->workers;

        job->state = BLY_JOB_ALONE;
        while (worker->job != job)
                worker = worker->next;
        set_apart(pool, worker);
        fill_places(pool);
}

/*
 * Applies a cancellation request to a job. A queued job is withdrawn, and a job with `dispose` that
 * has begun goes on alone. Any other job goes on, and may end early. Returns the job's state.
 * Called with the mutex held.
 */
static enum bly_job_state take_back(struct bly_pool *pool, struct bly_job *job) {
        if (job->state == BLY_JOB_IN_LINE && !job->must) {
                take_out(pool, job);
        } else if (job->state == BLY_JOB_BEGUN && job->dispose != NULL) {
                leave_alone(pool, job);
        } else {
                atomic_store_explicit(&job->asked, true, memory_order_relaxed);
        }
        return job->state;
}

static enum bly_answer meet(belay_task *task, struct bly_wait *wait) {
        struct bly_job_wait *self = container_of(wait, struct bly_job_wait, wait);
        struct bly_pool *pool = self->pool;
        struct bly_job *job = self->job;
        enum bly_job_state state;

        (void) task;
        /* A request that was pending when the wait began arrives before the job is queued. */
        if (!self->handed_in)
                return job->must ? BLY_REFUSED : BLY_DETACHED;
        pthread_mutex_lock(&pool->mutex);
        state = take_back(pool, job);
        pthread_mutex_unlock(&pool->mutex);
        if (state != BLY_JOB_NEW && state != BLY_JOB_ALONE)
                return BLY_REFUSED;
        expect_no_more(self);
        if (state == BLY_JOB_NEW && job->dispose != NULL)
                job->dispose(job);
        return BLY_DETACHED;
}

static const char *name_of_job(const struct bly_wait *wait) {
        static __thread char text[256];
        const struct bly_job *job = container_of(wait, struct bly_job_wait, wait)->job;

        if (job->path != NULL)
                snprintf(text, sizeof(text), "%s, %s", job->what, job->path);
        else
                snprintf(text, sizeof(text), "%s, fd %d", job->what, job->fd);
        return text;
}

static const struct bly_wait_class job_class = {
        .what = "thread",
        .on_request = meet,
        .on = name_of_job,
        .outside = true,
        .breaks = BLY_BREAK_NEVER,
};

static struct bly_pool *pool_for(struct belay_loop *loop, const struct bly_job *job) {
        unsigned most = loop->threads_most != 0 ? loop->threads_most : FILE_THREADS;

        if (job->endless) {
                if (loop->endless_jobs == NULL)
                        loop->endless_jobs = make(loop, 0, FILE_STACK, "belay-endless");
                return loop->endless_jobs;
        }
        if (job->dispose != NULL) {
                if (loop->lookups == NULL)
                        loop->lookups = make(loop, LOOKUP_THREADS, 0, "belay-names");
                return loop->lookups;
        }
        if (loop->files == NULL)
                loop->files = make(loop, most < THREADS_MOST ? most : THREADS_MOST, FILE_STACK,
                                   "belay-files");
        return loop->files;
}

/* Does the same as bly_pool_do(), except that the caller disposes of a job that was not queued. */
static int do_in(struct bly_pool *pool, struct bly_job_wait *wait, const char *place) {
        belay_task *self = wait->task;
        int rc = wait->job->must ? 0 : bly_reach_limit(self, place);

        if (rc == 0)
                rc = make_room(pool);
        if (rc < 0)
                return rc;
        bly_begin_wait(self, &wait->wait, place);
        if (likely(self->wait == &wait->wait))
                hand_in(pool, wait);
        bly_leave(self->loop, self);
        if (!wait->over)
                return bly_settle(self);
        bly_postpone(self);
        return 0;
}

int bly_pool_do(struct belay_loop *loop, struct bly_job *job, const char *place) {
        struct bly_job_wait wait = {
                .wait.class = &job_class,
                .job = job,
                .task = loop->current,
                .endless = job->endless,
        };
        int rc = -ENOMEM;

        wait.pool = pool_for(loop, job);
        job->state = BLY_JOB_NEW;
        job->wait = &wait;
        job->posted.received = received;
        atomic_init(&job->asked, false);
        if (wait.pool != NULL)
                rc = do_in(wait.pool, &wait, place);
        if (rc < 0 && !wait.handed_in && job->dispose != NULL)
                job->dispose(job);
        return rc;
}

/* ---- closing ---- */

/*
 * Removes all queued jobs. They belong to abandoned tasks, which will never use them. Called with
 * the mutex held.
 */
static void drop_line(struct bly_pool *pool) {
        while (pool->first != NULL) {
                struct bly_job *job = take_first(pool);

                if (job->dispose != NULL)
                        job->dispose(job);
        }
}

/*
 * Detaches the busy threads, which are not waited for, and returns the idle threads. Called with
 * the mutex held.
 */
static struct worker *part(struct bly_pool *pool) {
        struct worker *worker, *next, *idle = NULL;

        for (worker = pool->workers; worker != NULL; worker = next) {
                next = worker->next;
                if (worker->job != NULL) {
                        worker->left_alone = true;
                        pthread_detach(worker->thread);
                } else {
                        worker->next = idle;
                        idle = worker;
                }
        }
        pool->workers = NULL;
        return idle;
}

static void close_pool(struct bly_pool *pool) {
        struct worker *idle, *next;

        pthread_mutex_lock(&pool->mutex);
        if (pool->look != 0)
                bly_callback_cancel(pool->loop, pool->look);
        pool->loop = NULL;
        drop_line(pool);
        idle = part(pool);
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->mutex);
        for (; idle != NULL; idle = next) {
                next = idle->next;
                pthread_join(idle->thread, NULL);
                free(idle);
        }
        pthread_mutex_lock(&pool->mutex);
        leave(pool);
}

void bly_pools_close(struct belay_loop *loop) {
        struct bly_pool **const pools[] = { &loop->files, &loop->lookups, &loop->endless_jobs };

        for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
                if (*pools[i] != NULL)
                        close_pool(*pools[i]);
                *pools[i] = NULL;
        }
}
