#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The pages against the project: the quoted programs, the dump in the README, the links, tests,
# commands and functions that the pages name, the headers that exist and do not exist, the steps of
# script/test.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8
unset BELAY_SEED BELAY_DEBUG

page=README.md
pages=("$page" CHANGELOG.md SECURITY.md docs/from-asyncio.md docs/others.md
        examples/documents/README.md)
build=${BUILD:-build}
read -ra run <<<"${RUN:-}"
. tests/docs/quotes.inc

check_quotes $page "$work/blocks"
[ "$quoted" -ge 2 ] || complain "$page quotes $quoted programs"

# ---- the dump ----

# The page wraps lines, so words are compared. Addresses, descriptors and sizes of stacks vary.
words()
{
        sed -E -e 's/0x[0-9a-f]+/ADDRESS/g' -e 's/@server-[0-9]+/@server/g' \
                -e 's/fd [0-9]+/fd N/g' -e 's/stack [0-9.]+ of [0-9.]+ KiB/stack N/g' \
                -e 's#examples/front/##g' | tr -s ' \n|' '\n'
}
shown=
for path_file in "$work"/blocks/*.path; do
        [ "$(<"$path_file")" != build/examples/front/server ] || shown=${path_file%.path}
done
if [ -z "$shown" ]; then
        complain "$page shows no output of build/examples/front/server"
else
        BELAY_BACKEND=epoll "${run[@]}" "$build/examples/front/server" \
                >"$work/dump" 2>"$work/log" ||
                complain "examples/front/server fails: $(<"$work/log")"
        tr '\n' ' ' <"$shown" | sed 's/  *|* */ /g' | words >"$work/shown"
        words <"$work/dump" >"$work/printed"
        diff -u --label "$page" --label "the program" "$work/shown" "$work/printed" ||
                complain "$page shows another dump than the program prints"
fi

[ "$("${run[@]}" "$build/examples/front/first")" = $'work: cancelled, cleaning up\ndone' ] ||
        complain "examples/front/first prints something else"

# ---- what the pages name ----

# Each text in the page that a pattern matches, once.
found()
{
        { grep -oE -e "$1" "$each" || true; } | sort -u
}

for each in "${pages[@]}"; do
        directory=$(dirname "$each")
        found '\]\([^)#]+' | sed -e 's/^](//' -e '/^[a-z]*:/d' >"$work/links"
        while read -r link; do
                [ -e "$directory/$link" ] || complain "$each: no such file: $link"
        done <"$work/links"
        found '`(tests|examples|docs|src|bench|script)/[A-Za-z0-9_./-]+' | tr -d '`' >"$work/named"
        while read -r path; do
                [ -e "$path" ] || complain "$each: no such file: $path"
        done <"$work/named"
        found 'script/[a-z]+' >"$work/named"
        while read -r path; do
                [ -x "$path" ] || complain "$each: no such command: $path"
        done <"$work/named"
        found '\b(belay|BELAY)_[A-Za-z0-9_]+' >"$work/named"
        while read -r name; do
                grep -rqw -e "$name" include || complain "$each: the headers do not know $name"
        done <"$work/named"
done

# ---- what there is, and what there is not yet ----

sed -nE 's/^\|[^|]*\| not yet \| `(belay\/[a-z_]+\.h)` \|$/\1/p' $page >"$work/missing"
[ -s "$work/missing" ] || complain "$page has no table of what is not there yet"
while read -r header; do
        [ ! -e "include/$header" ] || complain "$page says \"not yet\" of <$header>, which exists"
done <"$work/missing"

sed -n '/^| header |/,/^$/p' $page | grep -oE '^\|[^|]*' | grep -oE 'belay/[a-z_]+\.h' |
        sort >"$work/listed"
(cd include && printf '%s\n' belay/*.h) | sort >"$work/headers"
diff -u --label "$page" --label include/ "$work/listed" "$work/headers" ||
        complain "$page lists other headers"

# ---- the steps of script/test ----

sed -nE 's/^(ordinary|extra|foreign)=\((.*)\)$/\2/p' script/test | tr ' ' '\n' | sort >"$work/steps"
[ "$(wc -l <"$work/steps")" -ge 10 ] || complain "script/test has no lists of steps"
echo services >>"$work/steps"
sed -n '/^| platform |/,/^$/p' $page | grep -F 'script/test' | sed 's/`script\/test[^`]*`//' |
        grep -oE '`[a-z0-9_]+`' | tr -d '`' >"$work/named"
diff -u --label "$page" --label script/test <(sort "$work/named") <(sort "$work/steps") ||
        complain "$page names other steps than script/test has"

exit $wrong
