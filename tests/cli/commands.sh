#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Subcommands, help, version, and the errors for a wrong use of the command.
. "$(dirname "$0")/lib.inc"

run 0 --help
has out 'usage: belay SUBCOMMAND'
for name in demo play check; do
        has out "  $name "
        run 0 "$name" --help
        has out "usage: belay $name"
        run 2 "$name" --no-such-option
        # The C libraries quote the option in different ways.
        has err "belay $name: unrecognized option"
        has err "no-such-option"
        run 0 --help
done
run 0 --version
has out 'belay '
run 2
has err 'usage: belay SUBCOMMAND'
run 2 frobnicate
has err "unknown subcommand 'frobnicate'"
run 2 --no-such-option
run 2 play
has err 'expected one file, found 0'
run 2 play one two
has err 'expected one file, found 2'
run 2 play not-there.scn
has err 'not-there.scn: No such file or directory'
run 2 play .
has err '.: Is a directory'
run 2 check
has err 'expected a file'
run 2 check not-there.vectors
has err 'not-there.vectors: No such file or directory'

exit $wrong
