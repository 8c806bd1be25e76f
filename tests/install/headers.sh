#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Each public header must compile by itself, in standard C and C++. It must define no macros but
# those with belay's names, which could otherwise collide with the program's.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
complain()
{
        echo "$1"
        wrong=1
}

mapfile -t headers < <(cd include && find . -name '*.h' -printf '%P\n' | sort)
common=(-pedantic-errors -Wall -Wextra -Werror -Wundef -Iinclude -fsyntax-only)

# Each header is included twice, to test its guard.
for header in "${headers[@]}"; do
        printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$work/header.c"
        cp "$work/header.c" "$work/header.cc"
        for compiler in gcc clang; do
                command -v $compiler >/dev/null || continue
                $compiler -std=c11 -Wstrict-prototypes "${common[@]}" "$work/header.c" ||
                        complain "$header: $compiler -std=c11"
        done
        for compiler in g++ clang++; do
                command -v $compiler >/dev/null || continue
                $compiler -std=c++17 "${common[@]}" "$work/header.cc" ||
                        complain "$header: $compiler -std=c++17"
        done
done

# All headers at once, with options, masks and initializers in C++.
for compiler in g++ clang++; do
        command -v $compiler >/dev/null || continue
        for standard in c++17 c++20; do
                $compiler -std=$standard "${common[@]}" -Itests tests/base/options.cc ||
                        complain "tests/base/options.cc: $compiler -std=$standard"
        done
done

# Constants must be plain literals, or enumerators with a plain literal. Tools that read headers for
# other languages understand nothing else.
literal='(0x[0-9a-fA-F]+|[0-9]+)(LL?)?'
# These are texts, attributes, initializers and macros for C++.
others='HERE|API|MUST_USE|NEEDS_WIDE_STAT|WITHIN_LIFETIME|BEGIN|END|[A-Z_]+_INIT'
grep -rhE '^[[:space:]]*#[[:space:]]*define[[:space:]]+[A-Za-z_0-9]+[[:space:]]' include |
        sed -E 's/^[[:space:]]*#[[:space:]]*define[[:space:]]+//; s/[[:space:]]*(\/\*.*)?$//' |
        grep -vE "^BELAY_($others)[[:space:]]" >"$work/constants"
grep -vE "^[A-Z_]+[[:space:]]+-?$literal\$" "$work/constants" >"$work/strange" &&
        complain "constants that are no plain literals: $(cat "$work/strange")"
[ "$(grep -cE '^BELAY_(SECOND|NEVER)[[:space:]]' "$work/constants")" -gt 0 ] ||
        complain "no constants were found"
grep -rhE '^[[:space:]]*BELAY_[A-Z_]+[[:space:]]*(=|,)|enum \{ BELAY' include >"$work/enumerators"
grep -vE "BELAY_[A-Z_]+ = -?$literal(,|[[:space:]]|\$)" "$work/enumerators" >"$work/strange" &&
        complain "enumerators that have no plain literal: $(cat "$work/strange")"
[ -s "$work/enumerators" ] || complain "no enumerators were found"

# A macro must begin with BELAY_ or mask a function of its name. gcc lists the declared functions.
command -v gcc >/dev/null || { echo "no gcc"; exit 77; }
printf '#include <%s>\n' "${headers[@]}" >"$work/all.c"
gcc -DBELAY_NO_PLACES -Iinclude -fsyntax-only -aux-info "$work/list" "$work/all.c"
awk '/^\/\* include\// && match($0, /[A-Za-z_0-9]+ \(/) {
        print substr($0, RSTART, RLENGTH - 2)
}' "$work/list" | sort -u >"$work/functions"
[ -s "$work/functions" ] || complain "no declared functions were found"

grep -v '^belay_' "$work/functions" >"$work/strange" &&
        complain "functions of other names: $(cat "$work/strange")"

grep -rhoE '^[[:space:]]*#[[:space:]]*define[[:space:]]+[A-Za-z_0-9]+' include |
        sed -E 's/.*[[:space:]]//' | sort -u >"$work/macros"
grep -v '^BELAY_' "$work/macros" >"$work/masks" || true
comm -23 "$work/masks" "$work/functions" >"$work/strange"
[ ! -s "$work/strange" ] || complain "macros of other names: $(tr '\n' ' ' <"$work/strange")"

# Each function that takes a call site must have a mask, and each mask such a function.
sed -n 's/_placed$//p' "$work/functions" | sort >"$work/placed"
comm -3 "$work/masks" "$work/placed" >"$work/strange"
[ ! -s "$work/strange" ] || {
        names=$(tr -d '\t' <"$work/strange" | tr '\n' ' ')
        complain "mask without _placed, or _placed without mask: $names"
}

exit $wrong
