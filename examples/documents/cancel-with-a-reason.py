# SPDX-License-Identifier: MIT
# The message of cancel() reaches the task and the caller that awaits it.
import asyncio
from say import SECOND, say, shows, state

REASON = "Timeout occurred"


async def worker():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
    except asyncio.CancelledError as error:
        say(f"caught a cancellation: {error.args[0]}")
        raise


async def main():
    task = asyncio.create_task(worker(), name="task")
    await asyncio.sleep(SECOND)
    say(f"cancels the task: {REASON}")
    task.cancel(REASON)
    try:
        await task
    except asyncio.CancelledError as error:
        say(f"the task is {state(task)}: {error.args[0]}")
        assert error.args == (REASON,)


shows("The reason of a request reaches the task and the caller that awaits it.")
asyncio.run(main())
