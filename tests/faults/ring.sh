#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Each call of io_uring_enter() fails once, with errors that may occur at any time and with a lack
# of memory. liburing makes this call without a function that a test could replace, so strace
# injects the errors. No operation may be lost, and the program must not hang. If the call fails
# while the loop tries the ring, the loop uses epoll.
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
                        -e inject=io_uring_enter:error=$error:when=$when \
                        "$program" "$directory/file" >"$directory/out" 2>&1
                rc=$?
                if [ $rc -ne 0 ]; then
                        echo "call $when failed with $error, and the program came to $rc:"
                        cat "$directory/out"
                        wrong=1
                fi
                # The number of calls differs from run to run. The first run in which no call
                # failed is the last.
                grep -q INJECTED "$directory/trace" || break
        done
        echo "$error: $((when - 1)) calls"
        [ "$when" -gt 5 ] || wrong=1
done
exit $wrong
