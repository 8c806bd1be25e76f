/* SPDX-License-Identifier: MIT */
/*
 * Error codes for a shortage on this machine (of descriptors, memory, buffers or space).
 *
 * Such an error says nothing about the peer, the name or the address that was tried. So no other
 * error may replace it: if several addresses are tried, the shortage is returned.
 */
#ifndef BLY_SHORTAGE_H
#define BLY_SHORTAGE_H

#include <errno.h>
#include <stdbool.h>

static inline bool bly_is_shortage(int code) {
        return code == -EMFILE || code == -ENFILE || code == -ENOBUFS || code == -ENOMEM
               || code == -ENOSPC;
}

#endif
