#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests the paths of an installation: paths with spaces and other special characters, the system's
# own directories, and the files that are left after `make uninstall'.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "${SAN:-}" ] || { echo "sanitized libraries are not for installing"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

fail()
{
        echo "$what: $1"
        exit 1
}

call_make()
{
        "${MAKE:-make}" -s "$@" BUILD="$BUILD" CC="$CC" CXX= >"$work/log" 2>&1 ||
                { cat "$work/log"; fail "make $1"; }
}

# Prints all files below a directory in one line.
list()
{
        (cd "$1" && find . -type f | sort | tr '\n' ' ')
}

# ---- spaces ----

# If make splits a path at its spaces, the pieces are these names, here and in the root of DESTDIR.
# The files in them must survive.
mkdir -p "$work/a b/usr" "$work/a"
for piece in "$work/a" "$work/a b/usr/include" "$work/a b/local" ; do
        mkdir -p "$piece/include/belay" "$piece/belay" "$piece/cmake/belay"
        echo mine | tee "$piece/include/belay/mine.h" "$piece/belay/mine.h" \
                >"$piece/cmake/belay/mine.cmake"
done
echo mine >"$work/b"
before=$(list "$work")

try_spaces()
{
        local prefix=$1
        shift

        what="PREFIX=$prefix $*"
        call_make install-files DESTDIR="$work/a b" PREFIX="$prefix" "$@"
        [ -e "$work/a b$prefix/include/belay.h" ] || fail "nothing in its place"
        [ -x "$work/a b$prefix/bin/belay" ] || fail "no command in its place"
        [ ! -e "$work/a/include/belay.h" ] || fail "something beside its place"
        call_make uninstall DESTDIR="$work/a b" PREFIX="$prefix" "$@"
        [ "$(list "$work" | sed 's|\./log ||')" = "$before" ] ||
                fail "not as it was: $(list "$work")"
}
try_spaces /usr
try_spaces "/opt/my belay"
try_spaces "/opt/it's & \"more\"" LIBDIR="/opt/it's & \"more\"/lib 64"

# ---- files of other packages in belay's directories stay ----

what='uninstall beside others'
options=(DESTDIR="$work/shared" PREFIX=/usr)
call_make install-files "${options[@]}"
for beside in include/belay lib/cmake/belay libexec/belay lib/pkgconfig; do
        echo mine >"$work/shared/usr/$beside/mine"
done
call_make uninstall "${options[@]}"
[ "$(list "$work/shared/usr" | wc -w)" = 4 ] || fail "what is left: $(list "$work/shared/usr")"

# ---- a prefix with a space in pkg-config ----

if command -v pkg-config >/dev/null; then
        # pkg-config finds a LIBDIR below PREFIX from the location of the .pc file, and any other by
        # its absolute path. The pkg-config that pkgconf replaced does not quote the location.
        for libdir in "$work/my own/lib" "$work/another one"; do
                [[ $(pkg-config --version) != 0.* || $libdir != "$work/my own/"* ]] || continue
                what="pkg-config and LIBDIR=$libdir"
                call_make install-files PREFIX="$work/my own" LIBDIR="$libdir"
                flags=$(PKG_CONFIG_PATH="$libdir/pkgconfig" pkg-config --cflags --libs belay)
                eval "set -- $flags"
                [ "$#" = 3 ] || fail "$flags"
                [ -e "${1#-I}/belay.h" ] || fail "no headers by $1"
                [ -e "${2#-L}/libbelay.so" ] || fail "no library by $2"
        done
fi

# ---- the system's own directories ----

read -ra cc <<<"$CC"
triplet=$("${cc[@]}" -dumpmachine)
triplet=${triplet/-pc-/-}
for libdir in /usr/lib "/usr/lib/$triplet"; do
        what="LIBDIR=$libdir"
        rm -rf "$work/system"
        call_make install-files DESTDIR="$work/system" PREFIX=/usr LIBDIR="$libdir"
        ! grep -rF "$work" "$work/system$libdir/pkgconfig" "$work/system$libdir/cmake" ||
                fail "it names DESTDIR"
        command -v pkg-config >/dev/null || continue
        # The machine that the build is for decides which directories are the system's own.
        flags=$(PKG_CONFIG_PATH="$work/system$libdir/pkgconfig" \
                PKG_CONFIG_SYSTEM_LIBRARY_PATH="$libdir" pkg-config --cflags --libs belay)
        read -r flags <<<"$flags"
        [ "$flags" = -lbelay ] || fail "pkg-config says $flags"
done

what='search paths'
for program in "$work/system/usr/bin/belay" "$work/system/usr/libexec/belay/documents/"*; do
        ! readelf -d "$program" | grep -E 'RPATH|RUNPATH' || fail "in $program"
done

# ---- the dynamic linker's cache ----

# An installation without DESTDIR into a directory that the cache covers updates the cache.
mkdir "$work/bin"
cat >"$work/bin/ldconfig" <<END
#!/bin/sh
case \$1 in
-NXv) echo "$work/cached/lib: (from a test)" ;;
*) echo updated >>"$work/updates" ;;
esac
END
chmod +x "$work/bin/ldconfig"

try_cache()
{
        local expected=$1
        shift

        what="ldconfig: $*"
        : >"$work/updates"
        PATH=$work/bin:$PATH call_make install-files "$@"
        PATH=$work/bin:$PATH call_make uninstall "$@"
        [ "$(wc -l <"$work/updates")" = "$expected" ] || fail "$(wc -l <"$work/updates") updates"
}
try_cache 2 PREFIX="$work/cached"
try_cache 0 PREFIX="$work/other"
try_cache 0 PREFIX="$work/cached" DESTDIR="$work/staged"
