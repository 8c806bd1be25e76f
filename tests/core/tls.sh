#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A TLS handshake must fit the default stack. parts/tls.c needs OpenSSL, so the test is skipped if
# OpenSSL is not installed.
set -euo pipefail

case ${SAN:-}${RUN:-}${CC:-cc} in
*address* | *thread* | *qemu* | *musl*) exit 77 ;;
esac
flags=$(pkg-config --cflags --libs openssl 2>/dev/null) || exit 77
program=$(mktemp)
trap 'rm -f "$program"' EXIT
# shellcheck disable=SC2086
${CC:-cc} ${CFLAGS:-} -std=gnu11 -Iinclude -Isrc -Itests tests/core/parts/tls.c \
        "$BUILD/libbelay.a" $flags ${LIBS:--pthread -lm} -o "$program"
"$program"
