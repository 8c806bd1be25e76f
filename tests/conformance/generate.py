#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make random scenarios with CPython's traces, to hold another runtime to.

The program keeps a scenario only if its trace does not depend on anything that asyncio leaves open:
the order of deadlines at one instant, the order of a set's elements, and the turns that gather,
wait, shield, as_completed and groups take inside. Needs Python 3.15; see SCENARIOS.md.

usage: generate.py [--style STYLE] [--class CLASS] [--first SEED] COUNT >FILE.vectors

STYLE  programs   tasks that do whatever there is to do, each time with another emphasis
       meetings   few tasks in one kind of wait, and others that do everything to them at once
       circles    tasks that wait for each other, in circles too, and for some who end
       all        each of them by turns (the default)
CLASS  fifo       the trace follows once ready tasks run first in, first out
       any        it is the same whatever ready callback runs first
       both       (the default)
COUNT  how many scenarios to make, of which a part is kept; the same SEED makes the same ones
"""
import argparse
import random
import re
import sys
import warnings

import oracle

# ---------------------------------------------------------------- programs

STATEMENTS = {
    "log": 3,
    "sleep": 5,
    "turn": 4,
    "busy": 0.5,
    "return": 0.6,
    "raise": 1,
    "repeat": 0.7,
    "spawn": 0.8,
    "spawn_eager": 1,
    "cancel": 4,
    "uncancel": 1,
    "cancelling": 0.7,
    "state": 1.5,
    "await": 2.5,
    "shield": 2,
    "wait": 2,
    "gather": 2,
    "as_completed": 1.5,
    "wait_for": 2,
    "timeout": 2.5,
    "reschedule": 1,
    "expired": 0.5,
    "group": 2.5,
    "start": 1.2,
    "start_in": 0.6,
    "cancel_group": 0.6,
    "on_done": 1,
    "off_done": 0.4,
    "soon": 0.5,
    "later": 0.7,
    "cancel_timer": 0.4,
    "force_cancel": 0.6,
    "interrupt": 0.3,
    "try": 6,
    "thing": 8,
    "twice": 0.8,
}
THINGS = [
    "lock",
    "semaphore",
    "bounded",
    "event",
    "condition",
    "shared",
    "queue",
    "lifo",
    "priority",
    "future",
    "barrier",
]
# Objects that every scenario has, and the weights of statements that differ from the usual ones.
EMPHASES = [
    ([], {}),
    ([], {"turn": 0.7, "cancel": 2, "twice": 0}),
    ([], {"cancel": 10, "uncancel": 3, "turn": 8, "twice": 3, "cancelling": 2}),
    ([], {"wait_for": 12, "turn": 5, "cancel": 5}),
    ([], {"timeout": 12, "reschedule": 6, "expired": 2, "busy": 2, "turn": 5, "cancel": 5}),
    ([], {"group": 10, "start": 8, "start_in": 4, "cancel_group": 4, "cancel": 5, "raise": 3}),
    ([], {"spawn_eager": 8, "start": 6, "group": 6, "cancel": 5, "raise": 2, "await": 3}),
    ([], {"gather": 10, "cancel": 6, "turn": 5, "await": 2}),
    ([], {"wait": 8, "as_completed": 8, "cancel": 5}),
    ([], {"shield": 10, "cancel": 6, "turn": 5, "timeout": 4}),
    ([], {"await": 12, "cancel": 8, "turn": 4, "timeout": 3}),
    ([], {"interrupt": 3, "cancel": 5, "uncancel": 3, "timeout": 4, "group": 4}),
    ([], {"on_done": 6, "off_done": 4, "soon": 4, "later": 4, "cancel_timer": 4, "busy": 2}),
    ([], {"busy": 6, "timeout": 6, "later": 3, "cancel_timer": 2, "sleep": 6}),
    ([], {"force_cancel": 8, "cancel": 4}),
    (["lock", "lock"], {"thing": 25, "cancel": 6, "turn": 6}),
    (["shared", "condition", "event"], {"thing": 25, "cancel": 7, "turn": 6}),
    (["semaphore", "bounded"], {"thing": 25, "cancel": 7, "turn": 6}),
    (["queue", "lifo", "priority"], {"thing": 25, "cancel": 6, "turn": 6}),
    (
        ["future", "future"],
        {
            "thing": 16,
            "cancel": 6,
            "turn": 6,
            "await": 5,
            "gather": 4,
            "shield": 4,
            "wait_for": 4,
            "wait": 3,
        },
    ),
    (["barrier", "barrier"], {"thing": 25, "cancel": 6, "turn": 6}),
    (["event", "event"], {"thing": 20, "cancel": 6, "turn": 6}),
]
KINDS = ["cancelled", "cancelled", "cancelled", "any", "any", "timeout", "error", "group"]
BLOCKS = {"try", "repeat", "timeout", "group", "as_completed"}


# Statements of one line that are always possible.
SIMPLE = {
    "log": lambda p: f"log {p.word('l')}",
    "sleep": lambda p: f"sleep {p.time()}",
    "turn": lambda p: "sleep 0",
    "busy": lambda p: f"busy {p.time()}",
    "return": lambda p: f"return {p.word('v')}",
    "raise": lambda p: p.chance.choice(
        [f"raise error {p.word('x')}"] * 3 + ["raise cancelled", f"raise cancelled {p.word('m')}"]
    ),
    "cancel": lambda p: f"cancel {p.task()}" + p.chance.choice(["", "", f" {p.word('m')}"]),
    "uncancel": lambda p: f"uncancel {p.task(.6)}",
    "cancelling": lambda p: f"cancelling {p.task(.4)}",
    "force_cancel": lambda p: (
        f"force_cancel {p.task(.05)} {p.chance.choice([1, 2, 3])} {p.time(.4)}"
    ),
    "interrupt": lambda p: "interrupt",
    "state": lambda p: f"state {p.target(.03)}",
    "await": lambda p: f"await {p.target()}",
    "shield": lambda p: f"shield {p.target()}",
    "gather": lambda p: f"gather {p.chance.choice(['raise', 'raise', 'results'])} {p.targets()}",
    "expired": lambda p: f"expired {p.chance.choice(['T1', 'T2'])}",
    "on_done": lambda p: f"on_done {p.target(.15)} {p.word('w')}",
    "off_done": lambda p: f"off_done {p.target(.15)} {p.word('w')}",
    "soon": lambda p: f"soon {p.word('w')}",
    "later": lambda p: f"later {p.time(.1)} {p.word('w')}",
    "cancel_timer": lambda p: f"cancel_timer {p.word('w')}",
}


class Programs:
    """A scenario of main and up to six tasks, with programs for wait_for and for later tasks."""

    def __init__(self, chance):
        self.chance = chance
        things, weights = chance.choice(EMPHASES)
        self.weights = dict(STATEMENTS)
        if chance.random() < 0.6:
            # Without some statements, so that those that are left meet more often.
            for name in chance.sample(list(STATEMENTS), chance.randint(5, 18)):
                self.weights[name] *= chance.choice([0, 0.2])
        self.weights.update(weights)
        self.crowded = chance.random() < 0.75
        self.dense = self.crowded and chance.random() < 0.35
        self.negative = chance.random() < 0.15
        self.pool = (
            [self.fresh_time() for _ in range(chance.choice([1, 2, 3, 5]))]
            if chance.random() < 0.4
            else []
        )
        self.objects = {}
        self.declarations = []
        self.declare_all(
            things
            + chance.sample(
                THINGS, chance.choice([0, 0, 1, 1, 2]) if things else chance.choice([0, 0, 1, 2, 3])
            )
        )
        self.tasks = [f"t{i + 1}" for i in range(chance.choice([1, 2, 2, 3, 3, 4, 5, 6]))]
        self.helpers = ["h0", "h1"][: chance.choice([0, 1, 1, 2])]
        self.extra = 0
        self.lines = self.declarations + self.all_programs()

    def all_programs(self):
        chance, lines = self.chance, []
        parents = self.parents()
        eager = chance.choice([0, 0, 0.3, 0.7])
        size = chance.choice([3, 5, 8]) if self.dense else chance.choice([1, 2, 3])
        self.inlined = True
        for name in self.helpers:
            self.me, self.scopes = name, []
            lines += [f"prog {name}"] + self.block(1, chance.randint(0, 2)) + ["end"]
        self.inlined = False
        for name in self.tasks + ["main"]:
            self.me, self.scopes = name, []
            grouped = name == "main" and chance.random() < 0.15
            body = [
                ("start" if grouped else "spawn")
                + ("_eager" if chance.random() < eager else "")
                + f" {child} p{child}"
                for child in self.tasks
                if parents[child] == name
            ]
            body += self.block(4 if self.dense else 3, chance.randint(name == "main", size))
            if grouped:
                body = ["group G0"] + body + ["end"] + self.block(1, chance.randint(0, 1))
            lines += [f"prog {'main' if name == 'main' else 'p' + name}"] + body + ["end"]
        return lines

    def parents(self):
        """Who spawns whom: mostly main, and never in a circle."""
        parents = {
            task: "main" if self.chance.random() < 0.75 else self.chance.choice(self.tasks)
            for task in self.tasks
        }
        for task in self.tasks:
            seen, at = set(), task
            while at != "main" and at not in seen:
                seen.add(at)
                at = parents[at]
            if at != "main":
                parents[task] = "main"
        return parents

    def declare_all(self, kinds):
        letters = iter("ZYXWVUSRQPONMLKJIHFEDCBA")
        chance = self.chance
        sizes = {
            "semaphore": [0, 1, 1, 1, 2],
            "bounded": [1, 1, 2],
            "queue": [0, 1, 1, 2],
            "lifo": [0, 1, 1, 2],
            "priority": [0, 1, 1, 2],
            "barrier": [1, 2, 2, 2, 3],
        }
        for kind in kinds:
            name = next(letters)
            if kind == "shared":
                lock = next((n for n, k in self.objects.items() if k == "lock"), None) or next(
                    letters
                )
                if lock not in self.objects:
                    self.declare("lock", lock)
                self.declare("condition", name, lock)
            else:
                self.declare(kind, name, *([chance.choice(sizes[kind])] if kind in sizes else []))
        if "condition" in self.objects.values() and "event" not in self.objects.values():
            self.declare("event", next(letters))

    def declare(self, kind, name, *arguments):
        self.objects[name] = kind
        self.declarations.append(" ".join([kind, name, *map(str, arguments)]))

    # Words

    def fresh_time(self):
        return f"{self.chance.randint(20, 3999) / 1000:.3f}"

    def time(self, zero=0.0):
        if self.negative and zero and self.chance.random() < 0.15:
            return "-1"
        if self.chance.random() < zero:
            return "0"
        return (
            self.chance.choice(self.pool)
            if self.pool and self.chance.random() < 0.6
            else self.fresh_time()
        )

    def limit(self):
        return "none" if self.chance.random() < 0.15 else self.time(0.3 if self.crowded else 0.05)

    def word(self, letter):
        return letter + str(self.chance.randint(0, 9))

    def names(self):
        return self.tasks + [f"x{i + 1}" for i in range(self.extra)]

    def target(self, own=0.04):
        """What can be awaited."""
        futures = [name for name, kind in self.objects.items() if kind == "future"]
        if self.chance.random() < own:
            return "self" if self.inlined else self.chance.choice(["self", self.me])
        if futures and self.chance.random() < 0.3:
            return self.chance.choice(futures)
        names = self.names() + ["main"] * (self.chance.random() < 0.15)
        return self.chance.choice([name for name in names if name != self.me] or names)

    def targets(self):
        return " ".join(self.target(0.01) for _ in range(self.chance.choice([1, 1, 2, 2, 3])))

    def task(self, own=0.1):
        """Who can be cancelled."""
        return "self" if self.chance.random() < own else self.chance.choice(self.names() + ["main"])

    # Statements

    def block(self, depth, count):
        return [line for _ in range(count) for line in self.statement(depth)]

    def few(self, depth):
        return self.block(depth - 1, self.chance.choice([0, 1, 1, 1, 2, 2, 3]))

    def statement(self, depth):
        names = [
            name
            for name, weight in self.weights.items()
            if weight > 0 and (depth > 0 or name not in BLOCKS)
        ]
        while True:
            name = self.chance.choices(names, [self.weights[name] for name in names])[0]
            lines = [SIMPLE[name](self)] if name in SIMPLE else getattr(self, "make_" + name)(depth)
            if lines is not None:
                return lines

    def make_repeat(self, depth):
        return [f"repeat {self.chance.choice([2, 2, 3])}"] + self.few(depth) + ["end"]

    def make_try(self, depth):
        chance = self.chance
        lines = ["try"] + (self.few(depth) or self.block(depth - 1, 1))
        clauses = (
            chance.sample(sorted(set(KINDS)), 2)
            if chance.random() < 0.17
            else [chance.choice(KINDS)] * (chance.random() < 0.8)
        )
        for kind in clauses:
            lines += [f"except {kind}"] + self.few(depth) + ["raise"] * (chance.random() < 0.15)
        if not clauses or chance.random() < 0.3:
            lines += ["finally"] + self.few(depth)
        return lines + ["end"]

    def make_spawn(self, depth, statement="spawn"):
        if not self.helpers or self.inlined and self.chance.random() < 0.8:
            return None
        self.extra += 1
        return [f"{statement} x{self.extra} {self.chance.choice(self.helpers)}"]

    def make_spawn_eager(self, depth):
        return self.make_spawn(depth, "spawn_eager")

    def make_start(self, depth):
        return (
            self.make_spawn(depth, self.chance.choice(["start", "start_eager"]))
            if "group" in self.scopes
            else None
        )

    def make_start_in(self, depth):
        return self.make_spawn(depth, f"start_in {self.chance.choice(['G0', 'G1', 'G2'])}")

    def make_cancel_group(self, depth):
        own = "group" in self.scopes and self.chance.random() < 0.4
        return ["cancel_group" if own else f"cancel_group {self.chance.choice(['G0', 'G1', 'G2'])}"]

    def make_twice(self, depth):
        return (
            [SIMPLE["cancel"](self)]
            + ["sleep 0"] * self.chance.randint(0, 2)
            + [SIMPLE["cancel"](self)]
        )

    def make_wait(self, depth):
        limit = "none" if self.chance.random() < 0.4 else self.time(0.1)
        return [
            f"wait {self.chance.choice(['all', 'first', 'first_error'])} {limit} {self.targets()}"
        ]

    def make_as_completed(self, depth):
        limit = "none" if self.chance.random() < 0.4 else self.time(0.1)
        return [f"as_completed {limit} {self.targets()}"] + self.few(depth) + ["end"]

    def make_wait_for(self, depth):
        inline = self.helpers and not self.inlined and self.chance.random() < 0.5
        return [
            f"wait_for {self.limit()} "
            f"{self.chance.choice(self.helpers) if inline else self.target()}"
        ]

    def make_scope(self, depth, head, kind):
        self.scopes.append(kind)
        lines = [head] + (self.few(depth) or self.block(depth - 1, 1)) + ["end"]
        self.scopes.pop()
        return lines

    def make_timeout(self, depth):
        return self.make_scope(
            depth, f"timeout {self.limit()}{self.chance.choice(['', ' T1', ' T2'])}", "timeout"
        )

    def make_group(self, depth):
        return self.make_scope(depth, f"group{self.chance.choice(['', ' G1', ' G2'])}", "group")

    def make_reschedule(self, depth):
        when = (
            "none"
            if self.chance.random() < 0.15
            else self.time(0.3)
            if self.chance.random() < 0.8
            else "-1"
        )
        own = "timeout" in self.scopes and self.chance.random() < 0.6
        return [f"reschedule {when}" + ("" if own else self.chance.choice([" T1", " T2"]))]

    def make_thing(self, depth):
        chance = self.chance
        if not self.objects:
            return None
        name = chance.choice(list(self.objects))
        kind = self.objects[name]
        nap = chance.choice([[], ["sleep 0"], ["sleep 0", "sleep 0"], [f"sleep {self.time()}"]])
        inner = self.few(depth) if depth > 0 else nap
        if kind in ("lock", "semaphore", "bounded"):
            return chance.choice(
                [[f"with {name}"] + inner + ["end"]] * 2
                + [[f"acquire {name}"] + nap + [f"release {name}"]] * 2
                + [[f"acquire {name}"], [f"release {name}"]]
            )
        if kind == "condition":
            return self.make_condition(name, nap, inner)
        item, reason = self.word("i"), chance.choice(["", " m1", " m2"])
        verbs = {
            "event": ["wait_event @", "wait_event @", "set @", "set @", "clear @"],
            "future": ["await_future @"] * 4
            + [f"set_result @ {item}"] * 2
            + [f"set_error @ {item}"]
            + ["cancel_future @" + reason] * 2,
            "barrier": ["barrier_wait @"] * 4 + ["barrier_index @"] * 2 + ["abort @", "reset @"],
        }
        queue = (
            [f"put @ {item}"] * 4
            + ["get @"] * 5
            + ["task_done @"] * 2
            + [f"try_put @ {item}", "try_get @", "join @", "shutdown @", "shutdown @ now"]
        )
        return [chance.choice(verbs.get(kind, queue)).replace("@", name)]

    def make_condition(self, name, nap, inner):
        chance = self.chance
        events = [other for other, kind in self.objects.items() if kind == "event"]
        notify = [f"notify {name} {chance.choice([1, 1, 2])}"]
        if chance.random() < 0.4:
            notify.insert(
                chance.randint(0, 1),
                f"{chance.choice(['set', 'set', 'clear'])} {chance.choice(events)}",
            )
        wait = [
            f"wait_cond {name}"
            if chance.random() < 0.6
            else f"wait_cond_until {name} {chance.choice(events)}"
        ]
        if chance.random() < 0.15:
            wait = ["timeout " + self.time()] + wait + ["end"]
        if chance.random() < 0.08:
            return chance.choice([wait, notify])
        return (
            [f"with {name}"]
            + chance.choice(
                [wait, wait, notify, notify, nap, notify + nap, nap + notify, wait + notify, inner]
            )
            + ["end"]
        )


# ---------------------------------------------------------------- meetings

# Objects, the first lines of main, the wait, and the lines that end it. `|` separates lines, `#`
# stands for a number.
WAITS = [
    ("", "", "sleep 1", []),
    ("", "", "sleep 0|sleep 0", []),
    ("", "", "wait_event E", ["set E", "set E", "clear E"]),
    (
        "lock L",
        "acquire L",
        "with L|log in|sleep 0|log out|end",
        ["release L", "release L", "acquire L", "with L|end"],
    ),
    (
        "lock L",
        "acquire L",
        "acquire L|sleep 0|release L",
        ["release L", "acquire L|sleep 0|release L"],
    ),
    (
        "semaphore S 1",
        "acquire S",
        "with S|log in|sleep 0|end",
        ["release S", "release S", "acquire S|release S"],
    ),
    ("bounded S 2", "acquire S|acquire S", "acquire S|sleep 0|release S", ["release S"]),
    (
        "condition C",
        "",
        "with C|wait_cond C|log in|sleep 0|end",
        [
            "with C|notify C 1|end",
            "with C|notify C 2|end",
            "with C|notify C 1|sleep 0|end",
            "with C|sleep 0|sleep 0|end",
        ],
    ),
    (
        "lock L|condition C L|condition D L",
        "",
        "with C|wait_cond C|log in|end|with D|wait_cond D|end",
        [
            "with C|notify C 1|end",
            "with L|notify C 2|notify D 1|sleep 0|end",
            "with D|notify D 1|sleep 0|end",
            "acquire L|sleep 0|release L",
        ],
    ),
    (
        "condition C",
        "",
        "with C|wait_cond_until C E|log in|end",
        [
            "with C|notify C 1|end",
            "with C|set E|notify C 2|end",
            "set E",
            "clear E",
            "with C|sleep 0|notify C 1|sleep 0|end",
        ],
    ),
    (
        "queue Q 1",
        "",
        "get Q|task_done Q",
        ["try_put Q a", "try_put Q b", "try_get Q", "shutdown Q", "shutdown Q now", "get Q"],
    ),
    (
        "queue Q 1",
        "put Q z",
        "put Q v|sleep 0",
        ["try_get Q", "try_get Q", "get Q", "try_put Q b", "shutdown Q", "shutdown Q now"],
    ),
    ("lifo Q 2", "", "get Q|get Q", ["try_put Q a", "try_put Q b", "put Q c", "shutdown Q"]),
    (
        "queue Q 0",
        "put Q y|put Q z",
        "join Q",
        ["task_done Q", "task_done Q", "try_get Q", "try_put Q k", "shutdown Q now"],
    ),
    (
        "future F",
        "",
        "await_future F",
        ["set_result F r", "set_error F x", "cancel_future F", "cancel_future F k"],
    ),
    (
        "future F",
        "",
        "shield F",
        ["set_result F r", "set_error F x", "cancel_future F", "cancel_future F k"],
    ),
    ("future F", "", "wait_for 1 F", ["set_result F r", "set_error F x", "cancel_future F k"]),
    (
        "future F|future G",
        "",
        "gather raise F G",
        ["set_result F r", "set_error F x", "cancel_future F k", "set_error G y"],
    ),
    (
        "future F|future G",
        "",
        "gather results G F G",
        ["set_result F r", "set_error F x", "cancel_future F k", "cancel_future G j"],
    ),
    (
        "future F|future G",
        "",
        "wait first none F G",
        ["set_result F r", "set_error F x", "cancel_future F k", "set_result G r"],
    ),
    (
        "future F|future G",
        "",
        "as_completed none F G|log each|sleep 0|end",
        ["set_result F r", "cancel_future F k", "set_result G r"],
    ),
    ("", "", "await c1", ["set E", "cancel c1", "cancel c1 k", "uncancel c1"]),
    ("", "", "shield c1", ["set E", "cancel c1", "cancel c1 k"]),
    ("", "", "wait first_error none c1 c2", ["set E", "cancel c1", "cancel c2 k"]),
    ("", "", "gather raise c1 c2", ["set E", "cancel c1", "cancel c2 k"]),
    ("", "", "gather results c2 c1 c2", ["set E", "cancel c1", "cancel c2 k"]),
    ("", "", "as_completed 1 c1 c2|log each|end", ["set E", "cancel c1", "cancel c2 k"]),
    ("", "", "wait_for 1 c1", ["set E", "cancel c1 k"]),
    ("", "", "wait_for 0 c1", ["set E", "cancel c1 k"]),
    ("", "", "wait_for 1 hw", ["set E"]),
    ("", "", "wait_for 0 hw", ["set E"]),
    (
        "",
        "",
        "timeout none T1|wait_event E|log w|sleep 0|end",
        ["set E", "reschedule 0 T1", "reschedule -1 T1", "expired T1"],
    ),
    (
        "",
        "",
        "timeout 0 T1|wait_event E|end",
        ["set E", "reschedule none T1", "reschedule -1 T1", "expired T1"],
    ),
    (
        "",
        "",
        "timeout none T1|timeout none T2|wait_event E|end|sleep 0|end",
        ["set E", "reschedule 0 T1", "reschedule -1 T2"],
    ),
    (
        "",
        "",
        "group G1|start m# hw|log body|sleep 0|end",
        ["set E", "cancel_group G1", "cancel m1", "start_in G1 y# hw", "cancel m1 k"],
    ),
    (
        "",
        "",
        "group G1|start m# hx|wait_event E|end",
        ["set E", "cancel_group G1", "cancel m1", "start_in G1 y# hx"],
    ),
    (
        "",
        "",
        "timeout none T1|group G1|start m# hw|wait_event E|end|end",
        ["set E", "cancel_group G1", "reschedule 0 T1", "reschedule -1 T1"],
    ),
    (
        "",
        "",
        "group G1|start_eager m# hw|start_eager n# hx|sleep 0|end",
        ["set E", "cancel_group G1", "cancel m1", "cancel n1"],
    ),
    ("barrier B 2", "", "barrier_index B", ["abort B", "reset B", "barrier_wait B"]),
    (
        "barrier B 3",
        "",
        "barrier_wait B|barrier_index B",
        ["abort B", "reset B", "barrier_index B"],
    ),
    ("", "", "force_cancel c1 2 0", ["set E", "uncancel c1", "cancel c1 k"]),
    ("", "", "force_cancel c2 3 0|await c2", ["set E", "uncancel c2", "cancel c2 k"]),
]
CHILDREN = [
    "",
    "wait_event E",
    "wait_event E|raise error w",
    "try|wait_event E|except cancelled|sleep 0|end",
    "shield c0",
    "cancel self|wait_event E",
    "try|wait_event E|finally|sleep 0|end",
    "try|await c0|finally|log f|end",
    "timeout 1|wait_event E|end",
    "gather raise c0 c0",
    "raise error q",
    "try|wait_event E|except cancelled|return ok|end",
    "try|wait_event E|except any|raise error z|end",
    "wait_for 1 c0",
    "group|start i# hw|wait_event E|end",
    "wait all none c0",
    "raise cancelled b",
]
AFTERWARDS = [
    "",
    "sleep 0",
    "sleep 0|sleep 0",
    "sleep 0.5",
    "cancelling self",
    "uncancel self",
    "uncancel self|sleep 0",
    "state self",
    "await c1",
    "wait all 0.3 c1",
    "raise error h",
    "return r",
    "cancel self s|sleep 0",
    "cancel self",
]


class Meetings:
    """v1.. wait, a1.. do things to them, and c0.. are waited for."""

    def __init__(self, chance):
        self.chance = chance
        self.number = 0
        objects, first, self.wait, self.enders = chance.choice(WAITS)
        self.victims = [f"v{i + 1}" for i in range(chance.choice([1, 1, 2, 2, 3]))]
        actors = [f"a{i + 1}" for i in range(chance.choice([1, 1, 2, 3]))]
        lines = self.split(objects) + ["event E"]
        lines += (
            ["prog hw", "wait_event E"]
            + self.split(chance.choice(["", "sleep 0", "log hw"]))
            + ["end"]
        )
        lines += ["prog hx", "wait_event E", "raise error hx", "end"]
        lines += (
            ["prog pc0"]
            + self.split(
                chance.choice(
                    [
                        "wait_event E",
                        "try|wait_event E|except cancelled|end",
                        "sleep 0",
                        "sleep 0.4",
                    ]
                )
            )
            + ["end"]
        )
        for child in ("c1", "c2"):
            lines += [f"prog p{child}"] + self.split(chance.choice(CHILDREN)) + ["end"]
        for victim in self.victims:
            lines += [f"prog p{victim}"] + self.victim() + ["end"]
        for actor in actors:
            lines += (
                [f"prog p{actor}"]
                + [line for _ in range(chance.randint(1, 6)) for line in self.guarded_act()]
                + ["end"]
            )
        order = ["c0", "c1", "c2"] + self.victims
        order = actors[:1] + order + actors[1:] if chance.random() < 0.2 else order + actors
        lines += ["prog main"] + self.split(first)
        lines += [
            f"{chance.choice(['spawn', 'spawn', 'spawn', 'spawn_eager'])} {name} p{name}"
            for name in order
        ]
        self.lines = lines + self.end_of_main() + ["end"]

    def split(self, text):
        lines = []
        for line in text.split("|") if text else []:
            self.number += "#" in line
            lines.append(line.replace("#", str(self.number)))
        return lines

    def afterwards(self):
        return self.split(self.chance.choice(AFTERWARDS))

    def protected(self, body):
        chance, way = self.chance, self.chance.random()
        if way < 0.45:
            handler = self.afterwards() if chance.random() < 0.9 else ["raise"]
            ending = ["finally"] + self.afterwards() if chance.random() < 0.3 else []
            return (
                ["try"]
                + body
                + [f"except {chance.choice(['any', 'any', 'cancelled', 'timeout', 'error'])}"]
                + handler
                + ending
                + ["end"]
            )
        if way < 0.55:
            return [chance.choice(["timeout 0.7", "timeout none", "timeout 0 T1"])] + body + ["end"]
        if way < 0.65:
            return [chance.choice(["group", "group G2"])] + body + ["end"]
        return ["try"] + body + ["finally"] + self.afterwards() + ["end"] if way < 0.72 else body

    def victim(self):
        first = self.chance.choice(
            [
                "",
                "",
                "",
                "cancel self p",
                "cancel self|uncancel self",
                "cancel self|cancel self q",
                "sleep 0",
            ]
        )
        body = self.split(first) + self.protected(self.split(self.wait))
        if self.chance.random() < 0.5:
            body = self.protected(body + self.afterwards())
        return body + self.afterwards()

    def act(self):
        chance = self.chance
        victim = chance.choice(self.victims)
        who = chance.choice([victim] * 8 + ["main", "self"])
        many = chance.choice(["await", "shield", "wait_for 0", "wait_for 0.2", "wait all 0.1"])
        return self.split(
            chance.choice(
                [f"cancel {who}"] * 6
                + [f"cancel {who} a"] * 3
                + [f"cancel {who} b"] * 3
                + ["sleep 0"] * 7
                + [f"uncancel {victim}"] * 3
                + [
                    f"state {victim}",
                    f"cancelling {victim}",
                    "interrupt",
                    "cancel c1 c",
                    "cancel c2",
                    "cancel c0",
                    f"on_done {victim} w",
                    f"off_done {victim} w",
                    "soon s",
                    "cancel_timer s",
                    "later 0 s",
                    "busy 1.3",
                    f"{many} {victim}",
                ]
                + [chance.choice(self.enders or ["sleep 0"])] * 12
            )
        )

    def guarded_act(self):
        return (
            ["try"] + self.act() + ["except any", "end"]
            if self.chance.random() < 0.15
            else self.act()
        )

    def end_of_main(self):
        chance, all_of_them = self.chance, " ".join(self.victims)
        lines = chance.choice(
            [
                ["sleep 2"],
                [f"wait all 2 {all_of_them}"],
                [f"gather results {all_of_them}"],
                [f"gather raise {all_of_them}"],
                ["await v1"],
                ["sleep 0", "sleep 0"],
                ["sleep 0"] + self.act() + self.act(),
                [],
                ["shield v1"],
                [f"as_completed 2 {all_of_them}", "end"],
            ]
        )
        if chance.random() < 0.5:
            lines = ["try"] + lines + ["except any"] + self.afterwards() + ["end"]
        return lines + [f"state {victim}" for victim in self.victims] * (chance.random() < 0.5)


# ---------------------------------------------------------------- circles


class Circles:
    """t1.. wait for each other, for c1 and c2, which end, and for a future."""

    def __init__(self, chance):
        self.chance = chance
        self.tasks = [f"t{i + 1}" for i in range(chance.choice([2, 2, 3, 3, 4]))]
        names = self.tasks + ["c1", "c2", "a"]
        lines = ["future F", "prog h", f"sleep {self.time()}", "end"]
        for child in ("c1", "c2"):
            lines += [f"prog p{child}"] + self.child() + ["end"]
        for task in self.tasks:
            lines += [f"prog p{task}"] + self.body(task) + ["end"]
        lines += ["prog pa"] + [self.act() for _ in range(chance.randint(1, 4))] + ["end"]
        chance.shuffle(names)
        grouped = chance.random() < 0.5
        body = [
            chance.choice(
                ["start", "start", "start_eager"]
                if grouped and chance.random() < 0.8
                else ["spawn", "spawn", "spawn_eager"]
            )
            + f" {name} p{name}"
            for name in names
        ]
        if grouped:
            body = (
                ["group G"]
                + body
                + chance.choice(
                    [[], [f"sleep {self.time()}"], ["sleep 0", "raise error m"], self.wait("main")]
                )
                + ["end"]
            )
        if chance.random() < 0.6:
            body = (
                ["try"]
                + body
                + chance.choice([["sleep 0"], ["sleep 2"], self.wait("main")])
                + ["except any"]
                + chance.choice([[], self.wait("main"), ["sleep 0"], ["sleep 2"]])
                + ["end"]
            )
        body += chance.choice([["sleep 2"], ["sleep 0"], [], self.wait("main")]) + [
            f"state {task}" for task in self.tasks
        ]
        self.lines = lines + ["prog main"] + body + ["end"]

    def time(self):
        return f"{self.chance.randint(10, 999) / 1000:.3f}"

    def target(self, me):
        others = [task for task in self.tasks if task != me]
        return self.chance.choice(others * 6 + [me, "c1", "c2", "F", "main"])

    def wait(self, me):
        chance = self.chance
        one, limit = self.target(me), chance.choice(["none", self.time()])
        many = " ".join(self.target(me) for _ in range(chance.choice([1, 2, 2, 3])))
        return chance.choice(
            [
                [f"await {one}"],
                [f"await {one}"],
                [f"gather raise {many}"],
                [f"gather raise {many}"],
                [f"gather results {many}"],
                [f"shield {one}"],
                [f"wait_for {chance.choice([limit, '0'])} {one}"],
                [f"wait {chance.choice(['all', 'first', 'first_error'])} {limit} {many}"],
                [f"as_completed {limit} {many}", "end"],
                [f"timeout {limit} T1", f"await {one}", "end"],
                ["group", f"start x{me} h", f"await {one}", "end"],
            ]
        )

    def body(self, me):
        chance = self.chance
        first = chance.choice(
            [[], [], ["cancel self"], ["cancel self q"], ["sleep 0"], [f"sleep {self.time()}"]]
        )
        wait = self.wait(me)
        if chance.random() < 0.5:
            wait = (
                ["try"]
                + wait
                + [f"except {chance.choice(['any', 'cancelled', 'timeout', 'error'])}"]
                + chance.choice(
                    [
                        [],
                        self.wait(me),
                        ["cancelling self"],
                        ["raise"],
                        ["sleep 0"],
                        ["raise error z"],
                    ]
                )
                + ["end"]
            )
        return first + wait + chance.choice([[], self.wait(me), ["sleep 0"], ["cancelling self"]])

    def child(self):
        nap = f"sleep {self.time()}"
        return self.chance.choice(
            [
                [nap],
                ["sleep 0"],
                [nap, "raise error k"],
                [nap, "cancel self", "sleep 1"],
                [nap, "set_result F r"],
                [nap, "set_error F y"],
                [nap, "cancel_future F b"],
                [f"await {self.chance.choice(self.tasks)}"],
            ]
        )

    def act(self):
        task = self.chance.choice(self.tasks)
        return self.chance.choice(
            [
                f"cancel {task}",
                f"cancel {task} a",
                "cancel c1",
                "cancel c2",
                "sleep 0",
                f"sleep {self.time()}",
                f"uncancel {task}",
                "reschedule 0 T1",
                "cancel_group G",
                "set_result F v",
                "cancel_future F",
                "set_error F e",
                f"state {task}",
            ]
        )


# ---------------------------------------------------------------- choosing

FEW_ORDERS = ["natural"] + [
    f"{kind}:{seed}" for seed in range(3) for kind in ("mixed", "sets", "natural,mixed,sets")
]
MORE_ORDERS = [
    f"{kind}:{seed}" for seed in range(3, 24) for kind in ("mixed", "sets", "natural,mixed,sets")
]
SHUFFLES = [f"{kind}:{seed}" for seed in range(24) for kind in ("shuffle", "natural,shuffle")]


def same_under(text, orders, expected):
    try:
        return all(oracle.by_task(oracle.run(text, order)) == expected for order in orders)
    except (oracle.Unusable, BaseExceptionGroup):
        return False


def judge(text):
    """The trace of a scenario and its class, `fifo` or `any`; None if it is not kept."""
    try:
        trace = oracle.run(text)
    except (oracle.Unusable, BaseExceptionGroup):
        return None
    expected = oracle.by_task(trace)
    # The count of a request in a circle depends on the room in the interpreter's stack.
    if any(re.search(r"^(cancelling|uncancel) \S+ -> \d\d", event) for _, _, event in trace):
        return None
    if not same_under(text, FEW_ORDERS + MORE_ORDERS, expected):
        return None
    return trace, "any" if same_under(text, SHUFFLES, expected) else "fifo"


def indented(lines):
    depth, out = 0, []
    for line in lines:
        word = line.split()[0]
        depth -= word in ("end", "except", "finally")
        out.append("  " * depth + line)
        depth += word in oracle.BLOCKS or word in ("except", "finally")
    return "\n".join(out) + "\n"


STYLES = {"programs": Programs, "meetings": Meetings, "circles": Circles}


def make(style, seed):
    """The scenario of this number."""
    return indented(STYLES[style](random.Random(f"{style} {seed}")).lines)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("usage: ")[2])
    parser.add_argument("--style", choices=[*STYLES, "all"], default="all")
    parser.add_argument("--class", dest="kind", choices=["fifo", "any", "both"], default="both")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    kept = 0
    warnings.simplefilter("ignore")
    for seed in range(options.first, options.first + options.count):
        style = list(STYLES)[seed % len(STYLES)] if options.style == "all" else options.style
        text = make(style, seed)
        judged = judge(text)
        if judged and options.kind in ("both", judged[1]):
            kept += 1
            print(f"=== {style}-{seed}\n{text}--- trace\n{oracle.show(judged[0])}", end="")
    print(f"{kept} of {options.count} kept", file=sys.stderr)


if __name__ == "__main__":
    main()
