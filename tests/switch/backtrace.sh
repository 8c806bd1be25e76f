#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A debugger must see a whole backtrace, down to the bottom frame and no further. The test checks a
# running context, each instruction of the switch, and a suspended and a new context from the saved
# registers.
#
# Uses $CC and $CFLAGS.

dir=$(cd "$(dirname "$0")" && pwd) || exit 1
src=$dir/../../src/switch
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

command -v gdb >/dev/null 2>&1 || { echo "no gdb"; exit 77; }

# Without frame pointers the debugger needs the unwind rules, which are tested here.
${CC:-cc} $CFLAGS -std=gnu11 -D_GNU_SOURCE -O2 -g -fomit-frame-pointer -fno-optimize-sibling-calls \
        "$dir/parts/backtrace.c" "$src"/switch*.c "$src"/switch*.S -o "$tmp/backtrace" || exit 1

case "$("$tmp/backtrace" >/dev/null 2>&1; echo $?)" in
0) ;;
*) echo "the program itself fails"; exit 1 ;;
esac

case "$(uname -m):$CFLAGS" in
*BELAY_SWITCH_UCONTEXT*) echo "ucontext saves no registers where gdb could find them"; exit 77 ;;
x86_64:*)
        other='set $rbp = *(long *) ($from + saved_fp)
set $rbx = *(long *) ($from + saved_rbx)'
        registers='$rbx $rbp $r12 $r13 $r14 $r15'
        of_task='101 102 103 104 105 106'
        of_main='201 202 203 204 205 206'
        ;;
aarch64:*)
        other='set $x29 = *(long *) ($from + saved_fp)'
        registers='$x20 $x21 $x22 $x23 $x24 $x25 $x26 $x27 $x28'
        of_task='102 103 104 105 106 107 108 109 100'
        of_main='202 203 204 205 206 207 208 209 200'
        ;;
riscv64:*)
        other='set $s0 = *(long *) ($from + saved_fp)'
        registers='$s3 $s4 $s5 $s6 $s7 $s8 $s9 $s10 $s11'
        of_task='103 104 105 106 107 108 109 100 101'
        of_main='203 204 205 206 207 208 209 200 201'
        ;;
*) echo "not on this machine"; exit 77 ;;
esac

show=$(for r in $registers; do printf '  printf " %%ld", %s\n' "$r"; done)

cat >"$tmp/script" <<EOF
set pagination off
set width 0
set confirm off
set breakpoint pending off
define from_saved
  set \$from = (char *) \$arg0
  set \$to_pc = *(long *) (\$from + saved_pc)
  $other
  set \$sp = \$from + saved_size
  set \$pc = \$to_pc
end
define steps
  set \$left = \$arg0
  while \$left > 0
    if (char *) \$pc >= (char *) &bly_switch && (char *) \$pc < (char *) &bly_context_start
      echo \n== step\n
      bt
      up-silently
      echo \nregisters:
$show
      echo \n
      down-silently
    end
    stepi
    set \$left = \$left - 1
  end
end
break bly_switch
run
steps 60
delete 1
break look_running
break look_suspended
continue
echo \n== running\n
bt
continue
echo \n== running again\n
bt
delete 2
break bly_switch
continue
steps 200
delete 4
continue
echo \n== suspended\n
from_saved task_context.sp
bt
echo \n== fresh\n
from_saved fresh_context.sp
bt
echo \n== end\n
kill
quit
EOF

gdb -nx -batch -x "$tmp/script" "$tmp/backtrace" >"$tmp/out" 2>&1
if grep -q 'ptrace: Operation not permitted\|Could not trace the inferior' "$tmp/out"; then
        echo "not allowed to debug here"
        exit 77
fi

fail()
{
        echo "$1"
        cat "$tmp/out"
        exit 1
}

# Prints the names of the frames of each backtrace, innermost first, one backtrace a line.
awk '
/^== / {
        if (name) print name ":" frames registers
        name = substr($0, 4)
        frames = registers = ""
        next
}
/^registers:/ { registers = " /" substr($0, 11); next }
/^#[0-9]+ / && registers { next }
/^#[0-9]+ / {
        for (i = 2; i <= NF; i++)
                if ($i ~ /^\(/) { frames = frames " " $(i - 1); break }
}' "$tmp/out" >"$tmp/frames"

grep -q '^== end' "$tmp/out" || fail "the debugger did not reach the end"
grep -qi 'Backtrace stopped\|corrupt\|Cannot access memory\|??' "$tmp/out" &&
        fail "a backtrace broke off"

grep -qx 'running: look_running inner middle task bly_context_start' "$tmp/frames" ||
        fail "no whole backtrace of a running context"
grep -qx 'running again: look_running inner middle task bly_context_start' "$tmp/frames" ||
        fail "no whole backtrace of a resumed context"
grep -qx 'suspended: inner middle task bly_context_start' "$tmp/frames" ||
        fail "no whole backtrace of a suspended context"
grep -qx 'fresh: bly_context_start' "$tmp/frames" || fail "no backtrace of a new context"

# At each instruction of the switch the backtrace must be one of these three, whole and with the
# right registers.
grep '^step: bly_switch' "$tmp/frames" |
        grep -vx "step: bly_switch inner middle task bly_context_start / $of_task" |
        grep -vx "step: bly_switch resume main / $of_main" |
        grep -v '^step: bly_switch bly_context_start / ' >"$tmp/wrong"
[ -s "$tmp/wrong" ] && { cat "$tmp/wrong"; fail "a backtrace out of the switch is wrong"; }
for caller in inner resume bly_context_start; do
        [ "$(grep -c "^step: bly_switch $caller" "$tmp/frames")" -ge 5 ] ||
                fail "the switch was not stepped through, seen from $caller"
done
exit 0
