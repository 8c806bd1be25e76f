# SPDX-License-Identifier: MIT
# A worker cleans up, raises the CancelledError again, and ends cancelled.
import asyncio
from say import SECOND, say, shows, state


async def worker():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
    except asyncio.CancelledError:
        say("caught a cancellation: cleaning up")
        raise
    finally:
        say("closed, as on each path")


async def main():
    task = asyncio.create_task(worker(), name="task")
    await asyncio.sleep(2 * SECOND)
    say("cancels the task")
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say(f"handles the outcome: the task is {state(task)}")
    assert task.cancelled()


shows("A worker cleans up after a request and ends cancelled.")
asyncio.run(main())
