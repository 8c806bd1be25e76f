#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the documents show of C is built as a reader copies it.
#
# A block of C (```c) is one of three kinds:
#     - The line above it names a file, alone and in backquotes, with or without a colon. The block
#       must stand in that file as it is, and the file is tested elsewhere.
#     - The line above it is <!-- fragment: REASON -->. The block is not built.
#     - Any other block is built. If it has a main(), it is compiled and linked, else only compiled.
#       If it includes nothing, <belay.h> and the usual headers of the C library come before it.
. "$(dirname "$0")/lib.inc"

headers=(belay.h fcntl.h inttypes.h signal.h stdio.h stdlib.h string.h
        sys/socket.h sys/stat.h sys/uio.h unistd.h)
seen=0
for document in "${documents[@]}"; do
        blocks "$document" >"$work/list"
        while IFS=$'\t' read -r number line quoted reason; do
                seen=$((seen + 1))
                block=$work/blocks/$number.c at=$document:$line
                if [ "$quoted" != - ]; then
                        if [ ! -f "$quoted" ]; then
                                complain "$at: there is no $quoted"
                        elif ! quotes "$block" "$quoted"; then
                                complain "$at: this does not stand in $quoted"
                        fi
                        continue
                fi
                [ "$reason" = - ] || continue
                if grep -qE '^#[[:space:]]*include' "$block"; then
                        cp "$block" "$work/block.c"
                else
                        printf '#include <%s>\n' "${headers[@]}" | cat - "$block" >"$work/block.c"
                fi
                how=(-c -o "$work/block.o")
                if grep -qE '^int main\(' "$block"; then
                        how=(-o "$work/block" "$BUILD/libbelay.a" "${libraries[@]}")
                fi
                "${compile[@]}" -Wall -Werror -Wno-unused-function "$work/block.c" "${how[@]}" \
                        2>"$work/errors" ||
                        complain "$at: this does not build: $(cat "$work/errors")"
        done <"$work/list"
done
[ "$seen" -gt 20 ] || complain "only $seen blocks were found"

exit $wrong
