#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# codespell finds no misspelt word. spelling.words, in lower case, has the names and fragments that
# it takes for words: enumerators, macros of mdoc(7), escapes and the pieces of texts that are cut.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8

command -v codespell >/dev/null || { echo "no codespell"; exit 77; }

# Recorded traces and pictures have no words of their own.
mapfile -t files < <(find . \( -name build -o -name .git \) -prune -o -type f \
        ! -name '*.vectors' ! -name '*.svg' ! -name '*.png' ! -name spelling.words -print)
[ ${#files[@]} -gt 100 ] || { echo "only ${#files[@]} files were found"; exit 1; }
codespell -I tests/docs/spelling.words "${files[@]}"
