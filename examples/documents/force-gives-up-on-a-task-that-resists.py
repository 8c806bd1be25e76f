# SPDX-License-Identifier: MIT
# A task that catches every CancelledError, and a helper that gives up after ten requests.
import asyncio
from say import SECOND, say, shows, state

resisted = 0


async def stubborn():
    global resisted
    for _ in range(20):
        try:
            await asyncio.sleep(10 * SECOND)
        except asyncio.CancelledError:
            resisted += 1
            say(f"refuses a cancellation ({resisted})")
    say("ends by itself")


async def force_cancel(task, tries, interval):
    requests = 0
    while not task.done():
        if requests == tries:
            raise TimeoutError
        task.cancel()
        requests += 1
        await asyncio.sleep(interval)
    return requests


async def main():
    task = asyncio.create_task(stubborn(), name="task")
    await asyncio.sleep(SECOND)
    say("cancels the task once a second until it has ended, at most 10 times")
    try:
        await force_cancel(task, 10, SECOND)
    except TimeoutError:
        say(f"gives up after {task.cancelling()} requests; the task is {state(task)}")
    assert not task.done() and resisted == 10


shows("A task refuses 10 requests, so main gives up, and the program ends after the task.")
asyncio.run(main())
assert resisted == 11
