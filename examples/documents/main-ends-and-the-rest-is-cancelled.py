# SPDX-License-Identifier: MIT
# asyncio.run() cancels the tasks that are left after main and waits for their cleanup.
import asyncio
from say import SECOND, say, shows

RESULT = 7

closed = 0
background_task = None


async def background():
    global closed
    try:
        say("works for 100 seconds")
        await asyncio.sleep(100 * SECOND)
    except asyncio.CancelledError:
        say("caught a cancellation: shutting down")
        await asyncio.sleep(SECOND)
        say("closed")
        closed += 1
        raise


async def main():
    global background_task
    # The loop refers to its tasks weakly, so an unreferenced task may vanish.
    background_task = asyncio.create_task(background(), name="a")
    await asyncio.sleep(SECOND)
    say("done")
    return RESULT


shows("When main ends, the loop cancels the other tasks and waits for their cleanup.")
assert asyncio.run(main()) == RESULT and closed == 1
