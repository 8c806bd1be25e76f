#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare belay's I/O with its peers: the same load on the same server, in turn.

    servers.py --build DIR --belay DIR [--plain] [--quick] [--rounds 10] [--seconds 0.15]
               [--requests 50000] [--only NAME,...]
               [--peers io_uring,loop,epoll,libuv,go,tokio,asyncio] [--cpus SERVER,LOAD]

Builds the peers into DIR. Then each server gets the load of belay-load, one
after the other, and again, round by round; the best of the rounds counts. So a
slow minute of the machine falls on all of them alike. --only takes shell
patterns. No timing makes it fail.

The deciding figures are what a request costs the server: "cpu", its processor
time, and "calls", its system calls. Both are taken while the load has the
server's core, too: each of the two goes on until there is nothing left to do, so
that they depend on no timing and on no other core, and hardly on who else uses
the machine. System calls are counted by perf, or else strace, apart from the
rest. "rate", "p50" and "p99", and the processor time once more as "apart", are
taken with a core for each, where there are two.
"""

import argparse
import fnmatch
import os
import pathlib
import re
import resource
import select
import shutil
import subprocess
import sys

BUILT = ("epoll", "libuv", "go", "tokio", "asyncio")
# belay on io_uring; and with a server that reads and writes, and does not copy
PEERS = ("io_uring", "loop", *BUILT)
HAVE_FILES = ("belay", "io_uring", "epoll", "libuv")

BLOCK = 4096

# What is measured: its name, what it says in the table, and how belay-load is asked for it.
CASES = [(f"echo-{n}-{size}", f"echo, {n:,} connection{'s' if n > 1 else ''}, {text}",
          ["--connections", str(n), "--size", str(number)])
         for size, number, text in (("64", 64, "64 bytes"), ("64k", 65536, "64 KiB"))
         for n in (1, 50, 1000)]
CASES += [("accept", "connections opened, 64 bytes echoed, and closed; 50 at a time",
           ["--connections", "50", "--connect"]),
          ("file", "a file in memory, read in blocks of 4 KiB", None)]

# The figures of a case, their units, and which of several rounds is the best.
ECHO_FIGURES = {"cpu": ("ns", min), "calls": ("calls", min), "apart": ("ns", min),
                "rate": ("1/s", max), "p50": ("ns", min), "p99": ("ns", min)}
FILE_FIGURES = {"cpu": ("ns", min), "time": ("ns", min)}

ECHOES = [name for name, _, _ in CASES if name.startswith("echo-")]
# A program's figure <= factor x the other program's, or <= factor itself where there is none.
TARGETS = [("belay", name, "cpu", 1.05, "epoll") for name in ECHOES]
TARGETS += [("belay", name, "cpu", 1, peer)
            for name in ECHOES for peer in ("libuv", "go", "tokio", "asyncio")]
TARGETS += [("belay", "echo-50-64", "calls", 2.1, None),
            ("io_uring", "echo-50-64", "calls", 0.2, None)]
TARGETS += [("belay", name, "cpu", 1, "libuv") for name in ("accept", "file")]
TARGETS += [("belay", "file", "time", 1, "libuv")]


def figures_of(case):
    return FILE_FIGURES if case == "file" else ECHO_FIGURES


def say(text):
    print(f"servers.py: {text}", file=sys.stderr, flush=True)


def on(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Failed(Exception):
    """A server or the load did not do what it should."""


class Program:
    """belay or a peer: how it is started and what it has measured so far."""

    def __init__(self, name, command, env=None):
        self.name, self.command, self.env = name, command, {**os.environ, **(env or {})}
        self.samples = {}

    def start(self, cpu):
        """An echo server: its process and its port."""
        mode = "loop" if self.name == "loop" else "echo"
        server = subprocess.Popen([*self.command, mode], stdout=subprocess.PIPE, text=True,
                                  env=self.env, preexec_fn=on(cpu))
        ready = select.select([server.stdout], [], [], 20)[0]
        words = server.stdout.readline().split() if ready else []
        if words[:1] != ["port"]:
            stop(server)
            raise Failed("it did not start")
        if self.name == "io_uring" and words[2:] != ["io_uring"]:
            stop(server)
            raise Failed("io_uring cannot be used here")
        return server, words[1]

    def add(self, case, **values):
        for figure, value in values.items():
            self.samples.setdefault((case, figure), []).append(value)

    def best(self, case, figure):
        """None if it was not measured."""
        values = self.samples.get((case, figure))
        return figures_of(case)[figure][1](values) if values else None


def stop(process):
    process.kill()
    process.wait()
    process.stdout.close()


def read_result(line):
    """A line of names and values, as a dictionary."""
    words = line.split()
    if not words:
        raise Failed("no result")
    return {name: float(value) for name, value in zip(words[::2], words[1::2])}


class Bench:
    """Where it runs, and for how long."""

    def __init__(self, args, load, path):
        self.load, self.path = load, path
        self.server_cpu, self.load_cpu = args.cpus
        self.seconds, self.counted = args.seconds, args.requests
        self.count_by = choose_counter() if self.counted > 0 else None

    def run_load(self, server, port, cpu, options):
        command = [self.load, "--port", port, "--pid", str(server.pid),
                   "--warm", str(self.seconds / 3), "--seconds", str(self.seconds), *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                              timeout=60 + self.seconds, preexec_fn=on(cpu))
        result = read_result(done.stdout)
        if result["requests"] == 0:
            raise Failed("no request was answered")
        return result

    def measure_echo(self, program, case, options):
        server, port = program.start(self.server_cpu)
        try:
            together = self.run_load(server, port, self.server_cpu, options)
            # Waking the load, on another core, is not to be the server's work: it does not sleep
            # there.
            spin = ["--spin"] if self.server_cpu != self.load_cpu else []
            apart = self.run_load(server, port, self.load_cpu, [*options, *spin])
        finally:
            stop(server)
        program.add(case, cpu=together["cpu"] / together["requests"],
                    apart=apart["cpu"] / apart["requests"],
                    rate=apart["requests"] / apart["seconds"], p50=apart["p50"], p99=apart["p99"])

    def measure_file(self, program):
        done = subprocess.run([*program.command, "file", self.path, str(BLOCK)],
                              stdout=subprocess.PIPE, text=True, check=True, env=program.env,
                              preexec_fn=on(self.server_cpu), timeout=60)
        result = read_result(done.stdout)
        program.add("file", cpu=result["cpu"], time=result["ns"])

    def measure(self, program, case, options):
        if case == "file":
            self.measure_file(program)
        else:
            self.measure_echo(program, case, options)

    def count(self, program, case, options):
        """How many system calls the server makes for a request."""
        if self.count_by is None or case == "file":
            return
        server, port = program.start(self.server_cpu)
        requests = self.counted if self.count_by is Perf else min(self.counted, 5000)
        load = subprocess.Popen([self.load, "--port", port, "--warm", "0.1",
                                 "--requests", str(requests), *options],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                preexec_fn=on(self.server_cpu))
        try:
            expect(load, "ready")
            counter = self.count_by(server.pid)
            load.stdin.write("go\n")
            load.stdin.flush()
            done = read_result(load.stdout.readline())["requests"]
            expect(load, "done")
            calls = counter.stop()
            load.stdin.close()
            load.wait(timeout=20)
        finally:
            stop(load)
            stop(server)
        program.add(case, calls=calls / done)


def expect(process, line):
    if process.stdout.readline() != line + "\n":
        raise Failed(f"the load did not say '{line}'")


# ---- system calls ----

class Perf:
    """Counts with perf, which delays what it counts by next to nothing."""

    event = "raw_syscalls:sys_enter"

    def __init__(self, pid):
        theirs, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        command = ["perf", "stat", "-x,", "-e", self.event, "-p", str(pid),
                   "-D", "-1", "--control", f"fd:{theirs},{answers}"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, pass_fds=(theirs, answers))
        os.close(theirs)
        os.close(answers)
        self.order(b"enable\n")

    def order(self, what):
        os.write(self.orders, what)
        if not os.read(self.answers, 16).startswith(b"ack"):
            raise Failed("perf does not answer")

    def stop(self):
        self.order(b"disable\n")
        self.process.send_signal(2)
        text = self.process.communicate(timeout=20)[0]
        os.close(self.orders)
        os.close(self.answers)
        found = re.search(r"^(\d+),[^,]*," + self.event, text, re.MULTILINE)
        if not found:
            raise Failed("perf counted nothing")
        return int(found[1])

    @classmethod
    def works(cls):
        command = ["perf", "stat", "-x,", "-e", cls.event, "--", "true"]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError:
            return False
        return re.search(r"^\d+,[^,]*," + cls.event, done.stderr, re.MULTILINE) is not None


class Strace:
    """Counts with strace, which stops the server at each call."""

    def __init__(self, pid):
        self.process = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-p", str(pid)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if "attached" in line:
                return
        raise Failed("strace could not attach itself")

    def stop(self):
        self.process.send_signal(2)
        text = self.process.communicate(timeout=20)[0]
        found = re.search(r"^ *(\d+)(?: +\d+)? +total", text, re.MULTILINE)
        if not found:
            raise Failed("strace counted nothing")
        return int(found[1])

    @staticmethod
    def works():
        return shutil.which("strace") is not None and subprocess.run(
            ["strace", "-c", "true"], capture_output=True).returncode == 0


def choose_counter():
    for counter in (Perf, Strace):
        if counter.works():
            say(f"system calls are counted by {counter.__name__.lower()}")
            return counter
    say("system calls are not counted: neither perf nor strace can be used here")
    return None


# ---- what is printed ----

def print_plain(cases, programs):
    belay = programs[0]
    for program in programs:
        prefix = "" if program is belay else program.name + ":"
        for case, _, _ in cases:
            for figure, (unit, _) in figures_of(case).items():
                if (value := program.best(case, figure)) is not None:
                    digits = 2 if figure == "calls" else 1
                    print(f"{prefix}{case}-{figure} {value:.{digits}f} {unit}")
    for program in programs[1:]:
        for case, _, _ in cases:
            for figure in figures_of(case):
                ours, theirs = belay.best(case, figure), program.best(case, figure)
                if ours is not None and theirs:
                    print(f"RATIO:{program.name}:{case}-{figure} {ours / theirs:.3f} x")


# Columns: the figure, its heading, what it is divided by, its digits.
ECHO_COLUMNS = (("cpu", "cpu ns", 1, 0), ("calls", "calls", 1, 2), ("apart", "apart ns", 1, 0),
                ("rate", "requests/s", 1, 0), ("p50", "p50 us", 1e3, 1), ("p99", "p99 us", 1e3, 1))
FILE_COLUMNS = (("cpu", "cpu ns", 1, 0), ("time", "time ns", 1, 0))


def print_table(cases, programs):
    """A table a case, a row a program; behind what a figure is, belay's divided by it."""
    for case, title, _ in cases:
        columns = FILE_COLUMNS if case == "file" else ECHO_COLUMNS
        print(f"{title} ({case})")
        print(f"{'':<10}", *(f"{heading:>12}{'ratio':>7}" for _, heading, _, _ in columns), sep="")
        for program in programs:
            row = ""
            for figure, _, divisor, digits in columns:
                ours, value = programs[0].best(case, figure), program.best(case, figure)
                ratio, shown = "", "-"
                if ours is not None and value and program is not programs[0]:
                    ratio = f"{ours / value:.2f}"
                if value is not None:
                    shown = f"{value / divisor:,.{digits}f}"
                row += f"{shown:>12}{ratio:>7}"
            if row.replace("-", "").strip():
                print(f"{program.name:<10}{row}")
        print()


def print_targets(programs, plain):
    """A line a target of which both sides were measured."""
    programs = {program.name: program for program in programs}
    for name, case, figure, factor, other in TARGETS:
        got = programs[name].best(case, figure) if name in programs else None
        base = programs[other].best(case, figure) if other in programs else None
        limit = factor if other is None else base and factor * base
        if got is None or limit is None:
            continue
        least = figures_of(case)[figure][1] is max  # more is better
        met = got >= limit if least else got <= limit
        verdict = "met" if met else "MISSED"
        what = f"{case}-{figure}" if name == "belay" else f"{name}:{case}-{figure}"
        if plain:  # NAME VALUE UNIT as all lines: the part of the limit that is used
            used = limit / got if least else got / limit
            print(f"TARGET:{other or 'number'}:{what} {used:.3f} {verdict}")
        else:
            against = f"{factor:g} x {other}'s {base:.1f} = {limit:.1f}" if other else f"{limit:g}"
            relation, digits = ">=" if least else "<=", 1 if other else 2
            print(f"{verdict:<7} {what} {got:.{digits}f} {relation} {against}")


# ---- the whole ----

def parse_cpus(text):
    cpus = [int(cpu) for cpu in text.split(",")]
    if len(cpus) != 2 or not set(cpus) <= os.sched_getaffinity(0):
        raise argparse.ArgumentTypeError("two numbers of cores that may be used, as 1,0")
    return cpus


def default_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    return [cpus[-1], cpus[-2] if len(cpus) > 1 else cpus[-1]]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="DIR",
                        help="for the peers")
    parser.add_argument("--belay", type=pathlib.Path, required=True, metavar="DIR",
                        help="where belay-io and belay-load are")
    parser.add_argument("--plain", action="store_true", help="lines instead of tables")
    parser.add_argument("--quick", action="store_true", help="a short look: 2 rounds of 0.1 s")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of load, for each server in each round")
    parser.add_argument("--requests", type=int,
                        help="of which system calls are counted; 0: they are not")
    parser.add_argument("--only", default="*", metavar="NAME,...")
    parser.add_argument("--list", action="store_true", help="the names, and what they are")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="NAME,...")
    parser.add_argument("--cpus", type=parse_cpus, default=default_cpus(), metavar="SERVER,LOAD",
                        help="the cores to pin to; the same: both on one")
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 10)
    args.seconds = args.seconds or (0.1 if args.quick else 0.15)
    if args.requests is None:
        args.requests = 5000 if args.quick else 50000
    args.peers = [peer for peer in args.peers.split(",") if peer]
    if unknown := set(args.peers) - set(PEERS):
        parser.error(f"no peer named {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return args


def build(directory, peers):
    """Build the peers; those there are. build itself says which it leaves out."""
    script = pathlib.Path(__file__).resolve().parent / "peers" / "build"
    wanted = [f"io-{peer}" for peer in peers if peer in BUILT]
    if wanted:
        subprocess.run([script, directory, *wanted], stdout=sys.stderr, check=True)
    return [peer for peer in peers if peer not in BUILT or (directory / f"io-{peer}").exists()]


def make_programs(args, directory):
    """belay, and the peers that can be started here."""
    belay = args.belay.resolve() / "belay-io"
    programs = [Program("belay", [belay], {"BELAY_BACKEND": "epoll"})]
    for peer in build(directory, args.peers):
        if peer not in BUILT:
            backend = "io_uring" if peer == "io_uring" else "epoll"
            program = Program(peer, [belay], {"BELAY_BACKEND": backend})
        else:
            program = Program(peer, [directory / f"io-{peer}"])
        try:
            stop(program.start(args.cpus[0])[0])
            programs.append(program)
        except (Failed, OSError) as error:
            say(f"{peer} left out: {error}")
    return programs


def make_file(directory, mebibytes):
    """The file to be read, written and so in memory."""
    path = directory / "file"
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(bytes(range(256)) * 4096)
    return path


def run_case(bench, programs, case, options, rounds):
    """Program by program, round by round. Who fails is left out of the rest, and that is said."""
    left = [program for program in programs if case != "file" or program.name in HAVE_FILES]

    def each(measure):
        for program in list(left):
            try:
                measure(program, case, options)
            except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
                say(f"{program.name} left out of {case}: {error}")
                left.remove(program)

    each(bench.count)
    for _ in range(rounds):
        each(bench.measure)


def main():
    args = parse_arguments()
    cases = [case for case in CASES
             if any(fnmatch.fnmatchcase(case[0], p) for p in args.only.split(","))]
    if args.list:
        for case, title, _ in cases:
            print(f"{case:<14}{title}")
        return
    # A thousand connections, on either side.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    directory = args.build.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    programs = make_programs(args, directory)
    path = make_file(directory, 8 if args.quick else 64)
    try:
        bench = Bench(args, args.belay.resolve() / "belay-load", path)
        for case, _, options in cases:
            print("measuring", case, file=sys.stderr, flush=True)
            run_case(bench, programs, case, options, args.rounds)
    finally:
        path.unlink()
    if args.plain:
        print_plain(cases, programs)
    else:
        print_table(cases, programs)
    print_targets(programs, args.plain)


if __name__ == "__main__":
    main()
