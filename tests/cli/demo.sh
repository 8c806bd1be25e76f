#!/bin/sh
# SPDX-License-Identifier: MIT
#
# belay demo: which programs it runs, how it shows them, and what it prints about programs that
# fail.
. "$(dirname "$0")/lib.inc"

mkdir programs
cat >programs/a-good-one <<-'END'
	#!/bin/sh
	echo begins
	sleep 0.3
	printf 'ends without a newline'
END
cat >programs/fails <<-'END'
	#!/bin/sh
	echo complaint >&2
	exit 3
END
cat >programs/dies <<-'END'
	#!/bin/sh
	kill -KILL $$
END
echo 'not a program' >programs/plain
cp programs/fails programs/object.o
chmod +x programs/a-good-one programs/fails programs/dies programs/object.o
export BELAY_EXAMPLES="$work/programs"

run 0 demo --list
[ "$(cat out)" = "$(printf 'a-good-one\ndies\nfails')" ] || complain "a wrong list: $(cat out)"
run 0 demo a-good-one
has out 'A good one'
has out '1 programs, 0 failed'
grep -q '^ *0\.[01][0-9]*  begins$' out || complain "no time before the line: $(cat out)"
grep -q '^ *0\.[3-9][0-9]*  ends without a newline$' out ||
        complain "not the time at which the line arrived: $(cat out)"
run 1 demo
has out '3 programs, 2 failed'
has out '  complaint'
has out 'FAILED: exit status 3'
has out 'FAILED: signal 9'
run 1 demo fails a-good-one
has out '2 programs, 1 failed'
run 2 demo a-good-one no-such-one
has err "no program 'no-such-one'"
hasnt out begins

BELAY_EXAMPLES=$work/nowhere
run 2 demo
has err 'no programs in $BELAY_EXAMPLES'

exit $wrong
