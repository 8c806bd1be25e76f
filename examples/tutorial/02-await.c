/* SPDX-License-Identifier: MIT */
/* Two tasks run side by side. The verdict of a wait and the outcome of a task are two integers. */
#include <belay.h>
#include <stdio.h>
#include <string.h>

static int measure(void *arg) {
        const char *text = arg;
        int rc = belay_sleep(BELAY_SECOND);

        if (rc < 0)
                return rc;
        if (*text == '\0')
                return belay_fail(-EINVAL, "an empty text has no length");
        return (int) strlen(text);
}

static int await_and_print(belay_task *task) {
        int outcome;
        int verdict = belay_await(task, &outcome);

        if (verdict < 0) /* outcome may hold no value */
                return verdict;
        printf("%d s: verdict %d, ", (int) (belay_now() / BELAY_SECOND), verdict);
        if (outcome < 0) {
                belay_failure *failure = belay_failure_take(outcome);

                printf("the task failed: %s\n", belay_failure_text(failure));
                belay_failure_release(failure);
        } else {
                printf("the task returned %d\n", outcome);
        }
        return 0;
}

static int app(void *arg) {
        belay_task *one = belay_spawn(measure, "belay");
        belay_task *other = belay_spawn(measure, "");
        int rc;

        (void) arg;
        /* belay_spawn() returns NULL if memory is short. A wait for NULL returns -ENOMEM. */
        rc = await_and_print(one);
        if (rc == 0)
                rc = await_and_print(other);
        belay_release(one);
        belay_release(other);
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
