#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The sources are formatted as .clang-format says, and no line is wider than 100 columns.
set -euo pipefail
cd "$(dirname "$0")/.."

code=0
script/format --check || code=$?
if [ "$code" -eq 77 ]; then
        echo "no clang-format 14"
fi
exit "$code"
