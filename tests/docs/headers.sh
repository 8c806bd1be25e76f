#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Each public function has a comment of its own in the one form that the headers have, and belay.h
# names all headers.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

wrong=0
complain()
{
        echo "$1"
        wrong=1
}

headers=()
for header in include/belay/*.h; do
        name=belay/${header##*/}
        grep -q "^ \*     $name  " include/belay.h || complain "$header: not in belay.h's list"
        grep -rq "^#include <$name>$" include || complain "$header: no header includes it"
        # The comments of these functions stand with their other forms.
        [ "$name" = belay/places.h ] || headers+=("$header")
done

awk -f script/headers.awk -f tests/docs/headers.awk "${headers[@]}" || wrong=1

grep -nE '^ ?/?\*.{99}' include/belay/*.h && complain "comments of more than 100 columns"
grep -nP '\t| $' include/belay.h include/belay/*.h && complain "tabs, or spaces at an end of line"

exit $wrong
