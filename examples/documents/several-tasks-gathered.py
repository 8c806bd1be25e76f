# SPDX-License-Identifier: MIT
# gather(..., return_exceptions=True) waits for several cancelled tasks and collects their outcomes.
import asyncio
from say import SECOND, say, shows, state


async def work():
    try:
        say("works for 5 seconds")
        await asyncio.sleep(5 * SECOND)
    except asyncio.CancelledError:
        say("caught a cancellation: ends")
        raise


async def main():
    tasks = []
    for name in "a", "b":
        tasks.append(asyncio.create_task(work(), name=name))
        await asyncio.sleep(SECOND / 4)
    await asyncio.sleep(3 * SECOND / 4)
    say("cancels both")
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    say(f"both have ended: a is {state(tasks[0])}, b is {state(tasks[1])}")
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


shows("Main cancels several tasks and gathers them: each one ends cancelled.")
asyncio.run(main())
