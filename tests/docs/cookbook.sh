#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# docs/cookbook.md quotes its recipes from programs. Each quotation stands in its program as it is
# quoted, and compiles by itself after the program's own #include lines. Each program is quoted, and
# ends with 0.
. "$(dirname "$0")/lib.inc"

document=docs/cookbook.md
warnings=(-Wall -Wextra -Werror -Wno-unused-function)

blocks "$document" >"$work/list"
while IFS=$'\t' read -r number line quoted reason; do
        block=$work/blocks/$number.c at=$document:$line
        [ "$quoted" != - ] || { complain "$at: this block names no file ($reason)"; continue; }
        [ -f "$quoted" ] || { complain "$at: there is no $quoted"; continue; }
        quotes "$block" "$quoted" || complain "$at: this does not stand in $quoted"
        echo "$quoted" >>"$work/quoted"
        # A quotation from another example may need the rest of its file.
        case $quoted in
        examples/cookbook/*) ;;
        *) continue ;;
        esac
        grep -E '^#(define _|include <)' "$quoted" | cat - "$block" >"$work/recipe.c"
        "${compile[@]}" "${warnings[@]}" -c "$work/recipe.c" -o "$work/recipe.o" 2>"$work/errors" ||
                complain "$at: this does not compile by itself: $(cat "$work/errors")"
done <"$work/list"
[ -s "$work/quoted" ] || complain "$document: no block was found"

for source in examples/cookbook/*.c; do
        grep -qxF "$source" "$work/quoted" || complain "$source: $document does not quote it"
        program=$BUILD/${source%.c}
        [ -x "$program" ] || { complain "$program was not built"; continue; }
        status=0
        "${run[@]}" "$program" >"$work/output" 2>&1 </dev/null || status=$?
        [ "$status" = 0 ] || complain "$source: exit status $status: $(cat "$work/output")"
done

exit $wrong
