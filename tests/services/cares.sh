#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# c-ares in tasks, with a name server that answers by UDP, by TCP, late, or never.
set -euo pipefail
. "$(dirname "$0")/lib.inc"

example libraries/cares
needs python3

for backend in epoll io_uring; do
        : >log
        start python3 "$here/dns.py"
        eventually test -s log || { echo "the name server does not start"; exit 1; }
        server_at=127.0.0.1:$(cat log)

        run 0 env "BELAY_BACKEND=$backend" "$program" -s "$server_at" one.test two.test late.test
        printf '%s\n' 'one.test 192.0.2.1' 'two.test 192.0.2.2' 'late.test 192.0.2.3' >expected
        [ "$(cat out)" = "$(cat expected)" ] || { complain "wrong addresses:"; cat out; }
        # The answer is too long for UDP, so c-ares must query again by TCP.
        run 0 env "BELAY_BACKEND=$backend" "$program" -s "$server_at" long.test
        [ "$(wc -w <out)" -eq 101 ] || { complain "not a hundred addresses:"; cat out; }
        # A hundred lookups at once. The two that fail must not disturb the others.
        names=()
        for ((i = 0; i < 50; i++)); do names+=(one.test two.test); done
        run 1 env "BELAY_BACKEND=$backend" "$program" -t 1 -s "$server_at" \
                "${names[@]}" nobody.test silent.test
        [ "$(grep -cE '^(one|two)\.test 192\.0\.2\.[12]$' out)" -eq 100 ] ||
                { complain "not all:"; cat out; }
        has out '^nobody\.test Domain name not found$'
        # The limit of the lookup must expire, even if c-ares would try longer.
        has out '^silent\.test Connection timed out$'
        [ ! -s err ] || { complain "it writes to stderr:"; cat err; }
done
exit $wrong
