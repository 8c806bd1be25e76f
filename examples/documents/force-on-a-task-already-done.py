# SPDX-License-Identifier: MIT
# A helper that cancels until task.done() sends no request to a task that has ended.
import asyncio
from say import SECOND, say, shows, state

ANSWER = 42


async def quick():
    say(f"returns {ANSWER} at once")
    return ANSWER


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
    task = asyncio.create_task(quick(), name="task")
    await asyncio.sleep(SECOND)
    requests = await force_cancel(task, 10, SECOND)
    say(f"it took {requests} requests; the task is {state(task)}, with {task.result()}")
    assert requests == 0 and task.result() == ANSWER


shows("Forcing a task that has already ended sends no request.")
asyncio.run(main())
