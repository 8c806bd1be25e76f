#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# libpq in tasks, with a real PostgreSQL. A cancelled query must end at the server, too.
set -euo pipefail
. "$(dirname "$0")/lib.inc"

example libraries/libpq
start_postgres
for backend in epoll io_uring; do
        run 0 env "BELAY_BACKEND=$backend" "$program" "$conninfo"
        has out '^a limit of 0\.2 s: Connection timed out'
        has out '^cancelled by another task: Operation canceled'
        has out '^    at the server: 0 such queries; 20 \+ 22 = 42$'
        [ ! -s err ] || { complain "it writes to stderr:"; cat err; }
done
# If the server is missing, the program must report it.
run 1 "$program" "host=$work/nowhere"
has err '^libpq: .*nowhere'
exit $wrong
