#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests parts/keeper.c. No process that its command started may outlive it, whatever that process
# did. It must report what was left, and pass on output and exit codes.
set -euo pipefail
cd "$(dirname "$0")/../.."

keeper=${BUILD:-$PWD/build}/tests/runner/parts/keeper
[ -x "$keeper" ] || { echo "there is no $keeper"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/alive" "$work/ready"
# By this pipe a subject reports that it is ready.
exec 8<>"$work/ready"
wrong=0
complain()
{
        echo "WRONG: $name: $1"
        cat "$work/out" "$work/err"
        wrong=1
}

# All processes of a subject have the pipe open, so that it ends when the last of them has ended.
# The limit is a safety net.
all_end()
{
        timeout 300 cat "$work/alive" >"$work/rest" || complain "a process is left"
}

# ends CODE [OPTION...] SCRIPT: runs a shell script under the keeper, which must exit with CODE
ends()
{
        local wanted=$1 code=0 options=("${@:2:$#-2}") script=${*: -1}

        name=$script
        all_end &
        "$keeper" -o "$work/end" "${options[@]}" bash -c "$script" \
                >"$work/out" 2>"$work/err" 9>"$work/alive" || code=$?
        wait $!
        [ "$code" -eq "$wanted" ] || complain "exit code $code, not $wanted"
}

# has FILE PATTERN: complains if no line of the file matches
has()
{
        grep -qE -- "$2" "$work/$1" || complain "not in $1: $2"
}

silent()
{
        [ ! -s "$work/err" ] || complain "it printed something"
}

# ---- commands that end by themselves ----

ends 0 'echo good'
silent
has out '^good$'
has end '^exit 0 0 [0-9]+ [0-9]+$'
ends 3 'echo bad; exit 3'
silent
has end '^exit 3 0 '
ends 137 'kill -KILL $$'
silent
has end '^signal 9 0 '
ends 0 'sleep 0.2 & exit 0'
silent
trap '' INT USR1
ends 0 'sed -nE "s/^Sig(Ign|Blk):[[:space:]]*/0x/p" /proc/self/status'
while read -r signals; do
        # The C library reserves the signals from 32 on.
        [ $((signals & 0x7fffffff)) -eq 0 ] || complain "signals are not as by default: $signals"
done <"$work/out"
trap - INT USR1
name="no such command"
code=0
"$keeper" "$work/none" >"$work/out" 2>"$work/err" || code=$?
[ "$code" -eq 127 ] || complain "exit code $code"
has err 'none: No such file'

# ---- processes that are left ----

# Each process starts its successor in a session of its own and ends, so that the keeper must find a
# moving target.
cat >"$work/generations.sh" <<'END'
[ "$1" -gt 0 ] || exec sleep 100002
setsid bash "$0" $(($1 - 1)) &
END

ends 125 -g 0.1 'setsid bash -c "echo >&8; sleep 100001; exit" & read -r _ <&8; exit 0'
has err '^keeper: left running: bash -c echo >&8; sleep 100001; exit$'
has end '^exit 0 [12] '
ends 125 -g 0.1 'setsid sleep 100001 & exit 77'
has end '^exit 77 1 '
ends 3 -g 0.1 \
        '(setsid setsid bash -c "trap : TERM INT HUP; echo >&8; sleep 100001; sleep 100001" &)
        read -r _ <&8; echo bad; exit 3'
has err '^keeper: left running: bash -c trap : TERM INT HUP; echo >&8; sleep 100001; sleep 100001$'
has out '^bad$'
has end '^exit 3 [1-3] '
ends 125 -g 0.1 "bash '$work/generations.sh' 500"
has err '^keeper: left running: '
ends 125 -g 0.1 'for ((i = 0; i < 50; i++)); do setsid sleep 100001 & done; exit 0'
has err '^keeper: left running: 30 more$'
has end '^exit 0 50 '

# ---- commands that do not end ----

ends 124 -t 3 'echo before; sleep 100001; echo after'
has err '^keeper: runs when its time is over: bash -c echo before; sleep 100001; echo after$'
has out '^before$'
has end '^limit '
ends 124 -g 0.1 -t 0.5 'trap "" TERM INT; setsid sleep 100001 & while :; do sleep 100001; done'
ends 124 -g 0.1 -t 0.5 'kill -STOP $$'
ends 124 -t 3 \
        'setsid sleep 100001 & trap "echo cleaned up; exit 0" TERM; while :; do sleep 0.01; done'
has out '^cleaned up$'

# ---- signals ----

for signal in INT TERM HUP; do
        name="SIG$signal for the keeper"
        all_end &
        rest=$!
        # A shell ignores SIGINT in commands that it runs in the background.
        "$keeper" bash -c 'setsid sleep 100001 & echo ready >&8; exec sleep 100001' \
                >"$work/out" 2>"$work/err" 9>"$work/alive" &
        read -r _ <&8
        kill -$signal $!
        code=0
        wait $! || code=$?
        wait $rest
        [ "$code" -eq 143 ] || complain "exit code $code"
done

# The shell would print a line about each killed process.
exec 2>/dev/null
name="the keeper is killed"
all_end &
rest=$!
"$keeper" bash -c 'echo ready >&8; exec sleep 100001' >"$work/out" 2>"$work/err" 9>"$work/alive" &
read -r _ <&8
kill -KILL $!
wait $! || true
wait $rest

name="the parent is killed"
all_end &
rest=$!
bash -c "'$keeper' bash -c 'setsid sleep 100001 & echo ready >&8; exec sleep 100001' & wait" \
        >"$work/out" 2>"$work/err" 9>"$work/alive" &
read -r _ <&8
kill -KILL $!
wait $! || true
wait $rest

exit $wrong
