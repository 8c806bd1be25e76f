#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The error codes in the comments of public functions are those that their sources return, as far as
# the text of the sources shows. errors.exceptions has what it does not show, with reasons.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8

command -v python3 >/dev/null || { echo "no python3"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The comments of the functions in places.h stand with their other forms.
find include/belay -name '*.h' ! -name places.h | sort |
        xargs awk -f script/headers.awk -f tests/docs/errors.awk >"$work/documented"
find src -name '*.[ch]' | sort |
        xargs python3 tests/docs/errors.py tests/docs/errors.exceptions "$work/documented"
