#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every public function is shown somewhere: in a program below examples/, or in C that a document
# shows. The forms that take a place are for bindings, and their macros stand for them.
. "$(dirname "$0")/lib.inc"

# Functions that need no example, a line each: the name, and the reason.
excused='
'

command -v gcc >/dev/null || { echo "no gcc, which lists what is declared"; exit 77; }
(cd include && find . -name '*.h' -printf '#include <%P>\n' | sort) >"$work/all.c"
gcc -DBELAY_NO_PLACES -Iinclude -fsyntax-only -aux-info "$work/declared" "$work/all.c"
sed -nE 's/^\/\* include\/[^(]* \**([a-z_0-9]+) \(.*/\1/p' "$work/declared" |
        grep -v '_placed$' | sort -u >"$work/functions"
[ -s "$work/functions" ] || complain "no declared functions were found"

# A word in a comment shows nothing.
for source in examples/*/*.[ch]; do
        gcc -fpreprocessed -dD -E -P "$source" 2>/dev/null
done >"$work/shown"
for document in "${documents[@]}"; do
        blocks "$document" >"$work/list"
        for block in "$work"/blocks/*.c; do
                [ -e "$block" ] || continue
                gcc -fpreprocessed -dD -E -P "$block" 2>/dev/null || true
        done
done >>"$work/shown"
grep -owE 'belay_[a-z_0-9]+' "$work/shown" | sort -u >"$work/words"
awk 'NF { print $1 }' <<<"$excused" | sort -u >"$work/excused"

comm -23 "$work/functions" "$work/words" | comm -23 - "$work/excused" >"$work/missing"
[ ! -s "$work/missing" ] ||
        complain "functions that no example and no document shows: $(tr '\n' ' ' <"$work/missing")"
# An excuse that is not needed would hide the next loss.
comm -12 "$work/excused" "$work/words" >"$work/idle"
[ ! -s "$work/idle" ] ||
        complain "functions that are excused, but shown: $(tr '\n' ' ' <"$work/idle")"
comm -23 "$work/excused" "$work/functions" >"$work/unknown"
[ ! -s "$work/unknown" ] ||
        complain "no such functions, but excused: $(tr '\n' ' ' <"$work/unknown")"

exit $wrong
