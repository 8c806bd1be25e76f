# SPDX-License-Identifier: MIT
"""Run an asyncio program on a virtual clock: virtual.py PROGRAM.

The clock starts at 0 and jumps to the next deadline when no callback is ready. The output does not
depend on the speed of the machine.
"""
import os
import runpy
import selectors
import sys
import time

now = 0.0


class JumpingSelector(selectors.DefaultSelector):
    def select(self, timeout=None):
        global now
        if timeout is None:
            sys.exit("deadlock: no callback is ready, and no timer is set")
        now += max(timeout, 0)
        return super().select(0)


selectors.DefaultSelector = JumpingSelector
time.monotonic = lambda: now

sys.path[0] = os.path.dirname(sys.argv[1])
runpy.run_path(sys.argv[1], run_name="__main__")
