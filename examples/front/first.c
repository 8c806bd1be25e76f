/* SPDX-License-Identifier: MIT */
/*
 * The first program of the README: a task is cancelled and cleans up.
 */
#include <belay.h>
#include <stdio.h>

static int work(void *arg) {
        int rc = belay_sleep(5 * BELAY_SECOND);

        if (rc == -ECANCELED) { /* delivered once, here */
                printf("%s: cancelled, cleaning up\n", (const char *) arg);
                if (belay_sleep(BELAY_SECOND) == 0) /* cleanup may wait */
                        puts("done");
        }
        return rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn(work, arg);
        int rc = belay_sleep(BELAY_SECOND);

        if (task && rc == 0)
                rc = belay_cancel_wait(task, "enough", 10 * BELAY_SECOND, NULL);
        belay_release(task);
        return rc;
}

int main(void) {
        return belay_main(app, "work"); /* Ctrl-C cancels app; no task is left on return */
}
