#!/bin/sh
# SPDX-License-Identifier: MIT
#
# belay play: the trace, the sources of a scenario, and scenarios that cannot be played to their
# end.
. "$(dirname "$0")/lib.inc"

cat >x.scn <<-END
	prog work
	  try
	    sleep 5.5
	  except cancelled
	    log cleaning-up
	    sleep 0.25
	    raise
	  finally
	    log last
	  end
	end
	prog main
	  spawn a work
	  sleep 1
	  cancel a enough
	  try
	    await a
	  except any
	  end
	  state nobody
	  return 42
	end
END
cat >expected <<-END
	0 main start
	0 main spawn a
	0 a start
	1 main cancel a -> true
	1 a caught cancelled:enough
	1 a log cleaning-up
	1.25 a finally
	1.25 a log last
	1.25 a done cancelled
	1.25 main caught cancelled:enough
	1.25 main unknown nobody
	1.25 main done ok:42
END
run 0 play x.scn
cmp expected out || complain "a wrong trace: $(cat out)"
"$belay" play - <x.scn >out
cmp expected out || complain "a wrong trace from standard input: $(cat out)"
{
	echo '=== other'
	printf 'prog main\nend\n--- trace\n'
	echo '=== this'
	cat x.scn
	echo '--- trace'
} >x.vectors
run 0 play --only this x.vectors
cmp expected out || complain "a wrong trace from a vectors file: $(cat out)"
run 2 play --only that x.vectors
has err "no scenario 'that'"

# Two tasks with the same name.
{
        printf 'prog p\nend\n'
        printf 'prog main\n  spawn a p\n  log said\n  spawn a p\n  log not-reached\nend\n'
} >x.scn
run 1 play x.scn
has out 'log said'
hasnt out not-reached
has err "x.scn:6: two tasks called 'a'"

# Scenarios without an end: too many events, too many statements, and too deep.
printf 'prog main\n  repeat 5000\n    log x\n  end\nend\n' >x.scn
run 1 play x.scn
has err 'more than 4000 events: the scenario does not end'
printf 'prog main\n  repeat 99999999\n    sleep 1\n  end\nend\n' >x.scn
run 1 play x.scn
has err 'more than 1000000 statements: the scenario does not end'
printf 'prog main\n  wait_for none main\nend\n' >x.scn
run 1 play x.scn
has err 'programs and blocks within each other, more than'
printf 'prog main\n  interrupt\n  interrupt\nend\n' >x.scn
run 1 play x.scn
has err 'only the first interrupt'
printf 'prog main\n  repeat 99999999\n  end\nend\n' >x.scn
run 0 play x.scn

exit $wrong
