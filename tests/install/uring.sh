#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Tests the make variable URING, which says how liburing becomes part of the library. If URING is
# not set, make must report which form it found. If the requested form is missing, make must fail.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

fail()
{
        echo "$1"
        cat "$work/out"
        exit 1
}

# plan OPTIONS...: prints what make would do
plan()
{
        "${MAKE:-make}" -n BUILD="$work/build" CC="$CC" CXX= "$@" >"$work/out" 2>&1
}

plan URING=no || fail "URING=no does not build"
grep -q -- -DBLY_NO_URING "$work/out" || fail "URING=no builds it in"
! grep -qE -- '-luring|liburing' "$work/out" || fail "URING=no links it"

! plan URING=both || fail "URING=both is accepted"
grep -q 'URING=both: it is static, shared or no' "$work/out" || fail "URING=both is not explained"

# This compiler finds no headers, so neither form of liburing is available.
for form in static shared; do
        ! plan URING=$form CC="$CC -nostdinc" || fail "URING=$form builds without it"
        grep -q "URING=$form: .* finds no $form liburing" "$work/out" ||
                fail "URING=$form does not say what is missing"
        plan uninstall URING=$form CC="$CC -nostdinc" ||
                fail "URING=$form cannot be uninstalled without it"
done
plan CC="$CC -nostdinc" || fail "without liburing nothing is built"
grep -q 'uring.*no, by default' "$work/out" || fail "the missing liburing is not reported"

plan || fail "nothing is built"
grep -qE "uring.*(static|shared|no), by default" "$work/out" ||
        fail "the form that was found is not reported"
for form in static shared; do
        plan URING=$form || continue
        grep -qE "uring *' *'$form'" "$work/out" || fail "URING=$form is not reported"
        case $form in
        static) grep -q -- -l:liburing.a "$work/out" || fail "static, but not by its archive" ;;
        shared) grep -q -- -luring "$work/out" || fail "shared, but not by its name" ;;
        esac
done
