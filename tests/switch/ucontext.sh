#!/bin/sh
# SPDX-License-Identifier: MIT
#
# If neither a switch of belay nor the C library's ucontext is available, the compiler's error must
# say which systems are supported.

dir=$(cd "$(dirname "$0")" && pwd) || exit 1
command -v musl-gcc >/dev/null 2>&1 || { echo "no musl-gcc"; exit 77; }

out=$(musl-gcc -std=gnu11 -DBELAY_SWITCH_UCONTEXT -fsyntax-only \
        "$dir/../../src/switch/switch_ucontext.c" 2>&1) &&
        { echo "it is built without makecontext()"; exit 1; }
case $out in
*'x86-64, aarch64, riscv64'*'glibc'*) exit 0 ;;
esac
echo "$out"
exit 1
