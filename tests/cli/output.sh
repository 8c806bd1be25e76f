#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The output of the command. It must report output that cannot be written, and call itself by the
# same name however it is started. Control bytes of its input must not reach a terminal.
. "$(dirname "$0")/lib.inc"

printf 'prog main\nend\n' >x.scn
{
	echo '=== one'
	printf 'prog main\nend\n--- trace\n0 main start\n0 main done ok:-\n'
} >x.vectors
mkdir programs
printf '#!/bin/sh\necho hello\n' >programs/hello
printf '#!/bin/sh\necho again\n' >programs/once-more
chmod +x programs/*
BELAY_EXAMPLES=$PWD/programs
export BELAY_EXAMPLES

# ---- output that cannot be written ----

# fails MESSAGE ARGUMENT...: the caller chooses standard output. Complaints go to the standard
# output of the test.
exec 6>&1
fails() {
        message=$1
        shift
        status=0
        "$belay" "$@" 2>err </dev/null || status=$?
        {
                [ "$status" -eq 2 ] ||
                        complain "belay $*: exit status $status, though it cannot write"
                # musl loses the error code of a write that fails while it makes room in the buffer.
                case " $UNDER " in
                *' musl '*) has err 'cannot write to standard output' ;;
                *) has err "cannot write to standard output: $message" ;;
                esac
                [ "$(wc -l <err)" -eq 1 ] || complain "belay $*: more than one line: $(cat err)"
        } >&6
}

# Runs each command that prints to standard output.
everything() {
        for arguments in --help --version 'play --help' 'check --help' 'demo --help' 'play x.scn' \
                'check x.vectors' 'check --quiet x.vectors' 'demo --list' demo; do
                # shellcheck disable=SC2086
                "$@" $arguments
        done
}

nowhere() { fails 'No space left on device' "$@" >/dev/full; }
closed() { fails 'Bad file descriptor' "$@" >&-; }
# Standard output is a pipe whose reader is gone before the command begins.
unread() {
        mkfifo pipe
        exec 7<>pipe
        exec 8>pipe
        exec 7<&-
        rm pipe
        fails 'Broken pipe' "$@" >&8
        exec 8>&-
}

[ ! -c /dev/full ] || everything nowhere
everything closed
trap '' PIPE
everything unread
trap - PIPE
mkfifo pipe
exec 7<>pipe 8>pipe
exec 7<&-
status=0
"$belay" --help >&8 2>err || status=$?
exec 8>&-
[ "$status" -gt 128 ] ||
        complain "writing to a pipe without a reader ends it with $status, not by a signal"
[ ! -s err ] || complain "it printed something: $(cat err)"

# If standard descriptors are closed, another file must not get the number of one of them.
status=0
"$belay" check x.vectors x.vectors 2>err <&- >&- || status=$?
[ "$status" -eq 2 ] || complain "all is closed: exit status $status"

# ---- the name by which it calls itself ----

cd programs || exit 1
ln -s "$belay" other-name
command=$belay
for belay in "$command" ./other-name ../programs/other-name; do
        run 2 --no-such-option
        told="belay: unrecognized option '--no-such-option'"
        [ "$(cat err)" = "$told; belay --help says more" ] ||
                complain "$belay: $(cat err)"
        for name in play check demo; do
                for option in --no-such-option --no-such=option -Z; do
                        run 2 $name $option
                        told="belay $name: unrecognized option '$option'"
                        [ "$(cat err)" = "$told; belay $name --help says more" ] ||
                                complain "$belay: $(cat err)"
                done
                run 2 $name --help=more
                told="belay $name: option '--help' takes no argument"
                [ "$(cat err)" = "$told; belay $name --help says more" ] ||
                        complain "$belay: $(cat err)"
        done
        for name in play check; do
                run 2 $name --only
                told="belay $name: option '--only' requires an argument"
                [ "$(cat err)" = "$told; belay $name --help says more" ] ||
                        complain "$belay: $(cat err)"
        done
done
belay=$command
cd ..

# ---- bytes that are no text ----

# Control characters of both sets that a terminal would obey, a byte that is no UTF-8, and a change
# of the writing direction must be escaped. The letter after them must stay.
evil=$(printf 'a\033[31m\302\233\377\342\200\256\303\244')
shown="a\\x1b[31m\\xc2\\x9b\\xff\\xe2\\x80\\xae$(printf '\303\244')"

# The file must have this line alone, and no other byte.
line() {
        [ "$(cat "$1")" = "$2" ] || complain "$1 is not '$2': $(cat -v "$1")"
}

run 2 "$evil"
line err "belay: unknown subcommand '$shown'; belay --help lists them"
run 2 "--$evil"
line err "belay: unrecognized option '--$shown'; belay --help says more"
for name in play check; do
        run 2 $name "--$evil"
        line err "belay $name: unrecognized option '--$shown'; belay $name --help says more"
        run 2 $name "$evil.none"
        line err "belay $name: $shown.none: No such file or directory"
done
run 2 play "$(printf 'two\nlines\there')"
line err 'belay play: two\x0alines\x09here: No such file or directory'
run 2 demo "$evil"
line err "belay demo: no program '$shown'; belay demo --list lists them"
BELAY_EXAMPLES=$evil run 2 demo
line err "belay demo: no programs in \$BELAY_EXAMPLES ($shown)"

printf 'prog main\n  %s\nend\n' "$evil" >"$evil"
run 2 play "$evil"
line err "$shown:2: unknown statement '$shown'"
printf 'prog main\n  sleep %s\nend\n' "$evil" >"$evil"
run 2 play "$evil"
line err "$shown:2: expected seconds in 'sleep', found '$shown'"
printf 'prog main\n  spawn %s main\n  spawn %s main\nend\n' "$evil" "$evil" >"$evil"
run 1 play "$evil"
has err "two tasks called '$shown'"
printf '=== %s\nprog main\nend\n' "$evil" >"$evil"
run 2 check "$evil"
line err "$shown:3: expected '--- trace' at the end of the scenario '$shown'"
{
        printf '=== %s\nprog main\n  log %s\nend\n' "$evil" "$evil"
        printf '%s\n' '--- trace' '0 main start' '0 main log x' '0 main done ok:-'
} >"$evil"
run 1 check "$evil"
has out "FAILED $shown ($shown:1)"
has out "| 0 log $shown"
LC_ALL=C grep -q "$(printf '[\033\377\233]')" out && complain "a byte got through: $(cat -v out)"
run 2 check --only "$evil" x.vectors
line err "belay check: no scenario '$shown'"
run 2 play --only "$evil" x.vectors
line err "belay play: x.vectors: no scenario '$shown'"
head -c 100000 /dev/zero | tr '\0' '\033' >evil
run 2 play evil
[ "$(wc -c <err)" -lt 17000 ] || complain "a message of $(wc -c <err) bytes"
LC_ALL=C grep -q "$(printf '\033')" err && complain "a byte got through"

# A trace keeps its bytes, unless it goes to a terminal.
printf 'prog main\n  log %s\nend\n' "$evil" >x.scn
run 0 play x.scn
has out "0 main log $evil"
if command -v script >/dev/null && script -qc true /dev/null >/dev/null 2>&1 </dev/null; then
        script -qc "'$belay' play x.scn" /dev/null >out </dev/null
        has out "0 main log $shown"
fi

exit $wrong
