# SPDX-License-Identifier: MIT
# A member that is cancelled before its first step does not disturb its TaskGroup.
import asyncio
from say import SECOND, say, shows, state


async def some():
    say("never reached")
    await asyncio.sleep(3 * SECOND)


async def main():
    async with asyncio.TaskGroup() as group:
        task = group.create_task(some(), name="task")
        task.cancel()
        say("started a member and cancelled it at once; the group has 1 member")
    requests = asyncio.current_task().cancelling()
    say(f"left the group; the task is {state(task)}, and main has {requests} requests")
    assert task.cancelled() and requests == 0


shows("A member that is cancelled before its first step does not disturb its group.")
asyncio.run(main())
