/* SPDX-License-Identifier: MIT */
/*
 * Tests the text of a dump in each situation.
 */
#include "capture.h"

/* Stores the call site of the call in the same line. */
/* Notes the place of the next line. */
#define HERE(place) snprintf(place, sizeof(place), "%s:%d", __FILE__, __LINE__ + 1)

static char sleeps_at[64], awaits_at[64], locks_at[64], group_at[64], leaves_at[64];

static int locked_at_line;

static int sleeps(void *arg) {
        (void) arg;
        HERE(sleeps_at);
        return belay_sleep(10 * BELAY_SECOND);
}

static int awaits(void *arg) {
        HERE(awaits_at);
        return belay_await(arg, NULL);
}

static int joins(void *arg) {
        return belay_join(arg, NULL);
}

static int locks(void *arg) {
        int rc;

        HERE(locks_at);
        rc = belay_lock_acquire(arg);
        return rc == 0 ? belay_lock_release(arg) : rc;
}

static int gathers(void *arg) {
        return belay_gather_collect(arg, 5);
}

static int awaits_event(void *arg) {
        return belay_event_wait(arg);
}

/* ---- a tree, and the terms for waits ---- */

static int nests(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        rc = belay_group_enter_with(
                &group, BELAY_OPTIONS(belay_group_options, .name = "in\nner", .limit = 3));
        if (rc == 0)
                rc = belay_group_spawn(&group, sleeps, NULL);
        HERE(leaves_at);
        return belay_group_leave(&group, rc);
}

static int tree(void *arg) {
        static belay_lock lock;
        static belay_event event;
        belay_task *tasks[5], *first, *loose;
        belay_future *future = belay_future_new();
        belay_group group;
        int rc;

        (void) arg;
        locked_at_line = __LINE__ + 1;
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        HERE(group_at);
        CHECK_EQ(belay_group_enter(&group), 0);
        CHECK_EQ(belay_group_spawn_with(&group, sleeps, NULL,
                                        BELAY_OPTIONS(belay_spawn_options, .name = "acc\nept"),
                                        &first),
                 0);
        CHECK_EQ(belay_group_spawn(&group, awaits, first), 0);
        CHECK_EQ(belay_group_spawn(&group, joins, future), 0);
        CHECK_EQ(belay_group_spawn(&group, locks, &lock), 0);
        CHECK_EQ(belay_group_spawn(&group, awaits_event, &event), 0);
        tasks[0] = belay_ref(first);
        for (size_t i = 1; i < 5; i++)
                CHECK_EQ(belay_group_spawn_with(&group, sleeps, NULL, NULL, &tasks[i]), 0);
        CHECK_EQ(belay_group_spawn(&group, gathers, tasks), 0);
        CHECK_EQ(belay_group_spawn(&group, nests, NULL), 0);
        loose = belay_spawn_with(sleeps, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "loose"));
        capture(NULL);
        HAS("loop %p (running): 13 tasks, 12 ready, 0 timers, virtual clock at 0 ns\n",
            (void *) belay_loop_self());
        HAS("main  running  (#1, started at tests/inspect/capture.h:");
        HAS("`- group entered at %s, 11 members\n", group_at);
        HAS("   |- acc?ept  new  (#3, started at tests/inspect/dump.c:");
        HAS("loose  new  (#14, started at ");
        HAS("future #2  pending  (made at tests/inspect/dump.c:");
        rc = belay_sleep(2 * BELAY_SECOND);

        capture(NULL);
        HAS("loop %p (running): 14 tasks, 0 ready, 7 timers, virtual clock at 2 s\n",
            (void *) belay_loop_self());
        HAS("   |- acc?ept  waiting: sleep at %s for 2 s, 8 s left  (#3, started at ", sleeps_at);
        HAS("   |- #4  waiting: await of acc?ept at %s for 2 s  (started at ", awaits_at);
        HAS("   |- #5  waiting: join of #2 at tests/inspect/dump.c:");
        HAS("   |- #6  waiting: lock of tests/inspect/dump.c:%d at %s for 2 s", locked_at_line,
            locks_at);
        HAS("   |- #7  waiting: event at tests/inspect/dump.c:");
        HAS("   |- #12  waiting: gather of acc?ept, #8, #9 and 2 more at tests/inspect/dump.c:");
        HAS("   `- #13  waiting: group \"in?ner\" at %s for 2 s  (started at ", leaves_at);
        HAS("      `- group \"in?ner\" entered at tests/inspect/dump.c:");
        HAS("         `- #15  waiting: sleep at %s for 2 s, 8 s left", sleeps_at);
        HAS("loose  waiting: sleep at %s", sleeps_at);
        SAYS("      `- group", ", 1 member of 3 at once\n");
        SAYS("   |- #4", "; stack ");
        SAYS("   |- #4", " of 64 KiB)\n");
        SAYS("main", "; stack ");
        CHECK_EQ(lines(), 1 + 2 + 11 + 2 + 1 + 1);

        for (size_t i = 0; i < 5; i++)
                belay_release(tasks[i]);
        belay_release(first);
        belay_release(loose);
        belay_release(future);
        belay_group_cancel(&group);
        return belay_group_leave(&group, rc);
}

/* ---- requests ---- */

struct clean_up {
        const char *cancelled_at;
        belay_time shield; /* 0: no shielded region */
};

/* Cleans up for 5 s, or holds a request back for 5 s. */
static int shield_line;

static int cleans_up(void *arg) {
        const struct clean_up *clean_up = arg;
        belay_shield_scope region;
        int rc;

        if (clean_up->shield == 0) {
                rc = belay_sleep(BELAY_HOUR);
                CHECK_EQ(belay_sleep(5 * BELAY_SECOND), 0);
                return rc;
        }
        CHECK_EQ((shield_line = __LINE__, belay_shield_enter(&region, clean_up->shield)), 0);
        rc = belay_sleep(5 * BELAY_SECOND);
        return belay_shield_leave(&region, rc);
}

static int takes_back(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return belay_sleep(5 * BELAY_SECOND);
}

/*
 * Receives a request from within the region in addition to one that the region holds back. With an
 * argument, the first request is delivered before the region.
 */
static int is_asked_twice(void *arg) {
        bool before = arg != NULL;
        belay_shield_scope region;
        belay_timeout limit;
        int rc = 0;

        if (before)
                CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_shield_enter(&region, BELAY_NEVER), 0);
        CHECK_EQ(belay_timeout_enter(&limit, before ? BELAY_NEVER : 1500 * BELAY_MILLISECOND), 0);
        if (!before)
                CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_sleep(5 * BELAY_SECOND), 0);
        rc = belay_timeout_leave(&limit, rc);
        return belay_shield_leave(&region, rc);
}

static int awaits_refuser(void *arg) {
        return belay_await(arg, NULL);
}

static belay_task *spawn(const char *name, belay_fn *fn, void *arg) {
        belay_task *task = belay_spawn_with(fn, arg,
                                            BELAY_OPTIONS(belay_spawn_options, .name = name));

        CHECK(task != NULL);
        return task;
}

static int requests(void *arg) {
        struct clean_up plain = { 0 }, within = { .shield = 20 * BELAY_SECOND };
        belay_task *cleaner = spawn("cleaner", cleans_up, &plain),
                   *pending = spawn("pending", cleans_up, &plain);
        belay_task *shielded = spawn("shielded", cleans_up, &within),
                   *back = spawn("back", takes_back, NULL);
        belay_task *inner = spawn("inner", cleans_up, &plain),
                   *outer = spawn("outer", awaits_refuser, inner);
        belay_task *within_it = spawn("within", is_asked_twice, NULL);
        belay_task *before = spawn("before", is_asked_twice, inner);
        belay_task *all[] = { cleaner, pending, shielded, back, inner, outer, within_it, before };
        char at[64];

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        HERE(at);
        CHECK(belay_cancel(cleaner, "no\tmore"));
        CHECK(belay_cancel(shielded, NULL));
        CHECK(belay_cancel(back, NULL));
        CHECK(belay_cancel(shielded, NULL));
        CHECK(belay_cancel(outer, NULL));
        CHECK(belay_cancel(within_it, "outside"));
        CHECK(belay_cancel(before, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(before, "again"));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK(belay_cancel(pending, "now"));

        capture(NULL);
        /* A withdrawn timer must not be counted. */
        HAS("loop %p (running): 9 tasks, 1 ready, 7 timers, ", (void *) belay_loop_self());
        HAS("cleaner  waiting: sleep at tests/inspect/dump.c:");
        SAYS("cleaner", " for 1 s, 4 s left; cancelling: 1 request, delivered, by caller main at ");
        SAYS("cleaner", " 1 s ago: \"no?more\"  (");
        SAYS("cleaner", at);
        HAS("pending  ready, goes on at ");
        SAYS("pending", "; cancelling: 1 request, pending, by caller main at ");
        SAYS("pending", " 0 ns ago: \"now\"  (");
        SAYS("shielded",
             "; cancelling: 2 requests held back by a shielded region, by caller main at ");
        HAS("`- shielded region entered at tests/inspect/dump.c:");
        HAS("`- shielded region entered at tests/inspect/dump.c:%d, 18 s left\n", shield_line);
        SAYS("back", " for 1 s, 4 s left; earlier, a request, by caller main at ");
        SAYS("back", " 1 s ago, withdrawn  (");
        SAYS("outer", "await of inner at ");
        SAYS("outer", "; cancelling: 1 request, forwarded, by caller main at ");
        SAYS("inner", "; cancelling: 1 request, delivered, by awaiter outer at ");
        SAYS("within", "; cancelling: 1 request, delivered, by timeout at ");
        SAYS("within", " 500 ms ago; cancelling: 1 request held back by a shielded region, "
                       "by caller main at ");
        SAYS("within", " 1 s ago: \"outside\"  (");
        SAYS("before", "; cancelling: 1 request, delivered");
        SAYS("before",
             "; cancelling: 1 request held back by a shielded region, by caller main at ");
        SAYS("before", " 1 s ago: \"again\"  (");
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
                belay_release(all[i]);
        return 0;
}

/* ---- timeouts ---- */

static int within_limits(void *arg) {
        belay_timeout outer, inner, none;
        belay_shield_scope region;
        int rc;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&none, BELAY_NEVER), 0);
        CHECK_EQ(belay_timeout_enter(&outer, 30 * BELAY_SECOND), 0);
        CHECK_EQ(belay_timeout_enter(&inner, 2 * BELAY_SECOND), 0);
        CHECK_EQ(belay_shield_enter(&region, BELAY_NEVER), 0);
        rc = belay_sleep(BELAY_SECOND);
        rc = belay_shield_leave(&region, rc);
        rc = belay_sleep(10 * BELAY_SECOND);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_timeout_leave(&inner, rc), -ETIMEDOUT);
        CHECK_EQ(belay_timeout_leave(&outer, 0), 0);
        return belay_timeout_leave(&none, 0);
}

static int limits(void *arg) {
        belay_task *task = spawn("limited", within_limits, NULL);
        belay_timeout limit;

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND / 2), 0);
        capture(NULL);
        HAS("|- shielded region entered at tests/inspect/dump.c:");
        SAYS("|- shielded", ", no limit\n");
        HAS("|- timeout entered at tests/inspect/dump.c:");
        SAYS("|- timeout", ", 1.5 s left\n");
        CHECK(strstr(captured, ", 29.5 s left\n`- timeout entered at ") != NULL);
        SAYS("`- timeout", ", not set\n");
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        capture(NULL);
        SAYS("limited", "; cancelling: 1 request, delivered, by timeout at ");
        SAYS("limited", " 500 ms ago");
        SAYS("|- timeout", ", expired 500 ms ago\n");
        CHECK_EQ(belay_await(task, NULL), 0);
        capture(NULL);
        HAS("1 more has ended, and the program holds a handle of it\n");
        CHECK_EQ(lines(), 3);
        belay_release(task);

        /* A timeout whose instant has passed, but that could not expire yet. */
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        CHECK_EQ(belay_advance(3 * BELAY_SECOND), 0);
        capture(NULL);
        SAYS("`- timeout", ", 2 s overdue\n");
        return belay_timeout_leave(&limit, 0);
}

/* ---- eager tasks, members that are cancelled last, a full group and a cancelled group ---- */

static int dumps(void *arg) {
        (void) arg;
        capture(NULL);
        return belay_sleep(BELAY_SECOND);
}

static int fails(void *arg) {
        (void) arg;
        return -EIO;
}

static int resists(void *arg) {
        int rc = belay_sleep(BELAY_HOUR);

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return rc;
}

static int wants_room(void *arg) {
        return belay_group_spawn(arg, sleeps, NULL);
}

static int groups(void *arg) {
        belay_group group;
        belay_task *task, *member;
        int rc;

        (void) arg;
        task = belay_spawn_with(dumps, NULL,
                                BELAY_OPTIONS(belay_spawn_options, .eager = true, .name = "eager"));
        HAS("main  ready, goes on at ");
        HAS("eager  running  (");
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_release(task);

        rc = belay_group_enter_with(
                &group, BELAY_OPTIONS(belay_group_options, .limit = 2, .supervise = true));
        CHECK_EQ(rc, 0);
        CHECK_EQ(belay_group_spawn(&group, resists, NULL), 0);
        rc = belay_group_spawn_with(&group, resists, NULL,
                                    BELAY_OPTIONS(belay_spawn_options, .last = true), &member);
        CHECK_EQ(rc, 0);
        task = belay_spawn(wants_room, &group);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        capture(NULL);
        HAS("`- group entered at ");
        SAYS("`- group", ", 2 members of 2 at once, 1 waits for room, supervised\n");
        SAYS("   `- #4", "; a last member  (");
        CHECK(strstr(captured, "waiting: room in a group at ") != NULL);
        belay_group_cancel(&group);
        capture(NULL);
        SAYS("`- group", ", supervised, cancelled\n");
        SAYS("main", "main  running; cancelling: 1 request, pending, by group at ");
        CHECK_EQ(belay_await(task, NULL), -ECANCELED);
        belay_release(task);
        belay_release(member);
        CHECK_EQ(belay_group_leave(&group, -ECANCELED), 0);

        CHECK_EQ(belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = 1)), 0);
        capture(NULL);
        SAYS("`- group", ", 0 members of 1 at once\n");
        CHECK_EQ(belay_group_leave(&group, 0), 0);

        CHECK_EQ(belay_group_enter(&group), 0);
        CHECK_EQ(belay_group_spawn(&group, resists, NULL), 0);
        CHECK_EQ(belay_group_spawn(&group, fails, NULL), 0);
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        capture(NULL);
        SAYS("`- group", ", 1 member, 1 failed, cancelled\n");
        SAYS("   `- #", "; cancelling: 1 request, delivered, by sibling #");
        SAYS("main", "; cancelling: 1 request, delivered, by sibling #");
        rc = belay_group_leave(&group, -ECANCELED);
        CHECK_EQ(rc, -EIO);
        return 0;
}

/* ---- whole lines ---- */

static char ready_at[64], made_at[64], spawned_at[64], named_at[64], cancelled_at[64];

static int yields(void *arg) {
        (void) arg;
        HERE(ready_at);
        return belay_yield();
}

/*
 * Captures a dump in which `*` replaces the used part of each stack, so that whole lines can be
 * compared. Checks these numbers: more than 0 and less than 64 KiB, and at most one decimal.
 */
static void capture_whole(void) {
        static const char before[] = "; stack ";
        char *from = captured;

        capture(NULL);
        while ((from = strstr(from, before)) != NULL) {
                char *end;
                double used;

                from += strlen(before);
                used = strtod(from, &end);
                CHECK(used > 0 && used < 64);
                CHECK_EQ(strspn(from, "0123456789"), used < 10 ? 1 : 2);
                CHECK(*end == ' ');
                CHECK(memchr(from, '.', (size_t) (end - from)) == NULL || end[-2] == '.');
                *from++ = '*';
                memmove(from, end, strlen(end) + 1);
        }
}

static int ends_with(void *arg) {
        return *(int *) arg;
}

static int whole_lines(void *arg) {
        static int ends[] = { 5, -EIO, -ECANCELED, 0 };
        belay_spawn_options eager = { .size = sizeof(eager), .eager = true };
        belay_task *named, *ready, *future, *cancelled, *members[4];
        char member_at[64];
        belay_group group;
        int rc;

        (void) arg;
        HERE(named_at);
        named = belay_spawn_with(sleeps, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "named"));
        HERE(spawned_at);
        ready = belay_spawn(yields, NULL);
        HERE(made_at);
        future = belay_future_new();
        cancelled = belay_spawn(sleeps, NULL);
        CHECK(named != NULL && ready != NULL && future != NULL && cancelled != NULL);
        capture_whole();
        HAS("named  new  (#2, started at %s)\n", named_at);
        HAS("#3  new  (started at %s)\n", spawned_at);
        HAS("future #4  pending  (made at %s)\n", made_at);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        HERE(cancelled_at);
        CHECK(belay_cancel(cancelled, "why"));
        capture_whole();
        HAS("named  waiting: sleep at %s for 1 s, 9 s left  (#2, started at %s; stack * of 64 KiB)"
            "\n",
            sleeps_at, named_at);
        SAYS("#5  ready", "; stack * of 64 KiB)\n");
        SAYS("#5  ready", cancelled_at);
        HAS("#5  ready, goes on at %s; cancelling: 1 request, pending, by caller main at %s 0 ns "
            "ago: \"why\"  (started at ",
            sleeps_at, cancelled_at);
        CHECK_EQ(belay_await(ready, NULL), 0);
        belay_release(ready);
        ready = belay_spawn(yields, NULL);
        CHECK_EQ(belay_yield(), 0);
        capture_whole();
        HAS("#6  ready, goes on at %s  (started at tests/inspect/dump.c:", ready_at);

        /* Eager members have ended, and the group has not handled their ends yet. */
        CHECK_EQ(belay_group_enter_with(&group,
                                        BELAY_OPTIONS(belay_group_options, .supervise = true)),
                 0);
        for (size_t i = 0; i < 4; i++) {
                HERE(member_at);
                rc = belay_group_spawn_with(&group, ends_with, &ends[i], &eager, &members[i]);
                CHECK_EQ(rc, 0);
        }
        capture_whole();
        HAS("   |- #7  done: result 5  (started at %s)\n", member_at);
        HAS("   |- #8  done: failed, %d  (started at %s)\n", -EIO, member_at);
        HAS("   |- #9  done: cancelled  (started at %s)\n", member_at);
        HAS("   `- #10  done: result 0  (started at %s)\n", member_at);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (size_t i = 0; i < 4; i++) {
                CHECK_EQ(belay_result(members[i]), ends[i]);
                belay_release(members[i]);
        }
        belay_release(named);
        belay_release(ready);
        belay_release(future);
        belay_release(cancelled);
        return 0;
}

/* ---- depth and width of the tree ---- */

enum { DEEP = 300, WIDE = 100000 };
#define NINE_LEVELS "                           "

static int deeper(void *arg) {
        uintptr_t left = (uintptr_t) arg;
        belay_group group;
        int rc;

        rc = belay_group_enter(&group);
        if (rc == 0 && left > 0)
                rc = belay_group_spawn(&group, deeper, (void *) (left - 1));
        if (rc == 0 && (left % 100 == 0 || left == DEEP - 5))
                rc = belay_group_spawn(&group, sleeps, NULL);
        return belay_group_leave(&group, rc);
}

static int depth(void *arg) {
        belay_task *task = spawn("top", deeper, (void *) (uintptr_t) DEEP);
        belay_group *scopes = calloc(WIDE, sizeof(*scopes));
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        (void) arg;
        CHECK(scopes != NULL && null >= 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        capture(NULL);
        CHECK_EQ(lines(), 2 + 1 + 2 * DEEP + 1 + 5);
        /* At the levels 2 and 12 another entry follows, so that a bar is drawn there. */
        HAS("   |  " NINE_LEVELS "|  `- group entered at ");
        HAS("   |  " NINE_LEVELS "`- #");
        CHECK(strstr(captured, "`- [level 25] group entered at ") != NULL);
        CHECK(strstr(captured, "[level 24]") == NULL);
        CHECK(strstr(captured, "[level 601] group entered at ") != NULL);
        CHECK(strstr(captured, "[level 603]") == NULL);
        /* After the deepest entry, bars must be drawn again. */
        HAS("   `- #4  waiting: sleep");
        for (const char *line = captured; line != NULL; line = strchr(line, '\n'))
                CHECK(strcspn(++line, "\n") < 400);

        for (size_t i = 0; i < WIDE; i++)
                CHECK_EQ(belay_group_enter(&scopes[i]), 0);
        CHECK_EQ(belay_dump(null), 0);
        for (size_t i = WIDE; i-- > 0;)
                CHECK_EQ(belay_group_leave(&scopes[i], 0), 0);
        free(scopes);
        close(null);
        belay_release(task);
        return 0;
}

/* ---- the line of the loop ---- */

static void nothing(void *arg) {
        (void) arg;
}

static int callbacks(void *arg) {
        (void) arg;
        for (int count = 1; count <= 2; count++) {
                for (int i = 0; i < count; i++)
                        CHECK(belay_soon(nothing, NULL) != 0);
                capture(NULL);
                HAS("loop %p (running): 1 task, 0 ready, %d callback%s, 0 timers, virtual clock",
                    (void *) belay_loop_self(), count, count == 1 ? "" : "s");
                CHECK_EQ(belay_yield(), 0);
        }
        return 0;
}

/* The dump reads the real clock between these two calls. */
static int real_clock(void *arg) {
        belay_time before = belay_now(), after, shown;
        long long seconds, microseconds;
        char rest[8] = "";
        const char *clock;

        (void) arg;
        capture(NULL);
        after = belay_now();
        HAS("loop %p (running): 1 task, 0 ready, 0 timers, clock at ", (void *) belay_loop_self());
        clock = strstr(captured, ", clock at ");
        CHECK_EQ(sscanf(clock, ", clock at %lld.%6lld%7[^\n]", &seconds, &microseconds, rest), 3);
        CHECK_STR(rest, " s");
        shown = seconds * BELAY_SECOND + microseconds * BELAY_MICROSECOND;
        CHECK(before / BELAY_MICROSECOND * BELAY_MICROSECOND <= shown && shown <= after);
        return 0;
}

/* ---- while the loop shuts down ---- */

static unsigned dumped, left;

static int dumps_in_cleanup(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        capture(NULL);
        if (left == 1)
                SAYS("loop ", ", shutting down: 1 cancelled task still there\n");
        else
                SAYS("loop ", ", shutting down: 2 cancelled tasks still there\n");
        dumped++;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return -ECANCELED;
}

static int leaves_some(void *arg) {
        (void) arg;
        for (unsigned i = 0; i < left; i++)
                belay_release(spawn(NULL, dumps_in_cleanup, NULL));
        return belay_yield();
}

static void shutdowns(void) {
        for (left = 1; left <= 2; left++) {
                dumped = 0;
                CHECK_EQ(run_virtually(leaves_some), 0);
                CHECK_EQ(dumped, left);
        }
}

/* ---- between the runs of a loop, from a callback, and without a loop ---- */

static void dump_from_callback(void *arg) {
        capture(NULL);
        *(bool *) arg = true;
}

static int leaves_one_behind(void *arg) {
        bool called = false;

        (void) arg;
        belay_release(spawn("left", sleeps, NULL));
        CHECK(belay_soon(dump_from_callback, &called) != 0);
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        CHECK(called);
        HAS("main  waiting: sleep at tests/inspect/dump.c:");
        return 0;
}

static void without_a_run(void) {
        belay_loop *loop = belay_loop_new(
                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL, .seed = 7));
        int outcome;

        CHECK(loop != NULL);
        CHECK_EQ(belay_dump(STDERR_FILENO), -EPERM);
        capture(loop);
        HAS("loop %p (suspended): 0 tasks, 0 ready, 0 timers, virtual clock at 0 ns, seed 7\n",
            (void *) loop);
        CHECK_EQ(lines(), 1);
        CHECK_EQ(belay_loop_run(loop, leaves_one_behind, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        capture(loop);
        HAS("loop %p (suspended): 1 task, 0 ready, 1 timer, virtual clock at 3 s, seed 7\n",
            (void *) loop);
        HAS("left  waiting: sleep at %s for 3 s, 7 s left", sleeps_at);
        HAS("1 more has ended");
        CHECK_EQ(belay_loop_close(loop), 0);
}

int main(void) {
        belay_fn *const situations[] = {
                whole_lines, tree, requests, limits, groups, depth, callbacks,
        };

        for (size_t i = 0; i < sizeof(situations) / sizeof(*situations); i++)
                CHECK_EQ(run_virtually(situations[i]), 0);
        CHECK_EQ(belay_run(real_clock, NULL), 0);
        shutdowns();
        without_a_run();
        return 0;
}
