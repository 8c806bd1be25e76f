# SPDX-License-Identifier: MIT
# wait() cancels nothing when its timeout expires: the caller decides.
import asyncio
from say import SECOND, say, shows, state


async def work():
    say("works for 9 seconds")
    await asyncio.sleep(9 * SECOND)


async def main():
    task = asyncio.create_task(work(), name="task")
    say("waits for the task for at most 2 seconds")
    done, pending = await asyncio.wait({task}, timeout=2 * SECOND)
    if task in pending:
        say(f"the task is {state(task)}: cancels it")
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say(f"the limit has passed, and the task is {state(task)}")
    assert task.cancelled()


shows("Main sets a limit of its own: it waits for 2 seconds and then cancels the task.")
asyncio.run(main())
