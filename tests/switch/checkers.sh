#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Address sanitizer, thread sanitizer and valgrind must not complain about correct tasks and must
# find the mistakes in faulty ones.
#
# Both the whole program and only the user's file are instrumented, with a static and with a shared
# library. Uses $CC and $CFLAGS.

dir=$(cd "$(dirname "$0")" && pwd) || exit 1
src=$dir/../../src
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cc="${CC:-cc} $CFLAGS -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall -Wextra"
done_any=

fail()
{
        echo "failed: $*"
        [ -f "$tmp/out" ] && cat "$tmp/out"
        exit 1
}

# library NAME FLAGS static|shared
library()
{
        mkdir -p "$tmp/$1"
        if [ "$3" = shared ]; then
                # shellcheck disable=SC2086
                $cc $2 -fPIC -fvisibility=hidden -shared "$dir/parts/checked_lib.c" \
                        "$src"/switch/*.c "$src"/switch/*.S "$src"/stack/*.c \
                        -o "$tmp/$1/libmini.so" -pthread
        else
                (
                        cd "$tmp/$1" &&
                        # shellcheck disable=SC2086
                        $cc $2 -fvisibility=hidden -c "$dir/parts/checked_lib.c" "$src"/switch/*.c \
                                "$src"/switch/*.S "$src"/stack/*.c &&
                        ar rcs libmini.a ./*.o
                )
        fi || fail "build of $1"
}

# user NAME LIBRARY FLAGS
user()
{
        mkdir -p "$tmp/$1"
        # shellcheck disable=SC2086
        $cc $3 "$dir/parts/checked_user.c" -o "$tmp/$1/user" -L"$tmp/$2" -lmini \
                -Wl,-rpath,"$tmp/$2" -pthread ||
                fail "build of $1"
}

# is_clean WHAT COMMAND...: the command must exit with 0 and print nothing
is_clean()
{
        what=$1
        shift
        "$@" >"$tmp/out" 2>&1 || fail "$what: $*: status $?"
        [ -s "$tmp/out" ] && fail "$what: $*: it printed something"
        return 0
}

# finds WHAT WORD COMMAND...: the command must fail and print the word
finds()
{
        what=$1
        word=$2
        shift 2
        "$@" >"$tmp/out" 2>&1 && fail "$what: $*: not found"
        grep -q -- "$word" "$tmp/out" || fail "$what: $*: no $word"
        return 0
}

tools_are()
{
        [ "$("$2" tools 2>/dev/null)" = "$3" ] || fail "$1: tools are not $3"
}

works()
{
        echo 'int main(void) { return 0; }' >"$tmp/works.c"
        $cc "$1" "$tmp/works.c" -o "$tmp/works" 2>/dev/null && "$tmp/works" >/dev/null 2>&1
}

# Valgrind 3.19 cannot read clang's DWARF 5.
cc="$cc -gdwarf-4"
library static "" static
library shared "" shared
user plain static ""
user plain-shared shared ""
for v in plain plain-shared; do
        tools_are $v "$tmp/$v/user" 0
        is_clean $v "$tmp/$v/user" clean
        is_clean $v "$tmp/$v/user" threads
done

if works -fsanitize=address; then
        done_any=1
        library address -fsanitize=address static
        user all address -fsanitize=address
        user user static -fsanitize=address
        user user-shared shared -fsanitize=address
        for v in all user user-shared; do
                u=$tmp/$v/user
                tools_are "address/$v" "$u" 1
                for return in 0 1; do
                        ASAN_OPTIONS=detect_stack_use_after_return=$return
                        export ASAN_OPTIONS
                        is_clean "address/$v/$return" "$u" clean
                        is_clean "address/$v/$return" "$u" threads
                        is_clean "address/$v/$return" "$u" again
                        finds "address/$v/$return" stack-buffer-overflow "$u" overruns
                        grep -q ' in overruns ' "$tmp/out" || fail "address/$v: no place"
                done
                unset ASAN_OPTIONS
                is_clean "address/$v" "$u" holds
                finds "address/$v" '333 byte' "$u" leaks
        done
fi

if works -fsanitize=thread; then
        done_any=1
        library thread -fsanitize=thread static
        user tall thread -fsanitize=thread
        user tuser static -fsanitize=thread
        user tuser-shared shared -fsanitize=thread
        for v in tall tuser tuser-shared; do
                u=$tmp/$v/user
                tools_are "thread/$v" "$u" 2
                is_clean "thread/$v" "$u" clean
                is_clean "thread/$v" "$u" threads
                finds "thread/$v" 'data race' "$u" races
                grep -q ' races ' "$tmp/out" || fail "thread/$v: no place"
        done
        # More stacks than thread sanitizer can have at once, so those that ended must be gone. This
        # takes longer than all the rest, so that only the build with thread sanitizer does it.
        case ${SAN:-} in
        *thread*) is_clean thread/tuser "$tmp/tuser/user" many ;;
        esac
fi

if command -v valgrind >/dev/null 2>&1 && echo '#include <valgrind/memcheck.h>' |
        $cc -E -x c - >/dev/null 2>&1; then
        done_any=1
        for v in plain plain-shared; do
                u=$tmp/$v/user
                run="valgrind -q --error-exitcode=9 --leak-check=full"
                [ "$(valgrind -q "$u" tools 2>/dev/null)" = 4 ] ||
                        fail "valgrind/$v: tools are not 4"
                # shellcheck disable=SC2086
                {
                        is_clean "valgrind/$v" $run "$u" clean
                        is_clean "valgrind/$v" $run "$u" threads
                        finds "valgrind/$v" 'uninitialised' $run "$u" undefined
                        grep -q ': uses_undefined ' "$tmp/out" || fail "valgrind/$v: no place"
                        grep -q ': bly_context_start ' "$tmp/out" || fail "valgrind/$v: no bottom"
                }
        done
fi

[ -n "$done_any" ] || { echo "no checker here"; exit 77; }
exit 0
