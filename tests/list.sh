#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Compares tests/list with the tests that make finds, so that a lost or moved test shows in a
# change. `tests/list.sh --write` writes the list.
#
# Each line of tests/unfit must name a test of that list.
set -euo pipefail
cd "$(dirname "$0")/.."

found()
{
        MAKEFLAGS='' "${MAKE:-make}" -s --no-print-directory list-tests | sort
}

if [ "${1:-}" = --write ]; then
        found >tests/list
        exit
fi
diff -u --label tests/list --label "what make finds" tests/list <(found) || {
        echo "tests/list: differs from the tests that make finds; tests/list.sh --write writes it"
        exit 1
}

wrong=0
while read -r pattern _; do
        [[ $pattern != \#* && -n $pattern ]] || continue
        file=${pattern%_cc}
        case $pattern in
        *.sh) ;;
        *_cc) file+=.cc ;;
        *) file+=.c ;;
        esac
        # shellcheck disable=SC2053
        while read -r test; do
                [[ tests/$file != $test && $test != tests/$file ]] || continue 2
        done <tests/list
        echo "tests/unfit: $pattern: there is no such test"
        wrong=1
done <tests/unfit
exit $wrong
