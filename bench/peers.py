#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare belay with its peers: the same work, in turn, on one core.

    peers.py --build DIR --belay PATH [--plain] [--rounds 5] [--only NAME,...]
             [--peers go,tokio,fiber,asyncio] [--cpu N]

Builds the peers into DIR, then runs every figure in belay, each peer, belay,
each peer ... and takes the median of each over the rounds. So a slow minute of
the machine falls on all of them alike. --only takes shell patterns. No timing
makes it fail.
"""

import argparse
import fnmatch
import mmap
import os
import pathlib
import statistics
import subprocess
import sys

SLEEPERS = ("create", "request", "run", "reap", "cancel", "create-warm", "bytes")

# The figures of one group are taken by one process: those of the sleepers are
# all of one pass, and its first must find the process cold.
GROUPS = [[name] for name in (
    "switch", "switch-deep", "yield", "yield-deep", "spawn-await", "spawn-batch",
    "lock-handover", "queue", "queue-1", "timeout", "timeout-ready", "timeout-new",
    "timeout-context")]
GROUPS += [[f"sleepers-{n}-{figure}" for figure in SLEEPERS] for n in (100_000, 1_000_000)]

MILLION = "sleepers-1000000-"
# belay's figures (their sum) <= factor x the program's figures (their sum), or
# <= factor itself where there is no program.
TARGETS = (
    (["yield"], 0.1, "go", ["yield"]),
    (["spawn-await"], 1 / 8, "go", ["spawn-await"]),
    (["spawn-await"], 1 / 5, "tokio", ["spawn-await"]),
    (["spawn-batch"], 1 / 8, "go", ["spawn-batch"]),
    (["spawn-batch"], 1 / 5, "tokio", ["spawn-batch"]),
    (["queue"], 1 / 6, "go", ["queue"]),
    (["timeout"], 1 / 3, "go", ["timeout"]),
    # Asked, run and reaped together: Go's tasks are asked without being found, and pay when they
    # run.
    ([MILLION + "cancel"], 1 / 3, "go", [MILLION + "cancel"]),
    ([MILLION + "create-warm"], 1 / 10, "go", [MILLION + "create-warm"]),
    (["sleepers-100000-bytes"], 4608, None, []),
    ([MILLION + "bytes"], 4608, None, []),
    (["yield"], 2, "belay", ["switch"]),
    (["yield-deep"], 2, "belay", ["switch-deep"]),
)


def output(command, cpu):
    """The lines a program prints when it is pinned to one core; none if it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600, check=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"peers.py: {error}", file=sys.stderr)
        return []
    return done.stdout.splitlines()


def touch_memory(name):
    """Use the memory that a group of sleepers is about to use, and give it back.

    A virtual machine's free memory may be with its host. The first program that
    touches it after a pause would pay for it, and this is no cost of the tasks.
    """
    if name.startswith("sleepers-"):
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        size = min(int(name.split("-")[1]) * 8192, free // 2)
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


class Program:
    """belay-bench or a peer: what it supports and what it has measured so far."""

    def __init__(self, name, command, cpu):
        self.name, self.command, self.cpu = name, command, cpu
        self.supported = {line.split()[0] for line in output([*command, "--list"], cpu) if line}
        self.samples = {}
        self.units = {}

    def measure(self, names):
        names = [name for name in names if name in self.supported]
        for line in output([*self.command, *names], self.cpu) if names else []:
            name, value, unit = line.split()  # a figure a line and nothing else
            self.samples.setdefault(name, []).append(float(value))
            self.units[name] = unit

    def median(self, name):
        """The median of what a figure measured, None if it did not."""
        return statistics.median(self.samples[name]) if name in self.samples else None

    def sum(self, names):
        values = [self.median(name) for name in names]
        return None if None in values else sum(values)


def build(directory, peers):
    """Build the peers; those there are. build itself says which it leaves out."""
    script = pathlib.Path(__file__).resolve().parent / "peers" / "build"
    subprocess.run([script, directory, *peers], stdout=sys.stderr, check=True)
    return [peer for peer in peers if (directory / peer).exists()]


def print_plain(names, belay, peers):
    for program in (belay, *peers):
        prefix = "" if program is belay else program.name + ":"
        for name in names:
            if program.median(name) is not None:
                print(f"{prefix}{name} {program.median(name):.1f} {program.units[name]}")
    for peer in peers:
        for name in names:
            ours, theirs = belay.median(name), peer.median(name)
            if ours is not None and theirs:
                print(f"RATIO:{peer.name}:{name} {ours / theirs:.3f} x")


def print_table(names, belay, peers):
    """A row a figure: belay, then each peer with the ratio belay/peer."""
    def cell(value, width, digits=1):
        return f"{'-' if value is None else format(value, f',.{digits}f'):>{width}}"

    print(f"{'figure':<30}{'belay':>12}   ", *(f"{peer.name:>12}{'ratio':>8}" for peer in peers))
    for name in names:
        ours = belay.median(name)
        units = [p.units[name] for p in (belay, *peers) if name in p.units]
        if not units:
            continue
        row = [f"{name:<30}{cell(ours, 12)} {units[0]:<2}"]
        for peer in peers:
            theirs = peer.median(name)
            ratio = ours / theirs if ours is not None and theirs else None
            row.append(cell(theirs, 12) + cell(ratio, 8, 3))
        print(*row)
    print()


def print_targets(belay, peers, plain):
    """A line a target of which both sides were measured."""
    programs = {program.name: program for program in (*peers, belay)}
    for ours, factor, other, theirs in TARGETS:
        got, limit, against = belay.sum(ours), factor, f"{factor} B"
        if other:
            base = programs[other].sum(theirs) if other in programs else None
            limit = base and factor * base
            against = f"{factor:.3g} x {other}'s {'+'.join(theirs)} = {limit or 0:.1f}"
        if got is None or limit is None:
            continue
        verdict = "met" if got <= limit else "MISSED"
        if plain:  # NAME VALUE UNIT as all lines: the part of the limit that is used
            share = got / limit if limit else float("inf")
            print(f"TARGET:{other or 'bytes'}:{'+'.join(ours)} {share:.3f} {verdict}")
        else:
            print(f"{verdict:<7} {'+'.join(ours)} {got:.1f} <= {against}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--belay", type=pathlib.Path, required=True, metavar="PATH")
    parser.add_argument("--plain", action="store_true", help="lines instead of a table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="*", metavar="NAME,...")
    parser.add_argument("--peers", default="go,tokio,fiber,asyncio", metavar="NAME,...")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)),
                        help="the core to pin to")
    args = parser.parse_args()

    directory = args.build.resolve()
    built = build(directory, args.peers.split(","))
    peers = [Program(name, [directory / name], args.cpu) for name in built]
    belay = Program("belay", [args.belay.resolve(), "--plain"], args.cpu)
    if not belay.supported:
        parser.error(f"{args.belay} --list names no figure")

    only = args.only.split(",")
    groups = [[name for name in group if any(fnmatch.fnmatchcase(name, p) for p in only)]
              for group in GROUPS]
    names = [name for group in groups for name in group]
    for group in filter(None, groups):
        print("measuring", *group, file=sys.stderr, flush=True)
        for _ in range(args.rounds):
            for program in (belay, *peers):
                touch_memory(group[0])
                program.measure(group)
    if args.plain:
        print_plain(names, belay, peers)
    else:
        print_table(names, belay, peers)
    print_targets(belay, peers, args.plain)


if __name__ == "__main__":
    main()
