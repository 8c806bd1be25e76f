# SPDX-License-Identifier: MIT
# The trap: ignoring the CancelledError out of `await foo` also ignores the caller's own.
import asyncio
from say import SECOND, say, shows, state


async def foo_main():
    try:
        await asyncio.sleep(10 * SECOND)
    finally:
        try:
            say("cleaning up for 2 seconds")
            await asyncio.sleep(2 * SECOND)
            say("cleaned up")
        except asyncio.CancelledError:
            say("caught a cancellation: the clean-up is cut short")
            raise


async def closer_main(foo):
    say("cancels foo and awaits it")
    foo.cancel()
    try:
        await foo
    except asyncio.CancelledError:
        pass
    requests = asyncio.current_task().cancelling()
    say(f"swallows its own cancellation (wrong!); requests: {requests}")


async def main():
    foo = asyncio.create_task(foo_main(), name="foo")
    await asyncio.sleep(SECOND)
    closer = asyncio.create_task(closer_main(foo), name="closer")
    await asyncio.sleep(SECOND)
    say("cancels closer")
    closer.cancel()
    await asyncio.sleep(5 * SECOND)
    say(f"closer is {state(closer)}, foo is {state(foo)}")
    assert not closer.cancelled() and foo.cancelled()


shows("Who ignores what comes out of awaiting a cancelled task swallows its own cancellation.")
asyncio.run(main())
