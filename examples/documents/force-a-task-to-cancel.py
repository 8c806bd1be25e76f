# SPDX-License-Identifier: MIT
# A helper cancels a task until it is done. The second request ends the cleanup.
import asyncio
from say import SECOND, say, shows, state


async def work():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
        say("completed")
    except asyncio.CancelledError:
        try:
            say("caught a cancellation: cleaning up for 5 seconds")
            await asyncio.sleep(5 * SECOND)
            say("cleaned up")
        except asyncio.CancelledError:
            say("caught a cancellation during the cleanup: ends")
            raise


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
    task = asyncio.create_task(work(), name="task")
    await asyncio.sleep(SECOND)
    say("cancels the task once a second until it has ended")
    requests = await force_cancel(task, 10, SECOND)
    say(f"it took {requests} requests; the task is {state(task)}")
    assert requests == 2 and task.cancelled()


shows("The first request starts a slow cleanup, and the second request ends it.")
asyncio.run(main())
