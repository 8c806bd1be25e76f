# SPDX-License-Identifier: MIT
# wait({foo}) waits for the end of foo and raises the caller's own cancellation only.
import asyncio
from say import SECOND, say, shows, state

cleaned = 0


async def foo_main():
    global cleaned
    try:
        await asyncio.sleep(10 * SECOND)
    finally:
        say("cleaning up for 2 seconds")
        await asyncio.sleep(2 * SECOND)
        say("cleaned up")
        cleaned += 1


async def closer_main(foo):
    say("cancels foo and joins it")
    foo.cancel()
    try:
        await asyncio.wait({foo})
        say("not reached")
    except asyncio.CancelledError:
        say(f"caught its own cancellation and ends; foo is {state(foo)}")
        raise


async def main():
    foo = asyncio.create_task(foo_main(), name="foo")
    await asyncio.sleep(SECOND)
    closer = asyncio.create_task(closer_main(foo), name="closer")
    await asyncio.sleep(SECOND)
    say("cancels closer")
    closer.cancel()
    await asyncio.sleep(5 * SECOND)
    say(f"closer is {state(closer)}, foo is {state(foo)}")
    assert closer.cancelled() and foo.cancelled() and cleaned == 1


shows("A caller joins a cancelled task, and a request for the caller ends only its wait.")
asyncio.run(main())
