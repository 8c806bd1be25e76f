#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Checks that includes and calls point one way. Each part of src/ may use itself and the parts
# before it. Programs that are built on the library may use only its public headers.
#
# A part may call only those functions of later parts that src/core/upcalls.h declares. That file
# gives the reason for each.
set -euo pipefail
cd "$(dirname "$0")/.."

# The parts, from the bottom up.
parts=(switch stack base core cancel scope many sync thread io stream net file inspect loop testing
        places)

declare -A level=()
for index in "${!parts[@]}"; do
        level[${parts[index]}]=$index
done

wrong=0
complain()
{
        echo "$1"
        wrong=1
}

# Prints file:line of each include, its mark, and the name between the marks.
includes()
{
        find "$@" -regex '.*\.\(c\|h\|S\|cc\)' -exec grep -nHoE \
                '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]*' {} + |
                sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*(["<])/ \1 /' || true
}

for directory in src/*/; do
        part=$(basename "$directory")
        if [ -z "${level[$part]:-}" ] && [ -n "$(find "$directory" -type f)" ]; then
                complain "$directory: its place in the list of parts is not known (tests/layers.sh)"
        fi
done

while read -r place mark name; do
        file=${place%:*}
        part=${file#src/}
        part=${part%%/*}
        [ "$mark" = '"' ] || continue
        case $name in
        ../* | */../*) complain "$place: \"$name\": write it as \"part/file.h\""; continue ;;
        esac
        # The compiler, too, first searches the directory of the file.
        [ ! -e "${file%/*}/$name" ] || continue
        [ -e "src/$name" ] || { complain "$place: \"$name\": no such header"; continue; }
        used=${name%%/*}
        if [ -z "${level[$used]:-}" ] || [ "${level[$used]}" -gt "${level[$part]:-0}" ]; then
                complain "$place: $part may not use $used"
        fi
done < <(includes src)

# Compares the calls in the objects, which need no include.
upcalls=" $(sed -n 's/^[a-z].*[ *]\(bly_[a-z_]*\)(.*/\1/p' src/core/upcalls.h | tr '\n' ' ')"
declare -A defined_in=()
objects=${BUILD:-build}/obj/src
# A build directory may also have objects of sources that have moved since.
of_sources=()
for source in src/*/*.[cS]; do
        [ ! -e "$objects/${source#src/}.o" ] || of_sources+=("$objects/${source#src/}.o")
done
while read -r file symbol; do
        part=${file#"$objects"/}
        defined_in[$symbol]=${part%%/*}
done < <("${NM:-nm}" -A --defined-only --extern-only "${of_sources[@]}" 2>/dev/null |
        sed -nE 's/^([^:]+):[0-9a-f]* [A-Za-z] ([A-Za-z_][A-Za-z0-9_]*)$/\1 \2/p')
[ "${#defined_in[@]}" -gt 500 ] || complain "$objects: no objects were found"
while read -r file symbol; do
        part=${file#"$objects"/}
        part=${part%%/*}
        used=${defined_in[$symbol]:-}
        [ -n "$used" ] && [ "${level[$used]:-0}" -gt "${level[$part]:-0}" ] || continue
        case $upcalls in
        *" $symbol "*) ;;
        *) complain "${file#"$objects"/}: calls $symbol() of $used, which is built on $part" ;;
        esac
done < <("${NM:-nm}" -A --undefined-only "${of_sources[@]}" 2>/dev/null |
        sed -nE 's/^([^:]+):[ ]+U ([A-Za-z_][A-Za-z0-9_]*)$/\1 \2/p')
for symbol in $upcalls; do
        [ -n "${defined_in[$symbol]:-}" ] ||
                complain "src/core/upcalls.h: no part defines $symbol()"
done

for directory in cli examples bench; do
        [ -d "$directory" ] || continue
        while read -r place mark name; do
                # for the benchmark of the bare switch
                [ "$directory:$name" != bench:switch/switch.h ] || continue
                if [ "$mark" = '"' ]; then
                        # The include names a file of the same directory tree.
                        beside=$(realpath -m --relative-to=. "${place%/*}/$name")
                        [[ -e $beside && $beside == "$directory"/* ]] ||
                                [ -e "$directory/$name" ] ||
                                complain "$place: \"$name\": only public headers, <belay...>"
                elif [[ $name == */* && -e src/$name || $name == *../* ]]; then
                        complain "$place: <$name>: only public headers, <belay...>"
                fi
        done < <(includes "$directory")
done

while read -r place mark name; do
        [[ $mark = '<' && ! -e src/$name ]] ||
                complain "$place: $name: a public header includes public headers, as <belay...>"
done < <(includes include)

exit $wrong
