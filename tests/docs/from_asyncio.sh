#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs/from-asyncio.md: each block that it quotes is a part of the file named above the block, and names every program
# of examples/documents. Then the programs themselves: each Python program prints what its C twin prints, on virtual
# clocks.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset BELAY_SEED

page=docs/from-asyncio.md
here=tests/docs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
complain()
{
        echo "WRONG: $*"
        wrong=1
}

# ---- the quoted blocks ----

# The line above the fence, apart from blank lines, is the path in backticks, and a colon if there is more to come.
# Writes each block to a file N, and its path to the file N.path.
mkdir "$work/blocks"
awk -v into="$work/blocks/" '
        fenced && /^```/        { fenced = 0; close(file); next }
        fenced                  { print > file; next }
        /^```/                  { fenced = 1; file = into (++blocks)
                                  printf "" > file
                                  print (above ~ /^`[^` ]+`:?$/ ? above : "") > (file ".path")
                                  close(file ".path"); next }
        /[^ ]/                  { above = $0 }
' "$page"

quoted=0
: >"$work/paths"
for path_file in "$work"/blocks/*.path; do
        block=${path_file%.path}
        path=$(tr -d '`:' <"$path_file")
        [ -n "$path" ] || continue
        quoted=$((quoted + 1))
        echo "$path" >>"$work/paths"
        if [ ! -f "$path" ]; then
                complain "$page quotes $path, which does not exist"
        else
                # With a line break at both ends, so that lines are whole.
                text=$'\n'$(<"$block")$'\n' all=$'\n'$(<"$path")$'\n'
                [[ $all == *"$text"* ]] || complain "$page: this is no part of $path: $(<"$block")"
        fi
done
for source in examples/documents/*.c; do
        for path in "$source" "${source%.c}.py"; do
                grep -qxF "$path" "$work/paths" || complain "$page does not quote $path"
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
[ "$version" -ge 311 ] || finish "the quotes are right; python3 is older than 3.11, so the programs do not run"

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
        "${cc[@]}" -std=gnu11 -Wall -Wextra -Iinclude -include $here/virtual.h "$source" "$build/libbelay.a" \
                "${libs[@]}" -o "$work/program"
        "${run[@]}" "$work/program" >"$work/c" || complain "$source fails"
        "$python" $here/virtual.py "$twin" >"$work/python" || complain "$twin fails"
        # asyncio does not know where a request came from: that is C's alone.
        sed -i -e '/  it was asked for by /d' -e 's/^\(.*caught a cancellation\) ([a-z-]*)/\1/' "$work/c"
        diff -u --label "$twin" --label "$source" "$work/python" "$work/c" || complain "$name: other events"
        [ "$(wc -l <"$work/c")" -ge 3 ] || complain "$source prints less than three lines"
done
finish
