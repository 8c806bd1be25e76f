#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# script/abi must accept the changes that two libraries with one soname may have, and refuse all
# others.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v abidiff >/dev/null || { echo "no abidiff"; exit 77; }
[ -z "${SAN:-}${RUN:-}" ] || { echo "sees nothing else here"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra cc <<<"$CC"

# library NAME SONAME FIELD FUNCTION...
library()
{
        local name=$1 soname=$2 field=$3 function
        shift 3

        mkdir -p "$work/$name"
        {
                echo "struct thing { $field; };"
                for function; do
                        echo "__attribute__((visibility(\"default\")))" \
                                "long $function(const struct thing *thing);"
                done
        } >"$work/$name/thing.h"
        {
                echo '#include "thing.h"'
                for function; do
                        echo "long $function(const struct thing *thing) { return thing->first; }"
                done
        } >"$work/$name/thing.c"
        "${cc[@]}" -g -fPIC -shared -Wl,-soname,"$soname" "$work/$name/thing.c" \
                -o "$work/$name/lib.so"
}

compare()
{
        script/abi --compare "$work/old/lib.so" "$work/old" "$work/$1/lib.so" "$work/$1" \
                >"$work/out" 2>&1
}

fail()
{
        echo "$1"
        cat "$work/out"
        exit 1
}

library old lib.so.1 'int first, reserved[2]' one two
library same lib.so.1 'int first, reserved[2]' one two
library more lib.so.1 'int first, reserved[2]' one two three
library grown lib.so.1 'int first, reserved[3]' one two
library less lib.so.1 'int first, reserved[2]' one
library other lib.so.2 'int first, reserved[3]' one

compare same || fail "an equal library is refused"
compare more || fail "one more function is refused"
! compare grown || fail "a struct that grows is accepted"
! compare less || fail "a removed function is accepted"
compare other || fail "a library with another soname is refused"
