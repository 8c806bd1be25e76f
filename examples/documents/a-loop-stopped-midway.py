# SPDX-License-Identifier: MIT
# CancelledError arrives at an `await` and nowhere else, so it interrupts no other code.
import asyncio
from say import SECOND, say, shows, state

iterations = 0


async def long_running_loop():
    global iterations
    for _ in range(5):
        await asyncio.sleep(1.01 * SECOND)
        iterations += 1
        say(f"iteration {iterations}")


async def main():
    task = asyncio.create_task(long_running_loop(), name="task")
    await asyncio.sleep(3 * SECOND)
    say("cancels the task")
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        say(f"the task is {state(task)}, after {iterations} iterations")


shows("A request ends a loop in a wait, between two iterations.")
asyncio.run(main())
