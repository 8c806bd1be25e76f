#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs/from-asyncio.md quotes every program of examples/documents, and each block is a part of the
# file that is named above it. Then the programs themselves: on virtual clocks each Python program
# prints the lines of its C twin.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset BELAY_SEED

page=docs/from-asyncio.md
here=tests/docs
. $here/quotes.inc

# ---- the quoted blocks ----

check_quotes $page "$work/blocks"
for source in examples/documents/*.c; do
        for path in "$source" "${source%.c}.py"; do
                grep -qxF "$path" "$work"/blocks/*.path || complain "$page does not quote $path"
        done
done
[ "$quoted" -ge 44 ] || complain "$page has $quoted quoted blocks only"

# ---- the programs ----

finish()
{
        [ $wrong = 0 ] || exit 1
        [ $# = 0 ] || { echo "skip: $*"; exit 77; }
        exit 0
}

python=$(command -v python3) || finish "the quotes are right; there is no python3 for the programs"
version=$("$python" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])')
[ "$version" -ge 311 ] || finish "the quotes are right; the programs need Python 3.11"

read -ra cc <<<"${CC:-cc} ${CFLAGS:-}${SAN:+ -fsanitize=$SAN}"
read -ra libs <<<"${LIBS:--luring -pthread -lm}"
read -ra run <<<"${RUN:-}"
build=${BUILD:-build}

for source in examples/documents/*.c; do
        name=$(basename "$source" .c)
        twin=examples/documents/$name.py
        [ -f "$twin" ] || { complain "$source has no Python twin"; continue; }
        needs=$(sed -n 's/^# Needs Python 3\.\([0-9]*\).*/\1/p' "$twin")
        if [ -n "$needs" ] && [ "$version" -lt $((300 + needs)) ]; then
                echo "not compared: $name, whose Python twin needs Python 3.$needs"
                continue
        fi
        "${cc[@]}" -O0 -g0 -std=gnu11 -Wall -Wextra -Iinclude -include $here/virtual.h "$source" \
                "$build/libbelay.a" "${libs[@]}" -o "$work/program"
        "${run[@]}" "$work/program" >"$work/c" || complain "$source fails"
        "$python" $here/virtual.py "$twin" >"$work/python" || complain "$twin fails"
        # asyncio does not record the origin of a request, so only C prints it.
        sed -i -e '/  the request came from /d' \
                -e 's/\(caught a cancellation\) ([a-z-]*)/\1/' "$work/c"
        diff -u --label "$twin" --label "$source" "$work/python" "$work/c" ||
                complain "$name: other events"
        [ "$(wc -l <"$work/c")" -ge 3 ] || complain "$source prints less than three lines"
done
finish
