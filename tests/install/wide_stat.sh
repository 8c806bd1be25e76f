#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# On some 32-bit processors struct stat has several layouts. A program with another layout than the
# library's must not compile, because the two would disagree on the fields.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/stat.c" <<'END'
#include <sys/stat.h>
#include <belay.h>
int look(struct stat *stat);
int look(struct stat *stat) {
        return belay_file_stat("/", true, stat) + belay_file_stat_fd(0, stat);
}
END
cat >"$work/walk.c" <<'END'
#include <belay.h>
int walk(belay_walk_fn *fn);
int walk(belay_walk_fn *fn) { return belay_walk("/", fn, NULL); }
END
cat >"$work/other.c" <<'END'
#include <belay.h>
int other(int fd);
int other(int fd) { return belay_file_close(fd); }
END
wide=(-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)

tried=0
for compiler in "$CC" arm-linux-gnueabihf-gcc i686-linux-gnu-gcc; do
        command -v "$compiler" >/dev/null || continue
        echo '#include <sys/stat.h>' | "$compiler" -x c -fsyntax-only - 2>/dev/null || continue
        several=$(printf '%s\n' '#include <sys/types.h>' \
                '#if defined(__GLIBC__) && !defined(__OFF_T_MATCHES_OFF64_T)' yes '#endif' |
                "$compiler" -E -P - | grep -x yes || true)
        for name in stat walk other; do
                "$compiler" -std=gnu11 "${wide[@]}" -Iinclude -c "$work/$name.c" -o "$work/$name.o"
                expected=compiles
                [ "$name" = other ] || [ -z "$several" ] || expected='is refused'
                result=compiles
                "$compiler" -std=gnu11 -Iinclude -c "$work/$name.c" -o "$work/$name.o" \
                        2>"$work/errors" || result='is refused'
                [ "$result" = "$expected" ] ||
                        { echo "$compiler: $name.c $result"; cat "$work/errors"; exit 1; }
                [ "$result" = compiles ] || grep -q 'D_FILE_OFFSET_BITS=64' "$work/errors"
        done
        [ -z "$several" ] || tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || { echo "$0: skipped: no compiler for such a processor"; exit 77; }
