#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Two builds in different directories, at different times, must be equal byte for byte: the
# libraries, the command and the installed programs.
#
# Assembly must be built with CFLAGS, as C is.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -z "${SAN:-}" ] || { echo "a sanitizer keeps paths"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# If this test runs below make, that make's options must not apply here.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

sofile=$(basename "$(readlink -f "$BUILD/libbelay.so")")
products=(libbelay.a "$sofile" belay examples/documents/cancel-with-a-reason)

# build DIRECTORY: builds with debugging information, which is where paths and times would appear
build()
{
        mkdir -p "$1"
        cp -rp Makefile belay.pc.in include src cli examples "$1"
        (
                cd "$1"
                "${MAKE:-make}" -s -j"$(nproc)" CC="$CC" CXX= CFLAGS="${CFLAGS:-} -O0 -g" \
                        BUILD=out "${products[@]/#/out/}"
        )
}

build "$work/one"
sleep 1
TZ=Asia/Kolkata build "$work/somewhere else/of another length"

wrong=0
for product in "${products[@]}"; do
        cmp "$work/one/out/$product" "$work/somewhere else/of another length/out/$product" ||
                wrong=1
done
for product in "${products[@]}"; do
        if grep -qF "$work" "$work/one/out/$product"; then
                echo "$product names the directory that it was built in"
                wrong=1
        fi
done

# CFLAGS must apply to assembly, too. This build asks for no debugging information.
for source in src/switch/*.S; do
        "${MAKE:-make}" -s CC="$CC" CXX= CFLAGS="${CFLAGS:-} -O0 -g0" \
                BUILD="$work/bare" "$work/bare/obj/$source.o"
        if readelf -S "$work/bare/obj/$source.o" | grep -q '\.debug_'; then
                echo "$source is not built with CFLAGS"
                wrong=1
        fi
done

exit $wrong
