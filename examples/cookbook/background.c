/* SPDX-License-Identifier: MIT */
/*
 * A background task that an object owns. It starts with the object, and has ended when the object
 * is stopped.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct cache {
        belay_task *refresher;
        unsigned refreshed;
        bool is_open;
};

static int refresh(void *arg) {
        struct cache *cache = arg;
        int rc;

        while ((rc = belay_sleep(BELAY_MINUTE)) == 0)
                cache->refreshed++;
        /* Cleanup may wait: here it takes a second to write back what was cached. */
        if (rc == -ECANCELED && belay_sleep(BELAY_SECOND) == 0)
                cache->is_open = false;
        return rc;
}

static int cache_start(struct cache *cache) {
        *cache = (struct cache) { .is_open = true };
        cache->refresher = belay_spawn_with(
                refresh, cache, BELAY_OPTIONS(belay_spawn_options, .name = "refresher"));
        return cache->refresher ? 0 : -errno;
}

/* When this returns, the task is gone, and the cache's memory may be freed. */
static int cache_stop(struct cache *cache) {
        int outcome = 0, rc;

        rc = belay_cancel_wait(cache->refresher, "cache stops", BELAY_NEVER, &outcome);
        belay_release(cache->refresher);
        cache->refresher = NULL;
        return rc < 0 ? rc : outcome == -ECANCELED ? 0 : outcome;
}

/* ---- the check ---- */

static bool was_stopped;

static int use(void *arg) {
        struct cache cache;
        int rc = cache_start(&cache);

        (void) arg;
        check(rc == 0);
        rc = belay_sleep(BELAY_HOUR);
        check(cache_stop(&cache) == 0);
        check(!cache.is_open && cache.refreshed > 0);
        was_stopped = true;
        return rc;
}

static void cancel(void *task) {
        belay_cancel(task, "once more");
}

static int app(void *arg) {
        belay_task *user = belay_spawn(use, NULL);
        int outcome;

        (void) arg;
        check(belay_sleep(150 * BELAY_SECOND) == 0);
        belay_cancel(user, "enough");
        /* A request in the midst of cache_stop() does not shorten it. */
        check(belay_later(BELAY_SECOND / 2, cancel, user) != 0);
        check(belay_join(user, &outcome) == 0 && outcome == -ECANCELED);
        check(was_stopped && belay_now() == 151 * BELAY_SECOND);
        belay_release(user);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
