#!/bin/sh
# SPDX-License-Identifier: MIT
#
# script/bench --io: servers and load must exchange what is measured, and figures, ratios and
# verdicts must be printed.
build=${BUILD:-build}
for each in "$build/belay-io" "$build/belay-load"; do
        [ -x "$each" ] || { echo "no $each"; exit 77; }
done
command -v python3 >/dev/null || { echo 'no python3'; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
wrong=0

complain() {
        echo "WRONG: $*"
        wrong=1
}

# Each kind of case, against a peer that every compiler can build.
only=echo-1-64,echo-50-64,echo-50-64k,echo-1000-64,accept,file
python3 bench/servers.py --build "$work/peers" --belay "$build" --plain --quick --rounds 1 \
        --seconds 0.03 --requests 300 --only $only --peers loop,io_uring,epoll \
        >"$work/out" 2>"$work/err" ||
        complain "bench/servers.py: exit status $?"
# io_uring and the counts of system calls may be unavailable here. All other figures must be there.
for name in echo-1-64-cpu echo-50-64-rate echo-50-64k-p50 echo-1000-64-p99 accept-cpu accept-rate \
        file-time; do
        for prefix in '' loop: epoll:; do
                [ "$prefix$name" != loop:file-time ] || continue
                grep -qE "^$prefix$name [0-9]*[1-9][0-9.]* (ns|1/s)\$" "$work/out" ||
                        complain "no figure $prefix$name"
        done
        grep -qE "^RATIO:epoll:$name [0-9.]+ x\$" "$work/out" || complain "no ratio of $name"
done
grep -qE '^TARGET:epoll:echo-50-64-cpu [0-9.]+ (met|MISSED)$' "$work/out" || complain 'no verdict'
! grep -E 'left out' "$work/err" | grep -v io_uring || complain 'a server was left out'
if grep -q 'counted by' "$work/err"; then
        grep -qE '^echo-1-64-calls [1-9]' "$work/out" || complain 'no calls were counted'
fi

# The load must detect answers that are no echo.
cat >"$work/server.py" <<'END_OF_SERVER'
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
connection = listener.accept()[0]
count = 0
while data := connection.recv(65536):
    count += 1
    if count > 3:
        data = {"other": data[:-1] + bytes([data[-1] ^ 1]), "more": data + data,
                "lost": data[:5] + data[6:], "end": b"", "right": data}[sys.argv[1]]
    if not data:
        break
    connection.sendall(data)
END_OF_SERVER

# finds KIND SIZE STATUS TEXT: against a server with a fault of this kind, the load must exit with
# STATUS and print TEXT
finds() {
        mkfifo "$work/fifo"
        python3 "$work/server.py" "$1" >"$work/fifo" &
        read -r _ port <"$work/fifo"
        rm "$work/fifo"
        "$build/belay-load" --port "$port" --size "$2" --warm 0 --requests 100 \
                </dev/null >"$work/out" 2>&1
        status=$?
        if [ $status -ne "$3" ] || ! grep -q "$4" "$work/out"; then
                complain "the load, of $1 in messages of $2: exit status $status," \
                        "$(cat "$work/out")"
        fi
        wait
}

for size in 64 4096; do
        finds right $size 0 '^requests [1-9]'
        finds other $size 1 'other bytes came back'
        finds more $size 1 'more came back\|other bytes came back'
        finds lost $size 1 'other bytes came back'
        finds end $size 1 'closed a connection'
done

[ $wrong -eq 0 ] || cat "$work/err"
exit $wrong
