# SPDX-License-Identifier: MIT
# A worker catches CancelledError, withdraws the request with uncancel(), and finishes.
import asyncio
from say import SECOND, say, shows, state

FINISHED = 1


async def worker():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
    except asyncio.CancelledError:
        left = asyncio.current_task().uncancel()
        say(f"refuses a cancellation, with {left} requests left")
    await asyncio.sleep(3 * SECOND)
    say("finished")
    return FINISHED


async def main():
    task = asyncio.create_task(worker(), name="task")
    await asyncio.sleep(SECOND)
    task.cancel()
    say(f"cancels the task, which has {task.cancelling()} request")
    await asyncio.sleep(SECOND)
    say(f"the task is {state(task)}, with {task.cancelling()} requests")
    result = await task
    say(f"the task is {state(task)}, with {result}")
    assert result == FINISHED


shows("A worker refuses a request, withdraws it, and finishes its work.")
asyncio.run(main())
