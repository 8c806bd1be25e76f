#!/bin/sh
# SPDX-License-Identifier: MIT
#
# belay check: which traces count as equal, what it prints about a difference, and its exit status.
. "$(dirname "$0")/lib.inc"

cat >good.vectors <<-END
	=== one
	prog work
	  sleep 1
	  return 7
	end
	prog main
	  spawn a work
	  spawn b work
	  await a
	  await b
	end
	--- trace
	0 main start
	0 main spawn a
	0 main spawn b
	0 a start
	0 b start
	1 a done ok:7
	1 b done ok:7
	1 main await a -> 7
	1 main await b -> 7
	1 main done ok:-
	=== two
	prog main
	end
	--- trace
	0 main start
	0 main done ok:-
END
run 0 check good.vectors
[ "$(cat out)" = '2 passed, 0 failed' ] || complain "not this summary alone: $(cat out)"
run 0 check --only two good.vectors
has out '1 passed, 0 failed'
run 0 check good.vectors good.vectors
has out '4 passed, 0 failed'
run 2 check --only three good.vectors
has err "no scenario 'three'"

# The lines of different tasks may interleave in any way.
{
	sed '/^--- trace/q' good.vectors
	grep '^[01] b ' good.vectors
	grep '^[01] a ' good.vectors
	sed '/^=== two/q' good.vectors | grep '^[01] main '
} >other-order.vectors
run 0 check other-order.vectors
has out '1 passed, 0 failed'

# differs SED-COMMAND TEXT...: after this change the first scenario must fail and the second one
# pass, and the report must contain the texts
differs() {
        sed "$1" good.vectors >bad.vectors
        ! cmp -s good.vectors bad.vectors || complain "nothing was changed: $1"
        shift
        run 1 check bad.vectors
        has out 'FAILED one (bad.vectors:1)'
        has out '1 passed, 1 failed'
        for text; do
                has out "$text"
        done
        run 1 check --quiet bad.vectors
        [ "$(cat out)" = '1 passed, 1 failed' ] || complain "--quiet is not quiet: $(cat out)"
}

# Another value, another time, a line too few, a line too many, a missing task, another order, an
# extra blank.
differs 's/^1 b done ok:7/1 b done ok:8/' 'task b:' '-> 1 done ok:8' '| 1 done ok:7'
differs 's/^1 a done ok:7/1.001 a done ok:7/' 'task a:' '-> 1.001 done ok:7' '| 1 done ok:7'
differs '/^0 b start/d' 'task b:' '-> 1 done ok:7' '| 0 start'
differs 's/^0 a start/&\n0 a log more/' 'task a:' '-> 0 log more'
differs 's/^0 b start/&\n0 c start/' 'task c:' '-> 0 start' '| -'
differs '/^[01] b /d' 'task b:' '-> - ' '| 0 start'
differs '/^0 main spawn a/d; s/^0 main spawn b/&\n0 main spawn a/' 'task main:' '-> 0 spawn b'
differs 's/^0 a start/& /' 'task a:'
hasnt out 'task b:'
hasnt out 'task main:'

exit $wrong
