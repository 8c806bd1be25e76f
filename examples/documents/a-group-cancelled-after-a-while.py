# SPDX-License-Identifier: MIT
# TaskGroup.cancel() ends the members and the body, and leaving the group raises nothing.
# Needs Python 3.15, which has TaskGroup.cancel().
import asyncio
from say import SECOND, say, shows, state


async def long_task():
    say("starts and takes 5 seconds")
    await asyncio.sleep(5 * SECOND)
    say("finished")


async def main():
    async with asyncio.TaskGroup() as group:
        a = group.create_task(long_task(), name="a")
        await asyncio.sleep(SECOND / 2)
        b = group.create_task(long_task(), name="b")
        await asyncio.sleep(2 * SECOND)
        say("cancels the group of 2")
        group.cancel()
    say(f"left the group: a is {state(a)}, b is {state(b)}")
    assert asyncio.current_task().cancelling() == 0


shows("Main cancels a group: its members end, and leaving it is no failure.")
asyncio.run(main())
