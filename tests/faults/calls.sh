#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Each function that the library calls must be one that tests/faults/shim.h makes fail. If it is
# not, this script must name it with the reason.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Memory: the library allocates through the function of belay_set_memory(), which the scenes make
# fail. Only the part that counts memory calls these directly.
exempt="calloc free malloc realloc"
# Functions that cannot fail as the library calls them, for texts, numbers and times.
exempt+=" clock_gettime fprintf freeaddrinfo gai_strerror getauxval getenv getpid getrlimit gettid"
exempt+=" inet_ntop inet_pton isatty mem.* qsort_r raise sched_yield sig[a-z]*set sigismember"
exempt+=" sigpending snprintf stderr str.* sysconf vsnprintf in6addr_.* pthread_self"
exempt+=" pthread_setname_np pthread_attr_destroy pthread_attr_setstacksize pthread_cond_.*"
exempt+=" pthread_detach pthread_join pthread_mutex_.* pthread_once pthread_sigmask lseek"
exempt+=" timerfd_settime"
# Functions that are macros or built-ins with other C libraries and compilers; the portable switch.
exempt+=" atoi hton[ls] ntoh[ls] is[a-z]* toupper tolower bcmp abort [a-z]*context"
# Functions whose failure makes no difference to the library.
exempt+=" eventfd_write if_nametoindex malloc_trim mincore readlink sigtimedwait"
# Functions of the part for tests of programs, testing/.
exempt+=" closedir dirfd opendir readdir"
# System calls by number: the shim distinguishes them in its own syscall().
exempt+=" syscall"
# liburing, if it is not linked into the library.
exempt+=" io_uring_.*"

known=$(sed -n 's/^        f(\([a-z0-9_]*\),.*/\1/p' tests/faults/shim.h)
pattern="^($(printf '%s\n' $known $exempt | paste -sd '|'))\$"

unknown=$(nm -D --undefined-only "$BUILD/libbelay.so" | awk '{ sub("@.*", "", $2); print $2 }' |
        grep -v '^_' | grep -vE "$pattern" || true)
[ -z "$unknown" ] || {
        echo "these are neither made to fail by tests/faults/shim.h nor named here:"
        echo "$unknown"
        exit 1
}
[ "$(printf '%s\n' "$known" | wc -l)" -gt 40 ] || {
        echo "tests/faults/shim.h: its list is not found"
        exit 1
}
