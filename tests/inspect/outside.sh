#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# parts/reader.c must read the tasks of another process with only the knowledge of
# docs/debug-format.md. It reads programs that are linked in each way, that are stripped, and from
# which the linker removed sections.
#
# The table of that page must also match the struct of the library.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

[ -z "${SAN:-}" ] || { echo "a sanitizer links programs in its own way"; exit 77; }
[ -z "${RUN:-}" ] || { echo "the reader would see ${RUN%% *} and not the program"; exit 77; }

here=tests/inspect
work=$(mktemp -d)
subject=
trap 'stop; rm -rf "$work"' EXIT
read -ra cc <<<"${CC:-cc} ${CFLAGS:-}"
read -ra libs <<<"${LIBS:--pthread -lm}"

"${cc[@]}" -std=gnu11 -Wall -Wextra -Werror "$here/parts/reader.c" -o "$work/reader"

# ---- the table of the page ----

{
        echo '#include <stddef.h>'
        echo '#include "inspect/debug.h"'
        echo '#define IS(field, at)' \
                '_Static_assert(offsetof(struct belay_debug_v1, field) == at, #field)'
        sed -nE 's/^\| ([0-9]+) \| `([a-z0-9_]+)` \| .*/IS(\2, \1);/p' \
                docs/debug-format.md
        # The table must be complete: with another field, the struct would be larger than the last
        # number says.
        last=$(sed -nE 's/^\| ([0-9]+) \| `.*/\1/p' docs/debug-format.md | tail -n 1)
        echo "_Static_assert(sizeof(struct belay_debug_v1) ==" \
                "($last + 2 + 7) / 8 * 8, \"the last\");"
} >"$work/table.c"
[ "$(wc -l <"$work/table.c")" -gt 80 ] || { echo "the page has no table"; exit 1; }
"${cc[@]}" -std=gnu11 -fsyntax-only -Isrc "$work/table.c"

# ---- the ways to link ----

complain()
{
        echo "$way: $1"
        cat "$work/output"
        exit 1
}

# The lines that must appear once for each of the two loops, as patterns.
expected=(
        '^loop tasks=6 running=1 virtual=0 main=main$'
        '^task main waiting .* what="group" place=PLACE .* '\
'\{group serve: sleeper awaiter #4 shielded cleaner\} \{timeout 35[0-9]+ s\}$'
        '^task sleeper waiting started=PLACE what="sleep" place=PLACE '\
'since=[0-9]+ms left=35[0-9]+s awaited-by=awaiter$'
        '^task awaiter waiting .* what="await"'
        '^task #4 waiting .* what="event" place='
        '^task shielded waiting .* what="sleep" .* requests=1 held=1 by=1 asker=main/1 reason=- '\
'\{shield 35[0-9]+ s\}$'
        '^task cleaner waiting .* left=71[0-9]+s requests=1 held=0 by'\
'=1 asker=main/1 reason=out of time$'
)

start()
{
        exec 4< <(exec "$work/subject" 2>&1)
        subject=$!
        read -r -t 30 -u 4 line && [ "$line" = ready ] || complain "the subject does not get ready"
}

# SIGTERM would only cancel the subject, and one of its tasks holds that back for an hour.
stop()
{
        [ -n "$subject" ] || return 0
        kill -KILL "$subject" 2>/dev/null || true
        wait "$subject" 2>/dev/null || true
        subject=
        exec 4<&-
}

# The reader tries up to ten times, because the process changes while it is read.
read_it()
{
        local pattern tries

        for ((tries = 0; tries < 10; tries++)); do
                "$work/reader" "$subject" >"$work/output" 2>&1 && break
                sleep 0.1
        done
        grep -qx 'loops=2' "$work/output" || complain "not two loops"
        for pattern in "${expected[@]}"; do
                pattern=${pattern//PLACE/'[^ ]*subject\.c:[0-9]+'}
                [ "$(grep -cE "$pattern" "$work/output")" = 2 ] || complain "not twice: $pattern"
        done
        [ "$(grep -c '^task ' "$work/output")" = 12 ] || complain "other tasks"
}

ways=0
# try NAME STRIP FLAGS...: link the subject with these flags, which also name the library.
try()
{
        way=$1
        strip=$2
        shift 2
        : >"$work/output"
        "${cc[@]}" -std=gnu11 -Iinclude "$here/parts/subject.c" "$@" "${libs[@]}" \
                -o "$work/subject" 2>"$work/output" ||
                complain "cannot be linked"
        [ "$strip" = whole ] || strip --strip-all "$work/subject"
        start
        read_it
        [ "$strip" != whole ] || shown_by_gdb
        stop
        ways=$((ways + 1))
}

links()
{
        echo 'int main(void) { return 0; }' >"$work/empty.c"
        "${cc[@]}" "$work/empty.c" "$@" -o "$work/empty" 2>/dev/null
}

# gdb must show the whole stack of a suspended task from its saved registers.
gdb_works=0
shown_by_gdb()
{
        local task code body

        command -v gdb >/dev/null || return 0
        for task in sleeper cleaner; do
                code=0
                "$work/reader" "$subject" "$task" >"$work/registers" 2>"$work/output" || code=$?
                [ "$code" != 77 ] || return 0
                [ "$code" = 0 ] || complain "no registers"
                { cat "$work/registers"; echo bt; echo kill; } >"$work/script"
                gdb -nx -batch -iex 'set debuginfod enabled off' -p "$subject" -x "$work/script" \
                        >"$work/output" 2>&1 || true
                ! grep -qiE 'ptrace|not permitted' "$work/output" || return 0
                case $task in
                sleeper) body=sleeps ;;
                cleaner) body=cleans_up ;;
                esac
                # The frames that the library adds below the task's function do not matter.
                grep -A 1 -E "^#[0-9]+ .* $body \\(" "$work/output" | tail -n 1 |
                        grep -qvE "^#[0-9]+ .* $body " ||
                        complain "not through $body()"
                ! grep -qiE 'corrupt|Cannot access' "$work/output" ||
                        complain "the stack has no end"
                gdb_works=1
                wait "$subject" 2>/dev/null || true
                start
        done
}

static=$BUILD/libbelay.a
# The program's own code has frame pointers here, so that a wrong value in that register shows.
try "as usual" whole -g -O0 -fno-omit-frame-pointer -fno-optimize-sibling-calls "$static"
try "stripped" stripped "$static"
try "--gc-sections" stripped -ffunction-sections -fdata-sections "$static" -Wl,--gc-sections
try "shared library" stripped -L"$BUILD" -lbelay -Wl,-rpath,"$(realpath "$BUILD")"
if links -no-pie; then try "-no-pie" stripped -no-pie "$static"; fi
if links -static; then try "-static" stripped -static "$static" -Wl,--gc-sections; fi
if links -static-pie; then try "-static-pie" stripped -static-pie "$static"; fi
for linker in gold lld; do
        if links -fuse-ld=$linker; then
                try "$linker" stripped -fuse-ld=$linker "$static" -Wl,--gc-sections
        fi
done
echo "$ways ways; gdb: $gdb_works"
