#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# belay inside GLib, libuv and sd-event, with both of its back ends. Timers, descriptors and calls
# of both sides must work.
set -euo pipefail
. "$(dirname "$0")/lib.inc"

built=0
for host in glib libuv sd_event; do
        if [ ! -x "$BUILD/examples/embed/$host" ]; then
                echo "examples/embed/$host was not built"
                continue
        fi
        built=$((built + 1))
        for backend in epoll io_uring; do
                run 0 env "BELAY_BACKEND=$backend" "$BUILD/examples/embed/$host"
                has out ' good$'
        done
done
[ "$built" -gt 0 ] || skip "none of the examples was built"
exit $wrong
