#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests tests/run: what it reports about tests that end in each possible way, and that it leaves no
# process.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -x "${BUILD:=$PWD/build}/tests/runner/parts/keeper" ] || { echo "there is no keeper"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/alive"
wrong=0
complain()
{
        echo "WRONG: $1"
        cat "$work/out"
        wrong=1
}

# subject NAME: makes a test of the text on standard input
subject()
{
        { echo '#!/bin/bash'; cat; } >"$work/$1.sh"
        chmod +x "$work/$1.sh"
}

# says CODE ARGUMENT...: runs tests/run, which must exit with CODE
says()
{
        local wanted=$1 code=0 rest
        shift

        timeout 300 cat "$work/alive" >"$work/rest" &
        rest=$!
        BUILD=$BUILD UNDER='' tests/run "$@" >"$work/out" 2>&1 9>"$work/alive" || code=$?
        [ "$code" -eq "$wanted" ] || complain "exit code $code, not $wanted"
        wait $rest || complain "a process is left"
}

has()
{
        grep -qE -- "$1" "$work/out" || complain "it does not say: $1"
}

hasnt()
{
        ! grep -qE -- "$1" "$work/out" || complain "in the output: $1"
}

subject good <<<'echo unseen; [ -d "$TMPDIR" ] && [ -z "$(cat)" ]'
subject skips <<<'echo "skips.sh:1: skipped: there is none"; exit 77'
subject bad <<<'echo "this is bad"; exit 3'
subject killed <<<'kill -SEGV $$'
subject leaves <<<'echo "this is good"; setsid sleep 100003 & exit 0'
subject bad_leaves <<<'setsid sleep 100003 & exit 3'
subject hangs <<<'sleep 100003'
subject hangs_on <<<'trap "" TERM; setsid sleep 100003 & sleep 100003; sleep 100003'

says 0 "$work/good.sh" "$work/skips.sh"
has "^skip .*/skips\.sh: there is none$"
has '^1 passed, 0 failed, 1 skipped$'
hasnt unseen
says 0 -v "$work/good.sh"
has '^time .*/good\.sh: [0-9]+\.[0-9]{3} s, processor [0-9]+\.[0-9]{3} s$'

says 1 -j 8 -t 4 "$work"/*.sh
has '/bad\.sh: exit code 3$'
has '^    this is bad$'
has '/killed\.sh: signal 11 \(SEGV\)$'
has '/leaves\.sh: it left processes: 1$'
has '^    this is good$'
has '^    keeper: left running: sleep 100003$'
has '/bad_leaves\.sh: exit code 3, and it left processes: 1$'
has '/hangs\.sh: killed, it ran for more than 4 seconds$'
has '/hangs_on\.sh: killed, it ran for more than 4 seconds$'
has '^1 passed, 6 failed, 1 skipped$'

# If the runner is ended or killed, all of its tests must end, too.
mkfifo "$work/ready"
exec 8<>"$work/ready"
subject waits <<<"setsid sleep 100003 & echo ready >&8; exec sleep 100003"
for signal in TERM INT HUP KILL; do
        timeout 300 cat "$work/alive" >"$work/rest" &
        rest=$!
        # A shell ignores SIGINT in commands that it runs in the background.
        env --default-signal=INT tests/run -j 2 "$work/waits.sh" "$work/waits.sh" \
                >"$work/out" 2>&1 9>"$work/alive" &
        read -r _ <&8
        read -r _ <&8
        kill -$signal $!
        wait $! 2>/dev/null || true
        wait $rest || complain "a process is left after SIG$signal"
done

exit $wrong
