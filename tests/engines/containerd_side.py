"""containerd with its own shim and runc, and with ocirt's shim: the scenarios of shim.py for both, in the table of table.py.

They are checks that follow each other rather than scenarios that stand alone, so each side goes through all of them
with a list in place of TAP, and what ocirt's side has in its list is told to TAP afterwards.
"""

import os
import re
import time

import containerd
import shim
import table
from engine import descendants
from manager import SYSTEMD

MISSING = ("containerd", "ctr", "containerd-shim-runc-v2", "runc")


class Kept:
    """In place of TAP: what was checked, in order."""

    def __init__(self, prefix):
        self.prefix, self.rows, self.begun = f"{prefix}: ", {}, time.monotonic()

    def keep(self, name, right, seen):
        now = time.monotonic()
        self.rows[name.removeprefix(self.prefix)] = ((right, seen), now - self.begun)
        self.begun = now

    def ok(self, name, passed, detail=""):
        self.keep(name, bool(passed), detail)

    def skip(self, name, reason):
        self.keep(name, None, reason)


class DefaultContainerd(shim.ShimContainerd):
    """The one that ctr takes when nothing is said."""

    alias = ""

    def __init__(self, tap, top, namespace, name):
        super().__init__(tap, top, "containerd-shim-runc-v2", namespace, name)
        self.options = [option for option in self.options if option not in ("--runtime", self.shim)]
        self.options += ["--runc-systemd-cgroup"] if SYSTEMD and "--runc-systemd-cgroup" not in self.options else []

    def shims(self):
        found = []
        for pid in descendants(os.getpid()):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode().split("\0")
            except OSError:
                continue
            if os.path.basename(words[0]) == self.shim and self.address in words and not shim.gone(pid):
                found.append(pid)
        return found


def go_through(kept, make, name, top, archive):
    def scenarios(engine):
        # A check that one side fails may leave the next without what it needs: that is a failure too.
        for check in (containerd.check_run, containerd.check_limits, containerd.check_task, shim.check_streams,
                      shim.check_order, shim.check_many_execs, shim.check_fifty, shim.check_memory_kill, shim.check_group,
                      shim.check_killed_shim, shim.check_restart, shim.check_daemon_killed_during_create,
                      shim.check_nothing_left):
            try:
                check(engine)
            except (OSError, IndexError, AttributeError) as failed:
                kept.ok(f"{name}: {check.__name__}", False, str(failed))
    containerd.with_engine(kept, top, archive, make, name, scenarios)


class Column:
    def __init__(self, column):
        self.column = column


def compare(tap, columns, top, program, archive, namespace):
    sides = {}
    for column in columns:
        name = f"containerd-{column}"
        kept = sides[column] = Kept(name)
        if column == "ocirt":
            go_through(kept, lambda: shim.ShimContainerd(kept, top, program, namespace, name), name, top, archive)
        else:
            go_through(kept, lambda: DefaultContainerd(kept, top, namespace, name), name, top, archive)
    rows = []
    for check, ((right, seen), seconds) in sides["ocirt"].rows.items():
        if not re.search(os.environ.get("ONLY", ""), check):
            continue
        if right is None:
            tap.skip(f"containerd: {check}", seen)
        else:
            tap.ok(f"containerd: {check}", right, seen)
        nothing = ((False, "it did not come so far"), 0)
        results = [sides[column].rows.get(check, nothing)[0] for column in columns]
        rows.append((check, results, seconds))
    table.show("containerd", [Column(column) for column in columns], rows)
