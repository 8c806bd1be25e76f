#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The scheduler work of belay-bench on asyncio; the caller pins the process.

    bench.py NAME...    prints "NAME VALUE UNIT" for each
    bench.py --list     prints the names

The figures of one sleepers-N group come from one pass over N tasks that is the
first in the process ("cold") only if no other figure was named before. The
loop, the collector and all other parts keep their defaults.
"""

import asyncio
import functools
import statistics
import sys
import time

ROUND = 150_000_000  # ns
ROUNDS = 3
BATCH = 1000
HOUR = 3600


async def pair(turns, n):
    """Run turns(n / 2) in two tasks and wait for both."""
    first = asyncio.create_task(turns(n // 2))
    second = asyncio.create_task(turns(n // 2))
    await first
    await second


async def yields(n):
    async def turns(n):
        for _ in range(n):
            await asyncio.sleep(0)

    await pair(turns, n)


async def deep1():
    await asyncio.sleep(0)


async def deep2():
    await deep1()


async def deep3():
    await deep2()


async def deep4():
    await deep3()


async def deep5():
    await deep4()


async def deep6():
    await deep5()


async def deep7():
    await deep6()


async def deep8():
    await deep7()


async def yields_deep(n):
    async def turns(n):
        for _ in range(n):
            await deep8()

    await pair(turns, n)


async def nothing():
    pass


async def spawn_await(n):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def spawn_batch(n):
    for _ in range(0, n, BATCH):
        tasks = [asyncio.create_task(nothing()) for _ in range(BATCH)]
        for task in tasks:
            await task


async def lock_handover(n):
    lock = asyncio.Lock()  # fair: a release hands it to the waiting task

    async def turns(n):
        for _ in range(n):
            async with lock:
                await asyncio.sleep(0)

    await pair(turns, n)


async def queue(capacity, n):
    items = asyncio.Queue(capacity)

    async def putter():
        for i in range(n):
            await items.put(i)

    task = asyncio.create_task(putter())
    for _ in range(n):
        await items.get()
    await task


async def timeout(n):
    for i in range(n):
        async with asyncio.timeout(HOUR):
            pass
        if i % BATCH == 0:
            # Only a turn of the loop drops the cancelled timers.
            await asyncio.sleep(0)


async def sleepers_pass(n):
    """Create n sleeping tasks, cancel them and take their outcomes."""
    memory = resident_bytes()
    clock = time.perf_counter_ns

    start = clock()
    tasks = [asyncio.create_task(asyncio.sleep(HOUR)) for _ in range(n)]
    await asyncio.sleep(0)  # each has run once when this returns
    create = (clock() - start) / n

    memory = (resident_bytes() - memory) / n

    start = clock()
    for task in tasks:
        task.cancel()
    requested = clock()
    await asyncio.sleep(0)  # each has ended when this returns
    await asyncio.sleep(0)  # and the loop has dropped the cancelled timers
    ran = clock()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            continue
        raise RuntimeError("a sleeper was not cancelled")
    reaped = clock()

    return {
        "create": create,
        "request": (requested - start) / n,
        "run": (ran - requested) / n,
        "reap": (reaped - ran) / n,
        "cancel": (reaped - start) / n,
        "bytes": memory,
    }


async def sleepers(n, warm_passes):
    """All figures but create-warm come from the first pass, which is the cold one."""
    figures = await sleepers_pass(n)
    warm = [(await sleepers_pass(n))["create"] for _ in range(warm_passes)]
    figures["create-warm"] = statistics.median(warm)
    return figures


def resident_bytes():
    """The process's memory with its page tables."""
    with open("/proc/self/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) * 1024 for line in status
                   if line.startswith(("VmRSS:", "VmPTE:")))


def timed(operation, n):
    async def run():
        start = time.perf_counter_ns()
        await operation(n)
        return time.perf_counter_ns() - start

    return asyncio.run(run())


def measure(operation):
    """Find how many operations fill a round, which also warms up; return the ns of one."""
    n = BATCH
    took = timed(operation, n)
    while took < ROUND / 4:
        n *= 2
        took = timed(operation, n)
    n = int(n * ROUND / took) // BATCH * BATCH + BATCH
    return statistics.median(timed(operation, n) / n for _ in range(ROUNDS))


FIGURES = {
    "yield": yields,
    "yield-deep": yields_deep,
    "spawn-await": spawn_await,
    "spawn-batch": spawn_batch,
    "lock-handover": lock_handover,
    "queue-1": functools.partial(queue, 1),
    "queue": functools.partial(queue, 64),
    "timeout": timeout,
}
GROUPS = {100_000: 3, 1_000_000: 1}  # sleepers: warm passes
SLEEPER_FIGURES = ("create", "request", "run", "reap", "cancel", "create-warm", "bytes")
SLEEPERS = {f"sleepers-{n}-{figure}": (n, figure)
            for n in GROUPS for figure in SLEEPER_FIGURES}


@functools.cache
def sleeper_group(n):
    return asyncio.run(sleepers(n, GROUPS[n]))


def main():
    for arg in sys.argv[1:]:
        if arg == "--plain":
            pass  # the only output there is
        elif arg == "--list":
            print(*FIGURES, *SLEEPERS, sep="\n")
        elif arg in FIGURES:
            print(f"{arg} {measure(FIGURES[arg]):.1f} ns", flush=True)
        elif arg in SLEEPERS:
            n, figure = SLEEPERS[arg]
            unit = "B" if figure == "bytes" else "ns"
            print(f"{arg} {sleeper_group(n)[figure]:.1f} {unit}", flush=True)
        else:
            print(f"asyncio-bench: no figure named {arg}", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
