/* SPDX-License-Identifier: MIT */
/*
 * Failures that say what this machine is short of, and nothing about the peer, the name or the address that was tried.
 * No such failure may be passed over for one that does, and where several are tried, it is told.
 */
#ifndef BLY_SHORTAGE_H
#define BLY_SHORTAGE_H

#include <errno.h>
#include <stdbool.h>

static inline bool bly_is_shortage(int code) {
        return code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM || code == -ENOSPC;
}

#endif
