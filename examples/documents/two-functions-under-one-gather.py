# SPDX-License-Identifier: MIT
# Two tasks are cancelled one after the other, and one gather() collects both.
import asyncio
from say import SECOND, say, shows, state


async def first():
    say("works for 4 seconds")
    await asyncio.sleep(4 * SECOND)


async def second():
    say("works for 5 seconds")
    await asyncio.sleep(5 * SECOND)


async def main():
    a = asyncio.create_task(first(), name="a")
    b = asyncio.create_task(second(), name="b")
    await asyncio.sleep(SECOND)
    say("cancels a")
    a.cancel()
    await asyncio.sleep(SECOND / 2)
    say(f"a is {state(a)}, b is {state(b)}; cancels b")
    b.cancel()
    results = await asyncio.gather(a, b, return_exceptions=True)
    say(f"gathered: a is {state(a)}, b is {state(b)}")
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


shows("Main cancels two tasks one after the other, and one gather collects both.")
asyncio.run(main())
