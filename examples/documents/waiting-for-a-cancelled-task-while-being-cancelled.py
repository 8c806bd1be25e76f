# SPDX-License-Identifier: MIT
# The trap: a caller that ignores the CancelledError of `await foo` ignores its own request, too.
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
            say("caught a cancellation: the cleanup ends early")
            raise


async def closer_main(foo):
    say("cancels foo and awaits it")
    foo.cancel()
    try:
        await foo
    except asyncio.CancelledError:
        pass
    requests = asyncio.current_task().cancelling()
    say(f"wrongly discards its cancellation, with {requests} request")


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


shows("A caller that ignores every cancellation from an await discards its own.")
asyncio.run(main())
