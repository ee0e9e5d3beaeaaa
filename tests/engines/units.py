"""What systemd knows of the containers of podman and docker where it makes their cgroups. See table.py, manager.py."""

from manager import systemctl
from scenarios import TRAP, ask, remove, start
from table import scenario, until

# Where the engine puts a container of which nobody has said anything; docker is told by its daemon's options.
SLICES = {"podman": "machine.slice", "rootless": "user.slice"}


def unit_of(side, name):
    return f"{'docker' if side.kind == 'docker' else 'libpod'}-{ask(side, name, '.Id')}.scope"


def control(side, *arguments):
    return systemctl(arguments, user=side.kind == "rootless")


def shown(side, unit, *properties):
    """The values of these properties, in this order."""
    said = control(side, "show", *(f"--property={name}" for name in properties), unit)
    values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return " ".join(values.get(name, "?") for name in properties)


@scenario("systemd: a container is a scope in the slice of its engine, and gone with it", r"\Aactive yes right, then not-found\Z",
          needs=["systemd"], sample=True)
def _(side):
    name = start(side)
    unit = unit_of(side, name)
    said = shown(side, unit, "ActiveState", "Delegate")
    where = shown(side, unit, "Slice")
    said += " right" if where == SLICES.get(side.kind, getattr(side, "group", "")) else f" {where}"
    remove(side, name)
    until(lambda: shown(side, unit, "LoadState") == "not-found", 3)
    return f"{said}, then {shown(side, unit, 'LoadState')}"


@scenario("systemd: limits are those of the unit, and change with it",
          r"\A67108864 50 500ms, then 134217728 50 500ms, in it 0 134217728\n\Z", needs=["systemd", "memory", "pids", "cpu"],
          sample=True)
def _(side):
    name = start(side, "--memory", "64m", "--memory-swap", "64m", "--pids-limit", "50", "--cpus", "0.5")
    limits = unit_of(side, name), "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec"
    first = shown(side, *limits)
    side.do("update", "--memory", "128m", "--memory-swap", "128m", name)
    then = shown(side, *limits)
    # Whatever systemd does not know it takes back here.
    control(side, "daemon-reload")
    said = side.say("exec", name, "cat", "/sys/fs/cgroup/memory.max")
    remove(side, name)
    return f"{first}, then {then}, in it {said}"


@scenario("systemd: a device may still be used when systemd has read its units again", r"\A0 read\n\Z",
          needs=["systemd", "fuse", "root"])
def _(side):
    name = start(side, "--device", "/dev/fuse")
    control(side, "daemon-reload")
    said = side.say("exec", name, "sh", "-c", ": </dev/fuse && : </dev/null && echo read")
    remove(side, name)
    return said


@scenario("systemd: who stops the unit ends the container, which has its own status", r"\A9 exited\Z", needs=["systemd"])
def _(side):
    name = start(side, program=TRAP)
    until(lambda: "ready" in side.say("logs", name))
    control(side, "stop", unit_of(side, name))
    said = f"{side.do('wait', name)} {ask(side, name, '.State.Status')}"
    remove(side, name)
    return said


@scenario("systemd: a kill for want of memory leaves no failed unit", r"\A137 not-found\Z", needs=["systemd", "memory"])
def _(side):
    name = start(side, "--memory", "16m", "--memory-swap", "16m", program="sleep 0.5; tail /dev/zero")
    unit = unit_of(side, name)
    said = side.do("wait", name)
    remove(side, name)
    until(lambda: shown(side, unit, "LoadState") == "not-found", 3)
    return f"{said} {shown(side, unit, 'LoadState')}"
