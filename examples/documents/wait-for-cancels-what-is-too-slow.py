# SPDX-License-Identifier: MIT
# wait_for() cancels a coroutine that is too slow and raises TimeoutError.
import asyncio
from say import SECOND, say, shows


async def slow_process():
    try:
        say("the slow process starts and takes 3 seconds")
        await asyncio.sleep(3 * SECOND)
        say("the slow process has finished")
    except asyncio.CancelledError:
        say("caught a cancellation: the slow process ends")
        raise


async def main():
    try:
        await asyncio.wait_for(slow_process(), timeout=SECOND)
    except TimeoutError:
        say("timed out after 1 second")
    assert asyncio.current_task().cancelling() == 0


shows("A timeout cancels a slow function and reports the timeout to the caller.")
asyncio.run(main())
