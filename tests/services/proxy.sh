#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The proxy in front of a real nginx: under the load of wrk, with whole files, and with its limits.
set -euo pipefail
. "$(dirname "$0")/lib.inc"

example net/proxy
needs curl python3 wrk
mkdir www
head -c 5000 /dev/urandom >www/page
head -c 8000000 /dev/urandom >www/much
start_nginx

# start_proxy LIMITS...: starts the proxy at $address. Its log is in proxy.out.
start_proxy()
{
        : >proxy.out
        : >proxy.err
        "$program" 127.0.0.1:0 "127.0.0.1:$nginx_port" "$@" >>proxy.out 2>>proxy.err </dev/null &
        proxy=$!
        servers+=("$proxy")
        eventually grep -q '^listening at ' proxy.out ||
                { cat proxy.err; echo "the proxy does not start"; exit 1; }
        address=$(sed -n 's/^listening at //p' proxy.out)
}

stop_proxy()
{
        local status=0

        kill -TERM "$proxy"
        wait "$proxy" || status=$?
        [ "$status" -eq 0 ] || complain "its exit status is $status"
        [ ! -s proxy.err ] || { complain "it writes to stderr:"; cat proxy.err; }
}

descriptors()
{
        find "/proc/$proxy/fd" -type l | wc -l
}

holds()
{
        [ "$(descriptors)" -eq "$1" ]
}

# logged COUNT: succeeds if at least COUNT connections have ended
logged()
{
        [ "$(grep -c '^tcp 127\.0\.0\.1:.* bytes there, ' proxy.out)" -ge "$1" ]
}

for backend in epoll io_uring; do
        export BELAY_BACKEND=$backend

        # Whole files, three at a time.
        start_proxy 10 100
        before=$(descriptors)
        copying=()
        for each in 1 2 3; do
                curl -s -o "copy$each" "http://$address/much" &
                copying+=($!)
        done
        wait "${copying[@]}" || complain "curl failed with $?"
        for each in 1 2 3; do
                cmp -s www/much "copy$each" || complain "copy $each differs"
                rm -f "copy$each"
        done
        eventually logged 3 || { complain "not three connections:"; cat proxy.out; }
        [ "$(grep -cE ' 8[0-9]{6} back, .*: done$' proxy.out)" -eq 3 ] ||
                { complain "not three that are done:"; cat proxy.out; }

        # Under load no answer may be wrong, and in the end no descriptor may be left.
        : >access.log
        run 0 wrk -c 50 -t 2 -d 2s "http://$address/page"
        has out '^ *[1-9][0-9]* requests in '
        ! grep -E 'Non-2xx|Socket errors' out || complain "wrk reports errors"
        eventually logged 53 || { complain "not fifty connections more:"; cat proxy.out; }
        ! grep -F "tcp $address: " proxy.out ||
                complain "a client is called by the proxy's own address"
        eventually holds "$before" ||
                complain "it holds $(descriptors) descriptors, and held $before"
        asked=$(sed -nE 's/^ *([0-9]+) requests in .*/\1/p' out)
        [ "$(grep -c '^/page 200 5000$' access.log)" -ge "$asked" ] ||
                complain "nginx answered less often than wrk was answered"
        stop_proxy

        # The idle limit must end a silent connection, but not a slow one. The total limit must end
        # each connection.
        start_proxy 2 6
        exec 5<>"/dev/tcp/${address%:*}/${address##*:}"
        ! read -r -t 30 -u 5 _ 2>/dev/null ||
                complain "a client that sent nothing receives an answer"
        exec 5>&-
        eventually logged 1 || complain "a silent client is not cut off"
        has proxy.out ': 0 bytes there, 0 back, [0-9.]+ s: it was idle for too long$'
        head -c 1000000 www/much >www/little
        run 0 curl -s -o copy "http://$address/slow/little"
        cmp -s www/little copy || complain "the slow copy differs"
        status=0
        curl -s -o copy "http://$address/slow/much" || status=$?
        [ "$status" -ne 0 ] || complain "the endless transfer ended without an error"
        eventually grep -q ': it took too long$' proxy.out ||
                { complain "the total limit did not expire:"; cat proxy.out; }
        stop_proxy
done
exit $wrong
