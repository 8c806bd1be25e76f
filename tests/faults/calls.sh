#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Whatever the library calls that can fail is made to fail by tests/faults/shim.h, or is named here, with why not.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Memory: it comes through belay_set_memory(), whose function is made to fail; but for the part that counts it.
exempt="calloc free malloc realloc"
# What cannot fail, as it is called; texts, numbers, times.
exempt+=" clock_gettime fprintf freeaddrinfo gai_strerror getauxval getenv getpid getrlimit gettid inet_ntop inet_pton isatty"
exempt+=" mem.* qsort_r raise sched_yield sig[a-z]*set sigismember sigpending snprintf stderr str.* sysconf vsnprintf"
exempt+=" in6addr_.* pthread_self pthread_setname_np pthread_attr_destroy pthread_attr_setstacksize pthread_cond_.*"
exempt+=" pthread_detach pthread_join pthread_mutex_.* pthread_once pthread_sigmask lseek timerfd_settime"
# What is a macro or a built-in of other C libraries and compilers; the portable switch.
exempt+=" atoi hton[ls] ntoh[ls] is[a-z]* toupper tolower bcmp abort [a-z]*context"
# What may fail and tells nothing by it.
exempt+=" eventfd_write if_nametoindex malloc_trim mincore readlink sigtimedwait"
# The part for tests of programs.
exempt+=" closedir dirfd opendir readdir"
# Those that go by number are told apart in there.
exempt+=" syscall"
# The ring's library, where it is not a part of ours.
exempt+=" io_uring_.*"

known=$(sed -n 's/^        f(\([a-z0-9_]*\),.*/\1/p' tests/faults/shim.h)
pattern="^($(printf '%s\n' $known $exempt | paste -sd '|'))\$"

unknown=$(nm -D --undefined-only "$BUILD/libbelay.so" | awk '{ sub("@.*", "", $2); print $2 }' | grep -v '^_' |
        grep -vE "$pattern" || true)
[ -z "$unknown" ] || {
        echo "these are neither made to fail by tests/faults/shim.h nor named here:"
        echo "$unknown"
        exit 1
}
[ "$(printf '%s\n' "$known" | wc -l)" -gt 40 ] || { echo "tests/faults/shim.h: its list is not found"; exit 1; }
