#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The manual pages: each public function and each part of the command is in one, mandoc accepts them
# without a complaint, and `make install' and `make uninstall' know them.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
wrong=0
complain()
{
        echo "$1"
        wrong=1
}

command -v gcc >/dev/null || { echo "no gcc"; exit 77; }

script/man "$work/man"
files=$(cd "$work/man" && find . -type f | sed 's|^\./||' | sort)
[ "$(script/man --list)" = "$files" ] || complain "script/man --list prints other files"

# ---- functions, as gcc lists them ----

find include -name '*.h' -printf '#include <%P>\n' >"$work/all.c"
gcc -DBELAY_NO_PLACES -Iinclude -fsyntax-only -aux-info "$work/list" "$work/all.c"
awk '/^\/\* include\/.* extern / && match($0, /[a-z_0-9]+ \(/) {
        print substr($0, RSTART, RLENGTH - 2)
}' "$work/list" | grep -v '_placed$' | sort -u >"$work/functions"
[ "$(wc -l <"$work/functions")" -gt 100 ] || complain "no functions were found"

while read -r name; do
        page=man3/$name.3
        [ -s "$work/man/$page" ] || { complain "$name() has no page"; continue; }
        ! grep -q '^\.so ' "$work/man/$page" || page=$(sed -n 's/^\.so //p' "$work/man/$page")
        for line in ".Nm $name" ".Fo $name" ".Ss $name"; do
                grep -qE "^$line( ,)?$" "$work/man/$page" || complain "$page: no line \"$line\""
        done
done <"$work/functions"

for header in include/belay/*.h; do
        name=${header##*/}
        name=${name%.h}
        [ "$name" = places ] || [ -s "$work/man/man3/belay_$name.3" ] || complain "$header: no page"
done

# ---- the command ----

page=$work/man/man1/belay.1
${RUN:-} "$BUILD/belay" --help >"$work/help"
subcommands=$(sed -nE 's/^  ([a-z]+) .*/\1/p' "$work/help")
[ -n "$subcommands" ] || complain "belay --help names no subcommands"
for subcommand in $subcommands; do
        grep -qx "\.It Cm $subcommand" "$page" || complain "belay(1) does not describe $subcommand"
        ${RUN:-} "$BUILD/belay" "$subcommand" --help >>"$work/help"
done
grep -oE '^  -[a-zA-Z], --[a-z]+' "$work/help" | sort -u | while read -r short long; do
        grep -q "^\.It Fl ${short:1:1} , Fl .-${long#--}" "$page" || echo "belay(1): no $long"
done >"$work/options"
[ ! -s "$work/options" ] || complain "$(cat "$work/options")"
grep -oE '^\.It Fl . , Fl .-[a-z]+' "$page" | sed 's/.*-/--/' | while read -r long; do
        grep -qE -- "^  -., $long( |$)" "$work/help" || echo "belay(1): the command has no $long"
done >"$work/options"
[ ! -s "$work/options" ] || complain "$(cat "$work/options")"

# ---- references ----

grep -rhoE '^\.Xr [a-z_0-9]+ [137]' "$work/man" | sort -u | while read -r _ name chapter; do
        [ -s "$work/man/man$chapter/$name.$chapter" ] || echo "no page for .Xr $name $chapter"
done >"$work/strange"
[ ! -s "$work/strange" ] || complain "$(cat "$work/strange")"

# ---- other implementations of awk ----

for awk in mawk gawk original-awk "busybox awk"; do
        command -v "${awk% *}" >/dev/null || continue
        mkdir -p "$work/bin"
        printf '#!/bin/sh\nexec %s "$@"\n' "$awk" >"$work/bin/awk"
        chmod +x "$work/bin/awk"
        PATH=$work/bin:$PATH script/man "$work/other"
        diff -r "$work/man" "$work/other" >"$work/diff" || complain "$awk: $(head -20 "$work/diff")"
done

# ---- installing ----

call_make()
{
        "${MAKE:-make}" -s "$@" BUILD="$BUILD" CC="$CC" CXX= >"$work/log" 2>&1 ||
                complain "make $1: $(cat "$work/log")"
}
mkdir -p "$work/a b/usr/my man/man3"
echo other >"$work/a b/usr/my man/man3/other.3"
call_make install-files DESTDIR="$work/a b" PREFIX=/usr MANDIR="/usr/my man"
installed=$(cd "$work/a b/usr/my man" && find . -type f ! -name other.3 | sed 's|^\./||' | sort)
[ "$installed" = "$files" ] || complain "other pages are installed than generated"
call_make uninstall DESTDIR="$work/a b" PREFIX=/usr MANDIR="/usr/my man"
left=$(cd "$work/a b" && find . -type f)
[ "$left" = "./usr/my man/man3/other.3" ] || complain "after make uninstall: $left"

# ---- markup ----

# It looks for the pages of other systems, of which ours are none: see the references above.
[ "$wrong" -eq 0 ] || exit 1
command -v mandoc >/dev/null || { echo "no mandoc"; exit 77; }
grep -rL '^\.so' "$work/man" | sort | xargs mandoc -T lint >"$work/lint" || true
grep -v 'referenced manual not found' "$work/lint" && complain "mandoc complains"

exit $wrong
