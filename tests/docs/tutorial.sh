#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The tutorial shows the programs of examples/tutorial/ as they are and prints their real output,
# and the index of the examples names all of them.
#
# In docs/tutorial.md a line before each block names its source. A `c' block is a run of lines of
# the file, and a `text' block is the whole output of the program:
#
#     `examples/tutorial/01-first-task.c`:
#     `build/examples/tutorial/01-first-task` prints:
set -euo pipefail
cd "$(dirname "$0")/../.."

tutorial=$PWD/docs/tutorial.md
build=${BUILD:-$PWD/build}
read -ra run <<<"${RUN:-}"
unset BELAY_SEED BELAY_BACKEND BELAY_DEBUG

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
complain()
{
        echo "WRONG: $*"
        wrong=1
}

# ---- the blocks ----

# Writes each block to $work/blocks/NUMBER, and a line for each with number, kind and source.
mkdir "$work/blocks"
awk -v to="$work/blocks/" '
        inside && /^```$/ { close(to number); inside = 0; before = ""; next }
        inside { print >(to number); next }
        /^```/ {
                inside = 1
                number++
                printf "" >(to number)
                source = "-"
                if (before ~ /^`[^` ]*`( prints)?:$/)
                        split(before, words, "`")
                if (before ~ /^`[^` ]*`:$/ && substr($0, 4) == "c" ||
                    before ~ /^`build\/[^` ]*` prints:$/ && substr($0, 4) == "text")
                        source = words[2]
                print number, NR, substr($0, 4), source
                next
        }
        NF { before = $0 }
        END { if (inside) print "- -", "unfinished", "-" }
' "$tutorial" >"$work/list"

# check_source NUMBER LINE FILE
check_source()
{
        local file=$3 text block

        if [[ $file != examples/tutorial/*.c || ! -f $file ]]; then
                complain "line $2: no program $file"
                return
        fi
        # With a newline before and after, so that whole lines match.
        text=$'\n'$(cat "$file")$'\n'
        block=$'\n'$(cat "$work/blocks/$1")$'\n'
        [[ $text == *"$block"* ]] || {
                complain "line $2: the block is no part of $file"
                diff "$file" "$work/blocks/$1" | grep '^>' || true
        }
}

# run_program NAME BACKEND: in an empty directory, which the program must leave empty.
run_program()
{
        local name=$1 backend=$2 code=0

        mkdir "$work/here"
        (
                cd "$work/here"
                export BELAY_BACKEND=$backend
                exec "${run[@]}" "$build/examples/tutorial/$name"
        ) >"$work/out" 2>"$work/err" </dev/null || code=$?
        [ "$code" -eq 0 ] || complain "$name, $backend: exit code $code"
        if [ -s "$work/err" ]; then
                complain "$name, $backend: it writes to stderr"
                cat "$work/err"
        fi
        if ! rmdir "$work/here"; then
                complain "$name, $backend: it leaves files"
                rm -r "$work/here"
        fi
}

# A loop that cannot use io_uring logs that, and uses epoll.
backends=(epoll)
first=$build/examples/tutorial/01-first-task
if BELAY_BACKEND=io_uring "${run[@]}" "$first" 2>&1 >/dev/null | grep -q 'io_uring .*epoll'; then
        echo "no io_uring"
else
        backends+=(io_uring)
fi

# check_output NUMBER LINE PROGRAM
check_output()
{
        local name=${3##*/} backend

        [ "$3" = "build/examples/tutorial/$name" ] || { complain "line $2: no program $3"; return; }
        for backend in "${backends[@]}"; do
                run_program "$name" "$backend"
                cmp -s "$work/blocks/$1" "$work/out" || {
                        complain "line $2: $name, $backend: other output"
                        diff "$work/blocks/$1" "$work/out" || true
                }
        done
}

while read -r number line kind source; do
        case $kind:$source in
        c:- | text:-) complain "line $line: no line before the block names its source" ;;
        c:*) check_source "$number" "$line" "$source"; echo "$source" >>"$work/shown" ;;
        text:*) check_output "$number" "$line" "$source"; echo "$source" >>"$work/printed" ;;
        sh:-) ;;
        *) complain "line $line: a block of the kind '$kind'" ;;
        esac
done <"$work/list"

# ---- all of them ----

for file in examples/tutorial/*.c; do
        name=${file%.c}
        grep -qxF "$file" "$work/shown" || complain "the tutorial shows nothing of $file"
        [ "$(grep -cxF "build/$name" "$work/printed")" = 1 ] ||
                complain "the tutorial does not show the output of $file once"
done

index=examples/README.md
for file in examples/*/*.c; do
        count=$(grep -cF "](${file#examples/})" "$index") || true
        [ "$count" = 1 ] || complain "$index names $file $count times"
done

# Each call that an entry names stands in the entry's program.
awk '
        /^- \[/ && match($0, /\]\([^)]*\.c\)/) { file = substr($0, RSTART + 2, RLENGTH - 3) }
        /^$/ { file = "" }
        file != "" {
                while (match($0, /`belay_[a-z_]+\(\)`/)) {
                        print file, substr($0, RSTART + 1, RLENGTH - 4)
                        $0 = substr($0, RSTART + RLENGTH)
                }
        }
' "$index" >"$work/calls"
[ "$(wc -l <"$work/calls")" -ge 44 ] || complain "$index: few calls were found"
while read -r file call; do
        grep -qE "\<$call\(" "examples/$file" || complain "$index: $file does not call $call()"
done <"$work/calls"

exit $wrong
