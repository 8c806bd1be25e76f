# SPDX-License-Identifier: MIT
# shield() ends the caller's wait, and the task that the caller waited for goes on.
import asyncio
from say import SECOND, say, shows, state


async def important():
    say("saves what is important, for 5 seconds")
    await asyncio.sleep(5 * SECOND)
    say("finished")
    return "saved"


async def caller(inner):
    try:
        say("waits for inner, behind a shield")
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        say(f"caught a cancellation: stops; inner is {state(inner)}")
        raise


async def main():
    inner = asyncio.create_task(important(), name="inner")
    outer = asyncio.create_task(caller(inner), name="outer")
    await asyncio.sleep(2 * SECOND)
    say("cancels outer")
    outer.cancel()
    await asyncio.wait({outer})
    say(f"outer is {state(outer)}, inner is {state(inner)}")
    assert await inner == "saved"
    say(f"inner is {state(inner)}")


shows("A shield lets the caller be cancelled, and the inner task finish.")
asyncio.run(main())
