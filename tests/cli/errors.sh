#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Errors in scenarios and vectors files. Each message must name the file, the line and what was
# expected there.
. "$(dirname "$0")/lib.inc"

# scenario LINE MESSAGE: the scenario on standard input must be refused with this message, and no
# part of it may run
scenario() {
        cat >x.scn
        run 2 play x.scn
        has err "x.scn:$1: $2"
        [ ! -s out ] || complain "something ran: $2"
        [ "$(wc -l <err)" -eq 1 ] || complain "expected one line: $2"
}

scenario 6 \
        "expected 'cancelled', 'timeout', 'group', 'error' or 'any' after 'except', found 'foo'" \
        <<-END
	prog main
	  log ran
	  # a comment counts as a line, and so does an empty one

	  try
	  except foo
	  end
	end
END
scenario 3 "the scenario ends, but the 'try' of line 2 has no 'end'" <<-END
	prog main
	  try
	    sleep 1
END
scenario 5 "a program begins, but the 'timeout' of line 2 has no 'end'" <<-END
	prog main
	  timeout 1
	    sleep 1

	prog other
	end
END
scenario 3 "'finally' does not belong into the 'group' of line 2" <<-END
	prog main
	  group
	    finally
	  end
	end
END
scenario 4 "'except' does not belong into the 'try' of line 2" <<-END
	prog main
	  try
	  finally
	  except any
	  end
	end
END
scenario 3 "unexpected 'try' after 'end'" <<-END
	prog main
	  try
	  end try
	end
END
scenario 2 "unknown statement 'frobnicate'" <<-END
	prog main
	  frobnicate x
	end
END
scenario 2 "too few words: expected 'spawn NAME PROG'" <<-END
	prog main
	  spawn a
	end
END
scenario 2 "unexpected 'quickly': expected 'log WORD'" <<-END
	prog main
	  log word quickly
	end
END
scenario 2 \
        "unexpected 'odd': expected 'raise' or 'raise error WORD' or 'raise cancelled [REASON]'" \
        <<-END
	prog main
	  raise odd
	end
END
scenario 2 "'raise' alone stands in an 'except' only" <<-END
	prog main
	  raise
	end
END
scenario 2 "expected 'gather raise TARGET...' or 'gather results TARGET...'" <<-END
	prog main
	  gather all a b
	end
END
scenario 2 "expected 'all', 'first' or 'first_error' after 'wait', found 'any'" <<-END
	prog main
	  wait any none a
	end
END
scenario 2 "expected seconds in 'sleep', found '1s'" <<-END
	prog main
	  sleep 1s
	end
END
scenario 2 "expected seconds or 'none' in 'timeout', found 'soon'" <<-END
	prog main
	  timeout soon
	  end
	end
END
scenario 2 "expected a whole number in 'repeat', found '1.5'" <<-END
	prog main
	  repeat 1.5
	  end
	end
END
scenario 3 "expected 'now' or nothing here, found 'later'" <<-END
	queue Q 0
	prog main
	  shutdown Q later
	end
END
scenario 2 "no program 'work'" <<-END
	prog main
	  spawn a work
	end
END
scenario 2 "expected a lock, semaphore or condition, but 'L' is not declared" <<-END
	prog main
	  with L
	  end
	end
END
scenario 3 "expected a queue, but 'L' is declared as 'lock' on line 1" <<-END
	lock L
	prog main
	  get L
	end
END
scenario 2 "'L' is declared already, and otherwise: 'lock' on line 1" <<-END
	lock L
	event L
	prog main
	end
END
scenario 3 "program 'main' is there already, on line 1" <<-END
	prog main
	end
	prog main
	end
END
scenario 1 "no program 'main'" <<-END
	prog other
	end
END
scenario 1 "expected 'prog NAME'" <<-END
	prog
	end
END
scenario 1 "expected 'queue NAME SIZE'" <<-END
	queue Q
	prog main
	end
END
scenario 1 "expected a number, 1 at least, behind 'barrier B', found '0'" <<-END
	barrier B 0
	prog main
	end
END
scenario 1 "expected a lock that is declared before, found 'L'" <<-END
	condition C L
	lock L
	prog main
	end
END
scenario 3 "expected 'prog' or an object" <<-END
	prog main
	end
	log outside
END

# Blocks that are nested too deep must be refused and must not overflow the parser's stack.
{
	echo 'prog main'
	for i in $(seq 100); do echo 'repeat 1'; done
	for i in $(seq 100); do echo 'end'; done
	echo 'end'
} | scenario 66 "blocks stand in each other more than 64 deep"

# vectors LINE MESSAGE: the same for a vectors file, with its own line numbers
vectors() {
        cat >x.vectors
        run 2 check x.vectors
        has err "x.vectors:$1: $2"
        hasnt out passed
}

vectors 1 "expected '=== NAME' before anything else" <<-END
	prog main
	end
END
vectors 1 "expected '=== NAME', found no scenario" </dev/null
vectors 1 "expected '=== NAME'" <<-END
	===
	prog main
END
vectors 3 "expected '--- trace' at the end of the scenario 'a'" <<-END
	=== a
	prog main
	end
END
vectors 8 "there is a scenario of this name already: 'a'" <<-END
	=== a
	prog main
	end
	--- trace
	0 main start
	0 main done ok:-

	=== a
	prog main
	end
	--- trace
END
vectors 5 "expected 'TIME TASK EVENT' in the trace of 'a'" <<-END
	=== a
	prog main
	end
	--- trace
	0 main
END
vectors 9 "unknown statement 'frobnicate'" <<-END
	=== a
	prog main
	end
	--- trace
	0 main start
	0 main done ok:-
	=== b
	prog main
	  frobnicate
	end
	--- trace
END

exit $wrong
