#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# An installation by `make install' must work after it is moved. It must be possible to build
# programs in C and C++ on it in each supported way.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "${SAN:-}" ] || { echo "sanitized libraries are not for installing"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# If this test runs below make, that make's options must not apply here.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
read -ra run <<<"${RUN:-}"
read -ra cc <<<"$CC"
read -ra cxx <<<"${CXX:-}"
missing=

fail()
{
        echo "$way: $1"
        exit 1
}

cat >"$work/program.c" <<'END'
#include <belay.h>
#include <stdio.h>

static int app(void *arg)
{
        int rc = belay_sleep(BELAY_MILLISECOND);

        return rc < 0 ? rc : *(int *) arg;
}

int main(void)
{
        int answer = 42;
        int rc = belay_run(app, &answer);

        printf("%d\n", rc);
        return 0;
}
END
cp "$work/program.c" "$work/program.cc"

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(program LANGUAGES ${LANGUAGE})
find_package(belay 0.1 REQUIRED)
add_executable(shared ${PROGRAM})
target_link_libraries(shared PRIVATE belay::belay)
add_executable(static ${PROGRAM})
target_link_libraries(static PRIVATE belay::static)
END

# Until 1.0, each minor version is a library of its own. README.md, src/belay.map and CMake must
# agree.
version=$(sed -n 's/^#define BELAY_VERSION_\(MAJOR\|MINOR\) *//p' include/belay/base.h | paste -sd.)
soname=libbelay.so.$version
way=SONAME
[ "$(readelf -d "$BUILD/libbelay.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')" = "$soname" ] ||
        fail "not $soname"
readelf -V "$BUILD/libbelay.so" | grep -q "Name: BELAY_$version\$" ||
        fail "the symbols are not of BELAY_$version"
grep -q "\`$soname\`" README.md || fail "README.md does not name $soname"

# The program must run, and must need the shared library at run time only if it was linked so.
try()
{
        local kind=$1 program=$2 needed output

        output=$("${run[@]}" "$program" 2>&1) || fail "it ends with $?: $output"
        [ "$output" = 42 ] || fail "it prints $output"
        needed=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(libbelay[^]]*\)\].*/\1/p')
        case $kind in
        shared) [ "$needed" = "$soname" ] || fail "it needs ${needed:-no shared library}" ;;
        static) [ -z "$needed" ] || fail "it needs $needed" ;;
        esac
        echo "$way: good"
}

# by_hand LANGUAGE SOURCE COMPILER...
by_hand()
{
        local language=$1 source=$2 flags libs
        shift 2

        way="$layout, $language, plain -lbelay"
        "$@" -Wall -Werror -I"$prefix/include" "$source" -L"$libdir" -lbelay -Wl,-rpath,"$libdir" \
                -o "$work/out" || fail "cannot be built"
        try shared "$work/out"

        if ! command -v pkg-config >/dev/null; then
                missing=pkg-config
                return
        fi
        way="$layout, $language, pkg-config"
        read -ra flags <<<"$(pkg-config --cflags belay)"
        read -ra libs <<<"$(pkg-config --libs belay)"
        "$@" -Wall -Werror "${flags[@]}" "$source" "${libs[@]}" -Wl,-rpath,"$libdir" \
                -o "$work/out" || fail "cannot be built"
        try shared "$work/out"

        way="$layout, $language, pkg-config --static"
        read -ra libs <<<"$(pkg-config --static --libs belay)"
        "$@" -Wall -Werror "${flags[@]}" "$source" -static "${libs[@]}" -o "$work/out" ||
                fail "cannot be built"
        try static "$work/out"
}

# by_cmake LANGUAGE SOURCE VARIABLE COMPILER
by_cmake()
{
        local language=$1 source=$2 kind

        if ! command -v cmake >/dev/null; then
                missing=cmake
                return
        fi
        way="$layout, $language, CMake"
        rm -rf "$work/cmake"
        # CMake does not search the library directory of a foreign machine by default.
        cmake -S "$work" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE="$3" \
                -DPROGRAM="$source" -DCMAKE_"$3"_COMPILER="$4" \
                ${RUN:+-DCMAKE_SYSTEM_NAME=Linux} -DCMAKE_LIBRARY_ARCHITECTURE="$triplet" \
                >"$work/log" 2>&1 || { cat "$work/log"; fail "not found"; }
        cmake --build "$work/cmake" >"$work/log" 2>&1 ||
                { cat "$work/log"; fail "cannot be built"; }
        for kind in shared static; do
                way="$layout, $language, CMake $kind"
                try $kind "$work/cmake/$kind"
        done
}

triplet=$("${cc[@]}" -dumpmachine)
triplet=${triplet/-pc-/-} # clang's spelling
for layout in lib "lib/$triplet"; do
        way=$layout
        rm -rf "$work/dest" "$work/moved"
        options=(BUILD="$BUILD" DESTDIR="$work/dest" PREFIX=/opt/belay LIBDIR="/opt/belay/$layout")
        "${MAKE:-make}" -s install-files "${options[@]}" >/dev/null || fail "make install"
        mv "$work/dest/opt/belay" "$work/moved"
        prefix=$work/moved
        libdir=$prefix/$layout
        export PKG_CONFIG_PATH=$libdir/pkgconfig
        # pkg-config drops its default directories. The result must not depend on the machine.
        export PKG_CONFIG_SYSTEM_INCLUDE_PATH=/usr/include PKG_CONFIG_SYSTEM_LIBRARY_PATH=/usr/lib

        [ ! -e "$BUILD/belay" ] || [ -x "$prefix/bin/belay" ] || fail "the command is not there"
        [ "$(readlink -f "$libdir/libbelay.so")" = "$(readlink -f "$libdir/$soname")" ] ||
                fail "symbolic links"

        by_hand C "$work/program.c" "${cc[@]}" -std=c11
        by_cmake C "$work/program.c" C "${cc[0]}"
        if [ ${#cxx[@]} -gt 0 ]; then
                by_hand C++ "$work/program.cc" "${cxx[@]}" -std=c++17
                by_cmake C++ "$work/program.cc" CXX "${cxx[0]}"
        fi

        way="$layout, uninstall"
        mv "$work/moved" "$work/dest/opt/belay"
        "${MAKE:-make}" -s uninstall "${options[@]}" >/dev/null || fail "make uninstall"
        left=$(find "$work/dest" ! -type d)
        [ -z "$left" ] || fail "left behind: $left"
done

[ -z "$missing" ] || { echo "all is well so far, but there is no $missing"; exit 77; }
