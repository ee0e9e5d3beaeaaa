"""One list of scenarios, with the default runtime of an engine and with ocirt side by side.

A scenario is a function that does something with an engine and says what it saw; its pattern says what is
right. ocirt has to be right. What the default runtime says stands beside it, so that what an engine or this
machine cannot do is not taken for a fault of ocirt, and what ocirt alone can do is seen as well.
"""

import os
import re
import time
from dataclasses import dataclass
from typing import Callable

from engine import SECONDS, Engine
from manager import PATIENCE


@dataclass
class Scenario:
    name: str
    expected: str
    act: Callable
    needs: tuple  # what the Side has to offer
    engines: tuple
    sample: bool  # is part of `make check` too


SCENARIOS = []
# An emulated one takes a minute to move what is no matter of cgroups.
OF_THE_MACHINE = {"real processor"} if PATIENCE == 1 else set()


def scenario(name, expected, needs=(), engines=("podman", "rootless", "docker"), sample=False):
    """Of every engine in `engines`; `needs` are controllers or what a Side says that it `offers`."""
    def keep(function):
        SCENARIOS.append(Scenario(name, expected, function, tuple(needs), tuple(engines), sample))
        return function
    return keep


class Side(Engine):
    """An engine with one runtime, in a place of its own."""

    def __init__(self, kind, column, top, name=None):  # pylint: disable=super-init-not-called
        self.kind, self.column, self.name = kind, column, name or kind
        self.top = os.path.join(top, f"{self.name}-{column}")
        os.makedirs(self.top)
        self.environment = dict(os.environ, TMPDIR=self.top)
        self.offers = set()
        self.number = 0

    def fresh(self):
        """A name for a container."""
        self.number += 1
        return f"c{self.number}"

    def folder(self):
        """An empty one, which the user of the engine may write to."""
        path = os.path.join(self.top, self.fresh())
        os.mkdir(path)
        return path

    def say(self, *arguments, text="", seconds=SECONDS):
        """Status and output, then what went to standard error."""
        outcome = self.run(list(arguments), text, seconds)
        return f"{outcome.status} {outcome.output}{'| ' + outcome.errors if outcome.errors else ''}"

    def do(self, *arguments, text=""):
        """The output of what has to succeed."""
        outcome = self.run(list(arguments), text)
        if outcome.status:
            raise Failed(f"{' '.join(arguments)}: {outcome.status} {outcome.output}{outcome.errors}")
        return outcome.output.strip()

    def stop_engine(self):
        """Ends what was started for this side."""


class Failed(Exception):
    pass


def until(holds, seconds=60):
    """Waits for an event of which nobody tells."""
    end = time.monotonic() + seconds * PATIENCE
    while not (value := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def attempt(side, one):
    """(right, what was seen), or (None, why not)."""
    lacking = [need for need in one.needs if need not in side.offers | OF_THE_MACHINE]
    if lacking:
        return None, f"no {lacking[0]} here"
    try:
        seen = one.act(side)
    except (Failed, OSError, IndexError) as failed:
        return False, str(failed)
    return re.search(one.expected, seen, re.S | re.M) is not None, seen


def compare(tap, sides, only_sample=False):
    """`sides`: one with the default runtime, if there is one, and one with ocirt, which is the last."""
    ours = sides[-1]
    rows = []
    for one in SCENARIOS:
        if ours.kind not in one.engines or (only_sample and not one.sample) or \
                not re.search(os.environ.get("ONLY", ""), one.name):
            continue
        begin = time.monotonic()
        results = [attempt(side, one) for side in sides]
        right, seen = results[-1]
        name = f"{ours.name}: {one.name}"
        if right is None:
            tap.skip(name, seen)
        else:
            told = [f"{side.column}: {line}" for side, result in zip(sides, results)
                    for line in result[1].splitlines()[:30]]
            tap.ok(name, right, "\n".join([f"wanted: {one.expected}", *told]))
        rows.append((one.name, results, time.monotonic() - begin))
    return rows


def verdict(result):
    right, _ = result
    return "-" if right is None else "right" if right else "WRONG"


def show(engine, sides, rows):
    """The table, as comments of TAP."""
    width = max([len(name) for name, _, _ in rows] + [10])
    print(f"#\n# {engine:{width}}  {'  '.join(f'{side.column:10}' for side in sides)}")
    for name, results, seconds in rows:
        columns = "  ".join(f"{verdict(result):10}" for result in results)
        print(f"# {name:{width}}  {columns}  {seconds:5.1f} s".rstrip())
        for side, result in zip(sides[:-1], results):
            if result[0] is False:
                first = (result[1].strip().splitlines() or [""])[-1]
                print(f"#     {side.column} said: {first[:150]}")
    for index, side in enumerate(sides):
        right = sum(1 for _, results, _ in rows if results[index][0])
        known = sum(1 for _, results, _ in rows if results[index][0] is not None)
        print(f"# {engine} with {side.column}: {right} of {known} right")
    print("#", flush=True)
