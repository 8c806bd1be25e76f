# SPDX-License-Identifier: MIT
# A task that received a request has not ended yet.
import asyncio
from say import SECOND, say, shows, state


async def another():
    say("works for 5 seconds")
    await asyncio.sleep(5 * SECOND)


async def main():
    task = asyncio.create_task(another(), name="task")
    await asyncio.sleep(SECOND)
    say(f"the task is {state(task)}, with {task.cancelling()} requests")

    sent = task.cancel()
    say(f"cancels it ({str(sent).lower()}); it is {state(task)}, with {task.cancelling()} request")
    assert sent and not task.cancelled()

    await asyncio.wait({task})
    say(f"waited for its end; it is {state(task)}")

    sent = task.cancel()
    say(f"cancels it again ({str(sent).lower()}); it had {task.cancelling()} request")
    assert task.cancelled() and not sent


shows("A task that received a request has not ended yet.")
asyncio.run(main())
