#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Two builds in different directories, at different times, are the same byte for byte: the libraries, the command and
# the programs that are installed. And assembly is built with the flags that C is built with.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "${SAN:-}" ] || { echo "a sanitizer keeps paths"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# We may run below make, whose options are not for us.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

sofile=$(basename "$(readlink -f "$BUILD/libbelay.so")")
products=(libbelay.a "$sofile" belay examples/documents/cancel-with-a-reason)

# build DIRECTORY: with debugging information, which is where paths and times would be.
build()
{
        mkdir -p "$1"
        cp -rp Makefile belay.pc.in include src cli examples "$1"
        (
                cd "$1"
                "${MAKE:-make}" -s -j"$(nproc)" CC="$CC" CXX= CFLAGS="${CFLAGS:-} -O0 -g" BUILD=out "${products[@]/#/out/}"
        )
}

build "$work/one"
sleep 1
TZ=Asia/Kolkata build "$work/somewhere else/of another length"

wrong=0
for product in "${products[@]}"; do
        cmp "$work/one/out/$product" "$work/somewhere else/of another length/out/$product" || wrong=1
done
for product in "${products[@]}"; do
        if grep -qF "$work" "$work/one/out/$product"; then
                echo "$product names the directory that it was built in"
                wrong=1
        fi
done

# What CFLAGS say of code holds for assembly too: here, that it is to have no debugging information.
for source in src/switch/*.S; do
        "${MAKE:-make}" -s CC="$CC" CXX= CFLAGS="${CFLAGS:-} -O0 -g0" BUILD="$work/bare" "$work/bare/obj/$source.o"
        if readelf -S "$work/bare/obj/$source.o" | grep -q '\.debug_'; then
                echo "$source is not built with CFLAGS"
                wrong=1
        fi
done

exit $wrong
