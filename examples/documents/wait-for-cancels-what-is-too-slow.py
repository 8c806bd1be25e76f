# SPDX-License-Identifier: MIT
# wait_for() cancels a coroutine that is too slow and raises TimeoutError.
import asyncio
from say import SECOND, say, shows


async def slow_process():
    try:
        say("slow process started: it takes 3 seconds")
        await asyncio.sleep(3 * SECOND)
        say("slow process complete")
    except asyncio.CancelledError:
        say("caught a cancellation: slow process interrupted")
        raise


async def main():
    try:
        await asyncio.wait_for(slow_process(), timeout=SECOND)
    except TimeoutError:
        say("timed out after 1 second")
    assert asyncio.current_task().cancelling() == 0


shows("A time limit cancels what is too slow, and turns that into a time-out for the caller.")
asyncio.run(main())
