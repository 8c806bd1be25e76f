/* SPDX-License-Identifier: MIT */
/*
 * Many transfers at once through libcurl's multi interface, each in a task of its own, and one that
 * is cancelled midway.
 *
 *     libcurl URL SLOW-URL             fetches URL five times at once, begins to fetch SLOW-URL
 *                                      and cancels that
 *
 * libcurl says for which sockets it waits and when it wants to be called again. For each socket a
 * task waits and reports the events to libcurl. A callback of the loop serves as its timer.
 *
 * To its caller a transfer is one call that returns when the transfer has ended, and that can be
 * cancelled.
 */
#include <belay.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the transfers of a thread ---- */

struct transfers {
        CURLM *multi;
        belay_ticket timer;
};

/* A socket for which libcurl waits, until libcurl removes it. */
struct watch {
        struct transfers *all;
        curl_socket_t fd;
        int events; /* BELAY_READABLE, BELAY_WRITABLE; 0: removed */
        /* whether the events changed since the wait began */
        bool changed;
};

/* Reports events to libcurl, and sets the futures of the transfers that ended with them. */
static void act(struct transfers *all, curl_socket_t fd, int what) {
        CURLMsg *message;
        int count;

        curl_multi_socket_action(all->multi, fd, what, &count);
        while ((message = curl_multi_info_read(all->multi, &count)) != NULL)
                if (message->msg == CURLMSG_DONE) {
                        CURLcode result = message->data.result;
                        belay_future *ended;

                        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
                        belay_future_set(ended, (int) result);
                }
}

static int wait_for_socket(void *arg) {
        struct watch *watch = arg;
        int rc = 0;

        while (watch->events != 0 && (rc >= 0 || (rc == -EBADF && watch->changed))) {
                watch->changed = false;
                rc = belay_wait_fd(watch->fd, watch->events);
                /* libcurl may have changed the events since, because of another socket. */
                if (rc > 0 && !watch->changed)
                        act(watch->all, watch->fd,
                            (rc & BELAY_READABLE ? CURL_CSELECT_IN : 0)
                                    | (rc & BELAY_WRITABLE ? CURL_CSELECT_OUT : 0));
        }
        return rc < 0 && watch->events != 0 ? rc : 0;
}

static struct watch *begin_to_watch(struct transfers *all, curl_socket_t fd) {
        struct watch *watch = calloc(1, sizeof(*watch));
        belay_task *task;

        if (watch == NULL)
                return NULL;
        watch->all = all;
        watch->fd = fd;
        /* All of libcurl runs on this stack, including TLS and libcurl's callbacks. */
        task = belay_spawn_with(wait_for_socket, watch,
                                BELAY_OPTIONS(belay_spawn_options, .name = "socket of libcurl",
                                              .stack_size = 256 * 1024, .destroy = free));
        if (task == NULL)
                free(watch);
        belay_release(task);
        return task != NULL ? watch : NULL;
}

/* libcurl calls this with the watch of the socket, or NULL if there is none. */
static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *arg, void *given) {
        struct transfers *all = arg;
        struct watch *watch = given;

        (void) easy;
        if (watch == NULL && what != CURL_POLL_REMOVE) {
                watch = begin_to_watch(all, fd);
                if (watch == NULL)
                        return -1;
                curl_multi_assign(all->multi, fd, watch);
        }
        if (watch == NULL)
                return 0;
        watch->events = what == CURL_POLL_IN      ? BELAY_READABLE
                        : what == CURL_POLL_OUT   ? BELAY_WRITABLE
                        : what == CURL_POLL_INOUT ? BELAY_READABLE | BELAY_WRITABLE
                                                  : 0;
        watch->changed = true;
        /*
         * The wait must end, because its events are outdated or libcurl is about to close the
         * socket.
         */
        belay_forget_fd(fd);
        if (what == CURL_POLL_REMOVE)
                curl_multi_assign(all->multi, fd, NULL);
        return 0;
}

static void time_is_up(void *arg) {
        struct transfers *all = arg;

        all->timer = 0;
        act(all, CURL_SOCKET_TIMEOUT, 0);
}

static int timer_changed(CURLM *multi, long milliseconds, void *arg) {
        struct transfers *all = arg;

        (void) multi;
        belay_timer_cancel(all->timer);
        all->timer = milliseconds < 0
                             ? 0
                             : belay_later(milliseconds * BELAY_MILLISECOND, time_is_up, all);
        return milliseconds < 0 || all->timer != 0 ? 0 : -1;
}

static int transfers_begin(struct transfers *all) {
        *all = (struct transfers) { .multi = curl_multi_init() };
        if (all->multi == NULL)
                return -ENOMEM;
        curl_multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
        curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
        curl_multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
        curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
        return 0;
}

/* Called when no transfer is left. The tasks of the sockets end with the sockets. */
static void transfers_end(struct transfers *all) {
        curl_multi_cleanup(all->multi);
        belay_timer_cancel(all->timer);
}

/*
 * Performs a transfer until it has ended. Returns 0, or -EIO with a text. -ECANCELED: the transfer
 * was cancelled midway. libcurl then closes its connection and no longer uses `easy`.
 */
static int transfer(struct transfers *all, CURL *easy) {
        belay_future *ended = belay_future_new();
        int result = 0, rc = ended != NULL ? 0 : -ENOMEM;

        if (rc == 0) {
                curl_easy_setopt(easy, CURLOPT_PRIVATE, ended);
                rc = curl_multi_add_handle(all->multi, easy) == CURLM_OK
                             ? belay_join(ended, &result)
                             : -ENOMEM;
                curl_multi_remove_handle(all->multi, easy);
        }
        belay_release(ended);
        if (rc == 0 && result != CURLE_OK)
                rc = belay_fail(-EIO, "%s", curl_easy_strerror((CURLcode) result));
        return rc;
}

/* ---- the program ---- */

struct fetch {
        struct transfers *all;
        const char *url;
        size_t received;
        /* set when data has arrived, or when the transfer has ended */
        belay_event some;
};

static size_t receive(char *data, size_t size, size_t count, void *arg) {
        struct fetch *fetch = arg;

        (void) data;
        fetch->received += size * count;
        belay_event_set(&fetch->some);
        return size * count;
}

static int fetch(void *arg) {
        struct fetch *fetch = arg;
        CURL *easy = curl_easy_init();
        int rc;

        if (easy == NULL)
                return -ENOMEM;
        curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
        curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
        rc = transfer(fetch->all, easy);
        curl_easy_cleanup(easy);
        belay_event_set(&fetch->some);
        return rc;
}

static int fetch_at_once(struct transfers *all, const char *url) {
        enum { COUNT = 5 };
        struct fetch fetches[COUNT];
        belay_group group;
        int rc = belay_group_enter(&group);

        for (int i = 0; i < COUNT && rc == 0; i++) {
                fetches[i] = (struct fetch) { .all = all, .url = url };
                rc = belay_group_spawn(&group, fetch, &fetches[i]);
        }
        /* If a transfer fails, the group cancels the others. */
        rc = belay_group_leave(&group, rc);
        for (int i = 0; i < COUNT && rc == 0; i++)
                printf("%s: %zu bytes\n", url, fetches[i].received);
        return rc;
}

static int give_up_midway(struct transfers *all, const char *url) {
        struct fetch slow = { .all = all, .url = url };
        belay_task *task = belay_spawn(fetch, &slow);
        int outcome, rc, waited;

        if (task == NULL)
                return -errno;
        waited = belay_event_wait(&slow.some);
        /* `slow` lies on this stack, so the task must have ended when this returns. */
        rc = belay_cancel_wait(task, "enough of it", BELAY_NEVER, &outcome);
        if (rc == 0)
                printf("%s: %s, after %zu bytes\n", url, strerror(-outcome), slow.received);
        belay_release(task);
        return rc < 0 ? rc : waited;
}

static int app(void *arg) {
        char **urls = arg;
        struct transfers all;
        int rc = transfers_begin(&all);

        if (rc < 0)
                return rc;
        rc = fetch_at_once(&all, urls[0]);
        if (rc == 0)
                rc = give_up_midway(&all, urls[1]);
        /* The cancelled transfer must not disturb the others. */
        if (rc == 0)
                rc = fetch_at_once(&all, urls[0]);
        if (rc < 0) {
                belay_failure *failure = belay_failure_take(rc);
                char text[512];

                belay_failure_format(failure, text, sizeof(text));
                fprintf(stderr, "libcurl: %s\n", text);
                belay_failure_release(failure);
        }
        transfers_end(&all);
        return rc;
}

int main(int argc, char **argv) {
        int rc;

        if (argc != 3) {
                fprintf(stderr, "usage: libcurl URL SLOW-URL\n");
                return 2;
        }
        curl_global_init(CURL_GLOBAL_DEFAULT);
        rc = belay_run(app, argv + 1);
        curl_global_cleanup();
        return rc < 0;
}
