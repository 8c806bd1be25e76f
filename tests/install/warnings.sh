#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# If another compiler warns where ours does not, the build must succeed all the same. In belay's own
# tests, warnings must be errors.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

echo '#warning "as another compiler may"' >"$work/warns.h"

build()
{
        "${MAKE:-make}" -s BUILD="$work" CC="$CC" CXX= CFLAGS="-include $work/warns.h" "$@" \
                "$work/obj/src/base/text.c.o" >"$work/out" 2>&1
}

build WERROR= || { cat "$work/out"; exit 1; }
grep -q 'as another compiler may' "$work/out" || { echo "the compiler gave no warning"; exit 1; }
! build WERROR=-Werror || { echo "a warning is no error with WERROR=-Werror"; exit 1; }
grep -qx 'WERROR ?=' Makefile || { echo "the Makefile makes warnings errors by default"; exit 1; }
grep -q 'WERROR=-Werror' script/test || { echo "script/test lets warnings pass"; exit 1; }
