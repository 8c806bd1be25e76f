# SPDX-License-Identifier: MIT
# A busy loop calls sleep(0), so that other tasks run and a request can reach the loop.
import asyncio
from say import say, shows, state

steps = 0


async def busy():
    global steps
    for _ in range(5):
        steps += 1
        say(f"step {steps}")
        await asyncio.sleep(0)


async def main():
    task = asyncio.create_task(busy(), name="task")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    say("cancels the task")
    task.cancel()
    await asyncio.wait({task})
    say(f"the task is {state(task)}, after {steps} steps")
    assert task.cancelled() and steps == 2


shows("A busy loop that yields can be cancelled, although it never waits.")
asyncio.run(main())
