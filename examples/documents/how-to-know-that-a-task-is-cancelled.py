# SPDX-License-Identifier: MIT
# A task that was asked to end has not ended yet.
import asyncio
from say import SECOND, say, shows, state


async def another():
    say("works for 5 seconds")
    await asyncio.sleep(5 * SECOND)


async def main():
    task = asyncio.create_task(another(), name="task")
    await asyncio.sleep(SECOND)
    say(f"the task is {state(task)}, with {task.cancelling()} requests")

    asked = task.cancel()
    say(f"cancels it: {str(asked).lower()}; it is {state(task)}, with {task.cancelling()} request")
    assert asked and not task.cancelled()

    await asyncio.wait({task})
    say(f"waited for its end: it is {state(task)}")

    asked = task.cancel()
    say(f"cancels it again: {str(asked).lower()}; it had {task.cancelling()} request")
    assert task.cancelled() and not asked


shows("A task is not cancelled when it is asked, but when it has ended so.")
asyncio.run(main())
