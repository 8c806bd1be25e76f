#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# io_uring_enter(), which liburing makes without a function that could be put in its place, fails in turn: with what may
# be at any time, and with too little memory. Nothing is lost and nothing hangs; where it failed while the ring was tried
# out, epoll took over.
set -u
build=${BUILD:-build}
program=$build/tests/faults/programs/ring
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

skip() { echo "$1"; exit 77; }
command -v strace >/dev/null || skip "there is no strace"
[ -z "${RUN:-}" ] || skip "strace and $RUN do not go together"
[ -z "${SAN:-}" ] || skip "a sanitizer does not like to be traced"
strace -f -qq -o /dev/null -e trace=none true 2>/dev/null || skip "nothing can be traced here"
[ "$("$program" "$directory/file" 2>/dev/null)" = io_uring ] || skip "io_uring cannot be used here"

wrong=0
for error in EINTR EAGAIN EBUSY ENOMEM; do
        for ((when = 1; when <= 400; when++)); do
                timeout 60 strace -f -qq -o "$directory/trace" -e trace=io_uring_enter \
                        -e inject=io_uring_enter:error=$error:when=$when "$program" "$directory/file" >"$directory/out" 2>&1
                rc=$?
                if [ $rc -ne 0 ]; then
                        echo "call $when failed with $error, and the program came to $rc:"
                        cat "$directory/out"
                        wrong=1
                fi
                # Each program makes a few calls more or less: it is over when none was left to fail.
                grep -q INJECTED "$directory/trace" || break
        done
        echo "$error: $((when - 1)) calls"
        [ "$when" -gt 5 ] || wrong=1
done
exit $wrong
