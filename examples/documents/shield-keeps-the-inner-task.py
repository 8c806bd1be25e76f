# SPDX-License-Identifier: MIT
# shield() ends the caller's wait, and the task that the caller waited for goes on.
import asyncio
from say import SECOND, say, shows, state


async def important():
    say("saves its work for 5 seconds")
    await asyncio.sleep(5 * SECOND)
    say("finished")
    return "saved"


async def caller(inner):
    try:
        say("waits for inner with a shield")
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        say(f"caught a cancellation and ends; inner is {state(inner)}")
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


shows("With a shield a request ends the caller, and the inner task finishes.")
asyncio.run(main())
