# SPDX-License-Identifier: MIT
# wait() cancels nothing when its timeout expires: the caller decides.
import asyncio
from say import SECOND, say, shows, state


async def work():
    say("works for 9 seconds")
    await asyncio.sleep(9 * SECOND)


async def main():
    task = asyncio.create_task(work(), name="task")
    say("waits for the task, 2 seconds at most")
    done, pending = await asyncio.wait({task}, timeout=2 * SECOND)
    if task in pending:
        say(f"the task is {state(task)}: cancels it")
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say(f"the task is {state(task)}: that was the limit")
    assert task.cancelled()


shows("A limit of one's own: wait for two seconds, then cancel what has not ended.")
asyncio.run(main())
