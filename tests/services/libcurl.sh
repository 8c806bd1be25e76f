#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# libcurl's multi interface in tasks, with a real nginx: transfers at once, and one that is
# cancelled midway.
set -euo pipefail
. "$(dirname "$0")/lib.inc"

example libraries/libcurl
needs curl python3
mkdir www
head -c 300000 /dev/zero >www/some
head -c 20000000 /dev/zero >www/much
start_nginx

sent_ten()
{
        [ "$(grep -c '^/some 200 300000$' access.log)" -eq 10 ]
}

for backend in epoll io_uring; do
        : >access.log
        url=http://127.0.0.1:$nginx_port
        run 0 env "BELAY_BACKEND=$backend" "$program" "$url/some" "$url/slow/much"
        [ "$(grep -c '/some: 300000 bytes$' out)" -eq 10 ] ||
                { complain "not ten transfers:"; cat out; }
        has out '/slow/much: Operation canceled, after [0-9]+ bytes$'
        [ ! -s err ] || { complain "it writes to stderr:"; cat err; }
        # The server must have noticed that the client was gone, and must not have sent the whole
        # file.
        eventually grep -q '^/slow/much 200 ' access.log || complain "the server still sends"
        eventually sent_ten || { complain "the server logged something else:"; cat access.log; }
        [ "$(sed -n 's|^/slow/much 200 ||p' access.log)" -lt 20000000 ] ||
                complain "all of it was sent"
done
# A transfer that fails must end the others.
run 1 "$program" "$url/nothing" "$url/slow/much"
has err 'HTTP'
exit $wrong
