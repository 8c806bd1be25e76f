#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The libraries must define exactly what the headers declare, and no symbol that could collide with
# a program's own names.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

[ -z "${SAN:-}" ] || { echo "sanitizers add symbols of their own"; exit 77; }
command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
# complain WHAT NAMES: complains if NAMES is not empty
complain()
{
        [ -z "$2" ] || { echo "$1: ${2//$'\n'/ }"; wrong=1; }
}

# gcc lists the functions. Objects are declared as `BELAY_API extern ...'.
find include -name '*.h' -printf '#include <%P>\n' >"$work/all.c"
gcc -DBELAY_NO_PLACES -Iinclude -fsyntax-only -aux-info "$work/list" "$work/all.c"
{
        awk '/^\/\* include\/.* extern / && match($0, /[A-Za-z_0-9]+ \(/) {
                print substr($0, RSTART, RLENGTH - 2)
        }' "$work/list"
        find include -name '*.h' -exec sed -nE \
                '/BELAY_API extern|extern BELAY_API/s/^.*[ *]([a-z_0-9]+)(\[[^]]*\])*;.*$/\1/p' {} +
} | sort -u >"$work/declared"

# The symbol version itself is listed as absolute.
nm -D --defined-only "$BUILD/libbelay.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        sort -u >"$work/exported"

complain "exported, and not ours by name" "$(grep -v '^belay_' "$work/exported" || true)"
complain "declared, but not exported" "$(comm -23 "$work/declared" "$work/exported")"
complain "exported, but not declared" "$(comm -13 "$work/declared" "$work/exported")"

nm -g --defined-only "$BUILD/libbelay.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        sort -u >"$work/static"
complain "in libbelay.a, and not ours by name" "$(grep -vE '^(belay|bly)_' "$work/static" || true)"

exit $wrong
