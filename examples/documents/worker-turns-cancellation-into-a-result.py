# SPDX-License-Identifier: MIT
# A worker that returns a result from its `except` clause does not end cancelled.
import asyncio
from say import SECOND, say, shows, state


async def heavy_worker():
    try:
        say("executing")
        await asyncio.sleep(5 * SECOND)
        say("completed")
        return "Done"
    except asyncio.CancelledError:
        say("caught a cancellation: returns a result")
        return "Canceled"


async def main():
    task = asyncio.create_task(heavy_worker(), name="task")
    await asyncio.sleep(SECOND)
    say("cancels the task")
    task.cancel()
    try:
        value = await task
    except asyncio.CancelledError:
        say("never reached")
    say(f'the task is {state(task)}, with "{value}", after {task.cancelling()} request')
    assert not task.cancelled() and value == "Canceled"


shows("A worker returns a result after a request, and its caller receives that result.")
asyncio.run(main())
