#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The compilation database has every C source that make builds, and its commands compile them.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 - "$BUILD/compile_commands.json" <<'END'
import json, subprocess, sys

entries = {entry["file"]: entry for entry in json.load(open(sys.argv[1]))}
sources = subprocess.run("ls bench/*.c bench/io/*.c tests/*/*.c; find src cli -name '*.c'",
                         shell=True, capture_output=True, text=True).stdout.split()
missing = [source for source in sources if source not in entries]
wrong = len(missing)
for source in missing:
    print(source, "is not in the compilation database")
for source in ("src/core/await.c", "cli/main.c", "bench/main.c", "tests/core/await.c",
               "examples/tutorial/01-first-task.c"):
    entry = entries[source]
    command = entry["command"] + " -fsyntax-only"
    if subprocess.run(command, shell=True, cwd=entry["directory"]).returncode:
        print(source, "does not compile with:", entry["command"])
        wrong += 1
sys.exit(wrong > 0)
END
