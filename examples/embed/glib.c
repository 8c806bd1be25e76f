/* SPDX-License-Identifier: MIT */
/*
 * belay in a GLib program, as with GTK.
 *
 * GLib needs to know one descriptor and one function. This adapter has no prepare() and no check(),
 * which would have to agree with each other. The descriptor includes the timers, and stays readable
 * as long as there is work. Therefore it does not matter which other sources GLib runs in between,
 * or how often it polls.
 */
#define _GNU_SOURCE
#include <glib-unix.h>

#include "both.h"

/* ---- the adapter ---- */

static gboolean dispatch(gint fd, GIOCondition condition, gpointer loop) {
        (void) fd;
        (void) condition;
        /*
         * More than 0: main goes on. 0: main has ended. -EBUSY: a task runs a GLib loop of its own.
         */
        return belay_loop_dispatch(loop) != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void add_belay(belay_loop *loop, GDestroyNotify ended) {
        g_unix_fd_add_full(G_PRIORITY_DEFAULT, belay_loop_fd(loop), G_IO_IN, dispatch, loop, ended);
}

/* ---- a program ---- */

static GMainLoop *main_loop;

static gboolean tick(gpointer data) {
        (void) data;
        return both_tick() ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean byte(gint fd, GIOCondition condition, gpointer data) {
        (void) fd;
        (void) condition;
        (void) data;
        both_byte();
        return G_SOURCE_CONTINUE;
}

static void quit(gpointer loop) {
        (void) loop;
        g_main_loop_quit(main_loop);
}

int main(void) {
        int rc = both_begin();
        guint bytes;

        if (rc < 0) {
                fprintf(stderr, "glib: %s\n", strerror(-rc));
                return 1;
        }
        main_loop = g_main_loop_new(NULL, FALSE);
        add_belay(both.loop, quit);
        g_timeout_add(TICK_MILLISECONDS, tick, NULL);
        bytes = g_unix_fd_add(both.from_task[0], G_IO_IN, byte, NULL);
        g_main_loop_run(main_loop);
        g_source_remove(bytes);
        g_main_loop_unref(main_loop);
        return both_end("GLib");
}
