# SPDX-License-Identifier: MIT
"""The output of the Python twins, with the same lines as those of say.h.

shows(sentence)  prints the sentence
say(text)        prints a line: the time, the task's name, the text
state(task)      "pending", "cancelled", "failed" or "done"
SECOND           the real duration of a second of the programs
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
    # The task of main(), and in Python 3.11 that of wait_for(), have no name of their own.
    name = asyncio.current_task().get_name()
    name = "main" if name.startswith("Task-") else name
    print(f"{(time.monotonic() - began) / SECOND:6.2f}  {name:7} {text}", flush=True)


def state(task):
    if not task.done():
        return "pending"
    if task.cancelled():
        return "cancelled"
    return "failed" if task.exception() else "done"
