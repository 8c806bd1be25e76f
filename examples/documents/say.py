# SPDX-License-Identifier: MIT
"""How the Python twins report what happens: the same lines as those of say.h.

shows(sentence)  prints the sentence
say(text)        prints a line: the time, the task's name, the text
state(task)      "pending", "cancelled", "failed" or "done"
SECOND           how long a second of the programs takes
"""
import asyncio
import time

SECOND = 0.1

began = None


def shows(sentence):
    global began
    print(sentence, flush=True)
    began = time.monotonic()


def say(text):
    # The tasks without a name: that of main(), and in Python 3.11 that of wait_for().
    name = asyncio.current_task().get_name()
    name = "main" if name.startswith("Task-") else name
    print(f"{(time.monotonic() - began) / SECOND:6.2f}  {name:7} {text}", flush=True)


def state(task):
    if not task.done():
        return "pending"
    if task.cancelled():
        return "cancelled"
    return "failed" if task.exception() else "done"
