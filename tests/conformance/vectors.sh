#!/bin/sh
# SPDX-License-Identifier: MIT
# Every recorded scenario leaves the trace that CPython's asyncio left.
belay=${BELAY:-${BUILD:-build}/belay}
[ -x "$belay" ] || { echo "no command at $belay"; exit 77; }
unset BELAY_SEED
exec "$belay" check "$(dirname "$0")"/*.vectors
