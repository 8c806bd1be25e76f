#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A leak checker names the function that created a task or future whose handle was forgotten, once
# for each. It also finds a handle that is used after its release.
set -euo pipefail

case ${SAN:-}${RUN:-}${CC:-cc} in
*address* | *thread* | *valgrind* | *qemu* | *musl*) exit 77 ;;
*clang*) echo "skipped: valgrind 3.19 gives up at the DWARF 5 of clang"; exit 77 ;;
esac
command -v valgrind >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/forgets.c" <<'END'
#include <belay.h>

static int nothing(void *arg) { (void) arg; return 0; }
static __attribute__((noinline)) const char *forgets_a_task(void) {
        return belay_started_at(belay_spawn(nothing, NULL));
}
static __attribute__((noinline)) bool forgets_a_future(void) {
        return belay_done(belay_future_new());
}
static int app(void *arg) {
        (void) arg;
        return forgets_a_task() == NULL || forgets_a_future() ? -1 : belay_yield();
}
int main(void) { return belay_run(app, NULL) != 0; }
END
cat >"$dir/late.c" <<'END'
#include <belay.h>

static int nothing(void *arg) { (void) arg; return 0; }
static int app(void *arg) {
        belay_task *task = belay_spawn(nothing, NULL);

        (void) arg;
        (void) !belay_yield();
        belay_release(task);
        return belay_done(task);
}
int main(void) { return belay_run(app, NULL) != 1; }
END

# shellcheck disable=SC2086
build() {
        ${CC:-cc} ${CFLAGS:-} -O0 -g -std=gnu11 -Iinclude "$dir/$1.c" "$BUILD/libbelay.a" \
                ${LIBS:--pthread -lm} -o "$dir/$1"
}

fail() {
        echo "failed: $*"
        cat "$dir/out"
        exit 1
}

build forgets
valgrind --leak-check=full --num-callers=20 "$dir/forgets" >"$dir/out" 2>&1
[ "$(grep -c 'are definitely lost' "$dir/out")" = 2 ] || fail "two leaks are not two"
for place in forgets_a_task forgets_a_future; do
        grep -q "$place" "$dir/out" || fail "$place is not named"
done

build late
! valgrind --error-exitcode=9 "$dir/late" >"$dir/out" 2>&1 ||
        fail "a handle that was released is used, and nobody says so"
grep -q 'Invalid read' "$dir/out" || fail "no invalid read"
