# SPDX-License-Identifier: MIT
# A worker that returns from its `except` clause has a result: it did not end cancelled.
import asyncio
from say import SECOND, say, shows, state


async def heavy_worker():
    try:
        say("executing")
        await asyncio.sleep(5 * SECOND)
        say("completed")
        return "Done"
    except asyncio.CancelledError:
        say("caught a cancellation: interrupting")
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


shows("A worker answers its cancellation with a result: whoever awaits it sees the result.")
asyncio.run(main())
