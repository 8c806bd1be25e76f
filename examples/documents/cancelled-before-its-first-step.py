# SPDX-License-Identifier: MIT
# A task that is cancelled before its first step never reaches its `except` clause.
import asyncio
from say import SECOND, say, shows, state


async def cancellable():
    try:
        say("never reached")
        await asyncio.sleep(10 * SECOND)
    except asyncio.CancelledError:
        say("never reached, either")
        raise


async def main():
    task = asyncio.create_task(cancellable(), name="task")
    task.cancel()
    say(f"spawned a task and cancelled it at once; the task is {state(task)}")
    try:
        await task
    except asyncio.CancelledError:
        say(f"the task is {state(task)} and never ran")
    assert task.cancelled()


shows("A task that is cancelled before its first step never runs, and its argument is freed.")
asyncio.run(main())
