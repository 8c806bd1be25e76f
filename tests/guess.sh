#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Checks tests/guess.txt, which says which file has which behaviour. Each file must exist and
# contain the text that belongs to the behaviour. Otherwise the table misleads its readers.
set -euo pipefail
cd "$(dirname "$0")/.."

wrong=0 count=0
while IFS='|' read -r behaviour file word; do
        [[ $behaviour != \#* && -n $file ]] || continue
        file=${file//[[:space:]]/}
        word=${word#"${word%%[![:space:]]*}"}
        count=$((count + 1))
        if [ ! -f "$file" ]; then
                echo "tests/guess.txt: $behaviour: there is no $file"
                wrong=1
        elif ! grep -qF -- "$word" "$file"; then
                echo "tests/guess.txt: $behaviour: $file does not have \"$word\""
                wrong=1
        fi
done <tests/guess.txt
[ "$count" -ge 60 ] || { echo "tests/guess.txt: only $count behaviours"; wrong=1; }
exit $wrong
