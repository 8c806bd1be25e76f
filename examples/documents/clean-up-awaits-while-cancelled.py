# SPDX-License-Identifier: MIT
# Cleanup in `finally` may wait: the request was delivered once.
import asyncio
from say import SECOND, say, shows, state

released = 0


async def release_slowly():
    global released
    say("releasing takes half a second")
    await asyncio.sleep(SECOND / 2)
    say("released")
    released += 1


async def worker():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
    finally:
        await release_slowly()


async def main():
    task = asyncio.create_task(worker(), name="task")
    await asyncio.sleep(SECOND)
    say("cancels the task")
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say(f"the task is {state(task)}, and its cleanup is complete")
    assert task.cancelled() and released == 1


shows("A cancelled worker waits during its cleanup and then ends cancelled.")
asyncio.run(main())
