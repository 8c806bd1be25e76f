/* SPDX-License-Identifier: MIT */
/*
 * The pool: its threads, the line of jobs, and their waits.
 *
 * All that threads and the loop share is under the pool's mutex, the leaving of word included: so that a pool which
 * was closed under it leaves no word in a loop that is gone. The pool's memory lives until the last thread has left
 * it, and is the C library's own: the program's function for memory is never called in another thread.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "task/wait.h"
#include "thread/pool.h"

enum {
        FILE_THREADS = 4,               /* unless the loop's options say otherwise */
        FILE_STACK = 256 * 1024,
        ALONE_THREADS = 8,
        THREADS_MOST = 1024,
};

struct worker {
        struct bly_pool *pool;
        pthread_t thread;
        bool busy;
        bool left_alone;                /* busy when the pool was closed */
};

struct bly_pool {
        pthread_mutex_t mutex;
        pthread_cond_t work;
        struct belay_loop *loop;        /* NULL: closed */
        struct bly_job *first, **last;  /* in line */
        size_t in_line;
        unsigned idle, count, most;
        unsigned refs;                  /* the loop, and each thread */
        size_t stack_size;              /* of threads; 0: as the system has it */
        const char *name;               /* likewise */
        struct worker workers[];
};

struct bly_job_wait {
        struct bly_wait wait;
        struct bly_pool *pool;
        struct bly_job *job;
        belay_task *task;
        bool handed_in;
        bool over;
};

/* ---- making and freeing ---- */

static struct bly_pool *make(struct belay_loop *loop, unsigned most, size_t stack_size, const char *name) {
        struct bly_pool *pool = calloc(1, sizeof(*pool) + most * sizeof(pool->workers[0]));

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

/* With the mutex held, which it gives up. */
static void leave(struct bly_pool *pool) {
        bool last = --pool->refs == 0;

        pthread_mutex_unlock(&pool->mutex);
        if (!last)
                return;
        pthread_cond_destroy(&pool->work);
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
}

/* ---- the line ---- */

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

/* With the mutex held, as work() has it. */
static void do_one(struct bly_pool *pool, struct worker *worker) {
        struct bly_job *job = take_first(pool);

        job->state = BLY_JOB_BEGUN;
        worker->busy = true;
        pthread_mutex_unlock(&pool->mutex);
        job->run(job);
        pthread_mutex_lock(&pool->mutex);
        worker->busy = false;
        if (job->state == BLY_JOB_ALONE) {
                pthread_mutex_unlock(&pool->mutex);
                job->dispose(job);
                pthread_mutex_lock(&pool->mutex);
        } else if (pool->loop != NULL) {
                job->state = BLY_JOB_OVER;
                bly_leave_word(pool->loop, &job->word);
        }
}

static void *work(void *arg) {
        struct worker *worker = arg;
        struct bly_pool *pool = worker->pool;

        pthread_setname_np(pthread_self(), pool->name);
        pthread_mutex_lock(&pool->mutex);
        for (;;) {
                while (pool->first == NULL && pool->loop != NULL) {
                        pool->idle++;
                        pthread_cond_wait(&pool->work, &pool->mutex);
                        pool->idle--;
                }
                if (pool->loop == NULL)
                        break;
                do_one(pool, worker);
        }
        leave(pool);
        return NULL;
}

/* ---- starting threads ---- */

/* Signals are the program's; only those that a fault of the thread's own raises must find their handlers. */
static void block_signals(sigset_t *saved) {
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
        sigset_t all;

        sigfillset(&all);
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
                sigdelset(&all, faults[i]);
        pthread_sigmask(SIG_SETMASK, &all, saved);
}

static int start_thread(struct bly_pool *pool) {
        struct worker *worker = &pool->workers[pool->count];
        pthread_attr_t attributes;
        sigset_t saved;
        int rc;

        worker->pool = pool;
        if (pthread_attr_init(&attributes) != 0)
                return -ENOMEM;
        /* Too small for this system: then it has its own. */
        if (pool->stack_size != 0)
                (void) pthread_attr_setstacksize(&attributes, pool->stack_size);
        block_signals(&saved);
        rc = pthread_create(&worker->thread, &attributes, work, worker);
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
        pthread_attr_destroy(&attributes);
        return -rc;
}

/* Sees to it that a job which is about to be handed in finds a thread, now or later. */
static int make_room(struct bly_pool *pool) {
        bool wanted;
        int rc;

        pthread_mutex_lock(&pool->mutex);
        wanted = pool->in_line >= pool->idle && pool->count < pool->most;
        if (wanted)
                pool->refs++;
        pthread_mutex_unlock(&pool->mutex);
        if (!wanted)
                return 0;
        rc = start_thread(pool);
        if (rc == 0) {
                pool->count++;
                return 0;
        }
        pthread_mutex_lock(&pool->mutex);
        pool->refs--;
        pthread_mutex_unlock(&pool->mutex);
        /* Those that are there will do it, when they come to it. */
        if (pool->count > 0)
                return 0;
        return rc == -ENOMEM ? rc : -EAGAIN;
}

/* ---- waiting for a job ---- */

static void told(struct bly_word *word) {
        struct bly_job_wait *wait = container_of(word, struct bly_job, word)->wait;

        wait->pool->loop->expected--;
        wait->over = true;
        bly_wake(wait->task, 0);
}

static void hand_in(struct bly_pool *pool, struct bly_job_wait *wait) {
        wait->handed_in = true;
        pool->loop->expected++;
        pthread_mutex_lock(&pool->mutex);
        put_in_line(pool, wait->job);
        pthread_cond_signal(&pool->work);
        pthread_mutex_unlock(&pool->mutex);
}

/* What a request makes of a job: it is taken back, goes on alone, or goes on. With the mutex held. */
static enum bly_job_state take_back(struct bly_pool *pool, struct bly_job *job) {
        if (job->state == BLY_JOB_IN_LINE && !job->must) {
                take_out(pool, job);
        } else if (job->state == BLY_JOB_BEGUN && job->dispose != NULL) {
                job->state = BLY_JOB_ALONE;
        } else {
                atomic_store_explicit(&job->asked, true, memory_order_relaxed);
        }
        return job->state;
}

static enum bly_meet meet(belay_task *task, struct bly_wait *wait) {
        struct bly_job_wait *self = container_of(wait, struct bly_job_wait, wait);
        struct bly_pool *pool = self->pool;
        struct bly_job *job = self->job;
        enum bly_job_state state;

        (void) task;
        /* A request that is there as the wait begins meets it before the job is handed in. */
        if (!self->handed_in)
                return job->must ? BLY_CANNOT : BLY_UNHOOKED;
        pthread_mutex_lock(&pool->mutex);
        state = take_back(pool, job);
        pthread_mutex_unlock(&pool->mutex);
        if (state != BLY_JOB_NEW && state != BLY_JOB_ALONE)
                return BLY_CANNOT;
        if (state == BLY_JOB_NEW && job->dispose != NULL)
                job->dispose(job);
        pool->loop->expected--;
        return BLY_UNHOOKED;
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
        .meet = meet,
        .on = name_of_job,
        .outside = true,
        .hold = BLY_HOLD_FAST,
};

static struct bly_pool *pool_for(struct belay_loop *loop, const struct bly_job *job) {
        unsigned most = loop->threads_most != 0 ? loop->threads_most : FILE_THREADS;

        if (job->dispose != NULL) {
                if (loop->lookups == NULL)
                        loop->lookups = make(loop, ALONE_THREADS, 0, "belay-names");
                return loop->lookups;
        }
        if (loop->files == NULL)
                loop->files = make(loop, most < THREADS_MOST ? most : THREADS_MOST, FILE_STACK, "belay-files");
        return loop->files;
}

/* As bly_pool_do(), but whether the job was disposed of is told by the wait. */
static int do_in(struct bly_pool *pool, struct bly_job_wait *wait, const char *place) {
        belay_task *self = wait->task;
        int rc = make_room(pool);

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
        struct bly_job_wait wait = { .wait.class = &job_class, .job = job, .task = loop->current };
        int rc = -ENOMEM;

        wait.pool = pool_for(loop, job);
        job->state = BLY_JOB_NEW;
        job->wait = &wait;
        job->word.told = told;
        atomic_init(&job->asked, false);
        if (wait.pool != NULL)
                rc = do_in(wait.pool, &wait, place);
        if (rc < 0 && !wait.handed_in && job->dispose != NULL)
                job->dispose(job);
        return rc;
}

/* ---- the end ---- */

/* What is in line, or done just now, belongs to tasks that were given up, and nobody will look at it again. */
static void close_pool(struct bly_pool *pool) {
        pthread_mutex_lock(&pool->mutex);
        pool->loop = NULL;
        for (unsigned i = 0; i < pool->count; i++)
                pool->workers[i].left_alone = pool->workers[i].busy;
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->mutex);
        for (unsigned i = 0; i < pool->count; i++)
                if (pool->workers[i].left_alone)
                        pthread_detach(pool->workers[i].thread);
                else
                        pthread_join(pool->workers[i].thread, NULL);
        pthread_mutex_lock(&pool->mutex);
        leave(pool);
}

void bly_pools_close(struct belay_loop *loop) {
        if (loop->files != NULL)
                close_pool(loop->files);
        if (loop->lookups != NULL)
                close_pool(loop->lookups);
        loop->files = loop->lookups = NULL;
}
