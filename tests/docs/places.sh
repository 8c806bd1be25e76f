#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The files that script/places generates agree with their list and with the headers.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0

script/places "$work"
for file in include/belay/places.h src/places/plain.c; do
        diff -u "$file" "$work/$file" || { echo "$file: run script/places"; wrong=1; }
        ! grep -nE '^.{101}' "$work/$file" || { echo "$file: more than 100 columns"; wrong=1; }
done

# A name that no header declares is an error, and the files stay as they are.
cp -r include script src "$work"
echo belay_no_such_function >>"$work/src/places/places.list"
if "$work/script/places" 2>"$work/errors"; then
        echo "script/places takes a name that no header declares"
        wrong=1
fi
grep -q belay_no_such_function "$work/errors" || { echo "the error does not name it"; wrong=1; }
diff -ru include "$work/include" || { echo "script/places changes files and fails"; wrong=1; }

exit $wrong
