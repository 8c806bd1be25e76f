#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make random scenarios with CPython's traces, to hold another runtime to.

Only those are kept whose traces are the same whatever asyncio leaves open: the order of deadlines that fall on one instant, of what it
keeps in sets, and the turns that gather, wait, shield, as_completed and groups take on the way. Needs Python 3.15; see SCENARIOS.md.

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

import oracle

# ---------------------------------------------------------------- programs

STATEMENTS = {
    "log": 3, "sleep": 5, "turn": 4, "busy": .5, "return": .6, "raise": 1, "repeat": .7, "spawn": .8, "spawn_eager": 1, "cancel": 4,
    "uncancel": 1, "cancelling": .7, "state": 1.5, "await": 2.5, "shield": 2, "wait": 2, "gather": 2, "as_completed": 1.5,
    "wait_for": 2, "timeout": 2.5, "reschedule": 1, "expired": .5, "group": 2.5, "start": 1.2, "start_in": .6, "cancel_group": .6,
    "on_done": 1, "off_done": .4, "soon": .5, "later": .7, "cancel_timer": .4, "force_cancel": .6, "interrupt": .3, "try": 6,
    "thing": 8, "twice": .8,
}
THINGS = ["lock", "semaphore", "bounded", "event", "condition", "shared", "queue", "lifo", "priority", "future", "barrier"]
# Objects that are surely there, and how often statements come that are to come more or less often than usual.
EMPHASES = [
    ([], {}),
    ([], {"turn": .7, "cancel": 2, "twice": 0}),
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
    (["future", "future"], {"thing": 16, "cancel": 6, "turn": 6, "await": 5, "gather": 4, "shield": 4, "wait_for": 4, "wait": 3}),
    (["barrier", "barrier"], {"thing": 25, "cancel": 6, "turn": 6}),
    (["event", "event"], {"thing": 20, "cancel": 6, "turn": 6}),
]
KINDS = ["cancelled", "cancelled", "cancelled", "any", "any", "timeout", "error", "group"]
BLOCKS = {"try", "repeat", "timeout", "group", "as_completed"}


class Programs:
    """A scenario of up to six tasks and main, and programs for wait_for and for tasks that are started on the way."""

    def __init__(self, chance):
        self.chance = chance
        things, weights = chance.choice(EMPHASES)
        self.weights = dict(STATEMENTS)
        if chance.random() < .6:
            # Without some statements, so that those that are left meet more often.
            for name in chance.sample(list(STATEMENTS), chance.randint(5, 18)):
                self.weights[name] *= chance.choice([0, .2])
        self.weights.update(weights)
        self.crowded = chance.random() < .75
        self.dense = self.crowded and chance.random() < .35
        self.negative = chance.random() < .15
        self.pool = [self.fresh_time() for _ in range(chance.choice([1, 2, 3, 5]))] if chance.random() < .4 else []
        self.objects = {}
        self.declarations = []
        self.declare_all(things + chance.sample(THINGS, chance.choice([0, 0, 1, 1, 2]) if things else chance.choice([0, 0, 1, 2, 3])))
        self.tasks = [f"t{i + 1}" for i in range(chance.choice([1, 2, 2, 3, 3, 4, 5, 6]))]
        self.helpers = ["h0", "h1"][:chance.choice([0, 1, 1, 2])]
        self.extra = 0
        self.lines = self.declarations + self.all_programs()

    def all_programs(self):
        chance, lines = self.chance, []
        parents = self.parents()
        eager = chance.choice([0, 0, .3, .7])
        size = chance.choice([3, 5, 8]) if self.dense else chance.choice([1, 2, 3])
        self.inlined = True
        for name in self.helpers:
            self.me, self.scopes = name, []
            lines += [f"prog {name}"] + self.block(1, chance.randint(0, 2)) + ["end"]
        self.inlined = False
        for name in self.tasks + ["main"]:
            self.me, self.scopes = name, []
            grouped = name == "main" and chance.random() < .15
            body = [("start" if grouped else "spawn") + ("_eager" if chance.random() < eager else "") + f" {child} p{child}"
                    for child in self.tasks if parents[child] == name]
            body += self.block(4 if self.dense else 3, chance.randint(name == "main", size))
            if grouped:
                body = ["group G0"] + body + ["end"] + self.block(1, chance.randint(0, 1))
            lines += [f"prog {'main' if name == 'main' else 'p' + name}"] + body + ["end"]
        return lines

    def parents(self):
        """Who spawns whom: mostly main, and never in a circle."""
        parents = {task: "main" if self.chance.random() < .75 else self.chance.choice(self.tasks) for task in self.tasks}
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
        sizes = {"semaphore": [0, 1, 1, 1, 2], "bounded": [1, 1, 2], "queue": [0, 1, 1, 2], "lifo": [0, 1, 1, 2],
                 "priority": [0, 1, 1, 2], "barrier": [1, 2, 2, 2, 3]}
        for kind in kinds:
            name = next(letters)
            if kind == "shared":
                lock = next((n for n, k in self.objects.items() if k == "lock"), None) or next(letters)
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
        if self.negative and zero and self.chance.random() < .15:
            return "-1"
        if self.chance.random() < zero:
            return "0"
        return self.chance.choice(self.pool) if self.pool and self.chance.random() < .6 else self.fresh_time()

    def limit(self):
        return "none" if self.chance.random() < .15 else self.time(.3 if self.crowded else .05)

    def word(self, letter):
        return letter + str(self.chance.randint(0, 9))

    def names(self):
        return self.tasks + [f"x{i + 1}" for i in range(self.extra)]

    def target(self, own=.04):
        """What can be awaited."""
        futures = [name for name, kind in self.objects.items() if kind == "future"]
        if self.chance.random() < own:
            return "self" if self.inlined else self.chance.choice(["self", self.me])
        if futures and self.chance.random() < .3:
            return self.chance.choice(futures)
        names = self.names() + ["main"] * (self.chance.random() < .15)
        return self.chance.choice([name for name in names if name != self.me] or names)

    def targets(self):
        return " ".join(self.target(.01) for _ in range(self.chance.choice([1, 1, 2, 2, 3])))

    def task(self, own=.1):
        """Who can be cancelled."""
        return "self" if self.chance.random() < own else self.chance.choice(self.names() + ["main"])

    # Statements

    def block(self, depth, count):
        return [line for _ in range(count) for line in self.statement(depth)]

    def few(self, depth):
        return self.block(depth - 1, self.chance.choice([0, 1, 1, 1, 2, 2, 3]))

    def statement(self, depth):
        names = [name for name, weight in self.weights.items() if weight > 0 and (depth > 0 or name not in BLOCKS)]
        while True:
            name = self.chance.choices(names, [self.weights[name] for name in names])[0]
            lines = getattr(self, "make_" + name)(depth)
            if lines is not None:
                return lines

    def make_log(self, depth):
        return [f"log {self.word('l')}"]

    def make_sleep(self, depth):
        return [f"sleep {self.time()}"]

    def make_turn(self, depth):
        return ["sleep 0"]

    def make_busy(self, depth):
        return [f"busy {self.time()}"]

    def make_return(self, depth):
        return [f"return {self.word('v')}"]

    def make_raise(self, depth):
        return [self.chance.choice([f"raise error {self.word('x')}"] * 3 + ["raise cancelled", f"raise cancelled {self.word('m')}"])]

    def make_repeat(self, depth):
        return [f"repeat {self.chance.choice([2, 2, 3])}"] + self.few(depth) + ["end"]

    def make_try(self, depth):
        chance = self.chance
        lines = ["try"] + (self.few(depth) or self.block(depth - 1, 1))
        clauses = chance.sample(sorted(set(KINDS)), 2) if chance.random() < .17 else [chance.choice(KINDS)] * (chance.random() < .8)
        for kind in clauses:
            lines += [f"except {kind}"] + self.few(depth) + ["raise"] * (chance.random() < .15)
        if not clauses or chance.random() < .3:
            lines += ["finally"] + self.few(depth)
        return lines + ["end"]

    def make_spawn(self, depth, statement="spawn"):
        if not self.helpers or self.inlined and self.chance.random() < .8:
            return None
        self.extra += 1
        return [f"{statement} x{self.extra} {self.chance.choice(self.helpers)}"]

    def make_spawn_eager(self, depth):
        return self.make_spawn(depth, "spawn_eager")

    def make_start(self, depth):
        return self.make_spawn(depth, self.chance.choice(["start", "start_eager"])) if "group" in self.scopes else None

    def make_start_in(self, depth):
        return self.make_spawn(depth, f"start_in {self.chance.choice(['G0', 'G1', 'G2'])}")

    def make_cancel_group(self, depth):
        own = "group" in self.scopes and self.chance.random() < .4
        return ["cancel_group" if own else f"cancel_group {self.chance.choice(['G0', 'G1', 'G2'])}"]

    def make_cancel(self, depth):
        return [f"cancel {self.task()}" + self.chance.choice(["", "", f" {self.word('m')}"])]

    def make_twice(self, depth):
        return self.make_cancel(0) + ["sleep 0"] * self.chance.randint(0, 2) + self.make_cancel(0)

    def make_uncancel(self, depth):
        return [f"uncancel {self.task(.6)}"]

    def make_cancelling(self, depth):
        return [f"cancelling {self.task(.4)}"]

    def make_force_cancel(self, depth):
        return [f"force_cancel {self.task(.05)} {self.chance.choice([1, 2, 3])} {self.time(.4)}"]

    def make_interrupt(self, depth):
        return ["interrupt"]

    def make_state(self, depth):
        return [f"state {self.target(.03)}"]

    def make_await(self, depth):
        return [f"await {self.target()}"]

    def make_shield(self, depth):
        return [f"shield {self.target()}"]

    def make_wait(self, depth):
        limit = "none" if self.chance.random() < .4 else self.time(.1)
        return [f"wait {self.chance.choice(['all', 'first', 'first_error'])} {limit} {self.targets()}"]

    def make_gather(self, depth):
        return [f"gather {self.chance.choice(['raise', 'raise', 'results'])} {self.targets()}"]

    def make_as_completed(self, depth):
        limit = "none" if self.chance.random() < .4 else self.time(.1)
        return [f"as_completed {limit} {self.targets()}"] + self.few(depth) + ["end"]

    def make_wait_for(self, depth):
        inline = self.helpers and not self.inlined and self.chance.random() < .5
        return [f"wait_for {self.limit()} {self.chance.choice(self.helpers) if inline else self.target()}"]

    def make_scope(self, depth, head, kind):
        self.scopes.append(kind)
        lines = [head] + (self.few(depth) or self.block(depth - 1, 1)) + ["end"]
        self.scopes.pop()
        return lines

    def make_timeout(self, depth):
        return self.make_scope(depth, f"timeout {self.limit()}{self.chance.choice(['', ' T1', ' T2'])}", "timeout")

    def make_group(self, depth):
        return self.make_scope(depth, f"group{self.chance.choice(['', ' G1', ' G2'])}", "group")

    def make_reschedule(self, depth):
        when = "none" if self.chance.random() < .15 else self.time(.3) if self.chance.random() < .8 else "-1"
        own = "timeout" in self.scopes and self.chance.random() < .6
        return [f"reschedule {when}" + ("" if own else self.chance.choice([" T1", " T2"]))]

    def make_expired(self, depth):
        return [f"expired {self.chance.choice(['T1', 'T2'])}"]

    def make_on_done(self, depth):
        return [f"on_done {self.target(.15)} {self.word('w')}"]

    def make_off_done(self, depth):
        return [f"off_done {self.target(.15)} {self.word('w')}"]

    def make_soon(self, depth):
        return [f"soon {self.word('w')}"]

    def make_later(self, depth):
        return [f"later {self.time(.1)} {self.word('w')}"]

    def make_cancel_timer(self, depth):
        return [f"cancel_timer {self.word('w')}"]

    def make_thing(self, depth):
        chance = self.chance
        if not self.objects:
            return None
        name = chance.choice(list(self.objects))
        kind = self.objects[name]
        nap = chance.choice([[], ["sleep 0"], ["sleep 0", "sleep 0"], [f"sleep {self.time()}"]])
        inner = self.few(depth) if depth > 0 else nap
        if kind in ("lock", "semaphore", "bounded"):
            return chance.choice([[f"with {name}"] + inner + ["end"]] * 2 + [[f"acquire {name}"] + nap + [f"release {name}"]] * 2
                                 + [[f"acquire {name}"], [f"release {name}"]])
        if kind == "condition":
            return self.make_condition(name, nap, inner)
        item, reason = self.word("i"), chance.choice(["", " m1", " m2"])
        return [chance.choice({
            "event": ["wait_event"] * 2 + ["set"] * 2 + ["clear"],
            "future": ["await_future"] * 4 + [f"set_result {name} {item}"] * 2 + [f"set_error {name} {item}"]
                      + [f"cancel_future {name}{reason}"] * 2,
            "barrier": ["barrier_wait"] * 4 + ["barrier_index"] * 2 + ["abort", "reset"],
        }.get(kind, [f"put {name} {item}"] * 4 + ["get"] * 5 + [f"try_put {name} {item}", "try_get", "task_done", "task_done", "join",
                     "shutdown", f"shutdown {name} now"]))].copy() if False else [self.named(chance.choice({
            "event": ["wait_event", "wait_event", "set", "set", "clear"],
            "future": ["await_future"] * 4 + ["set_result @ " + item] * 2 + ["set_error @ " + item] + ["cancel_future @" + reason] * 2,
            "barrier": ["barrier_wait"] * 4 + ["barrier_index"] * 2 + ["abort", "reset"],
        }.get(kind, ["put @ " + item] * 4 + ["get"] * 5 + ["try_put @ " + item, "try_get", "task_done", "task_done", "join",
                     "shutdown", "shutdown @ now"])), name)]
