"""Who makes the cgroups of containers: the runtime, or systemd, where CGROUP_MANAGER=systemd says so.

With systemd the machine is one that nobody else uses (tests/vm/run-engines): the engines work in its /run, where the
buses are, and an ordinary user has a systemd of her own. A container's cgroup is then a unit, which has to go
with the container: systemd keeps those that failed until somebody says that it has been noticed.
"""

import os
import subprocess

MANAGER = os.environ.get("CGROUP_MANAGER", "cgroupfs")
SYSTEMD = MANAGER == "systemd"
# How many times as long as usual to wait: an emulated processor has its own idea of a second.
PATIENCE = int(os.environ.get("TEST_PATIENCE", "1"))
USER = 543211  # whom nobody has
UNITS = ("libpod-*", "docker-*", "cri-containerd-*", "ctr-*", "own-*", "ocirt-*", "crun-*", "machine-libpod*",
         "user-libpod*")


def name_of_groups():
    """For the cgroups of the containers of this run: a folder, or a slice, in whose name a dash is a parent."""
    return f"ocirtengines{os.getpid()}.slice" if SYSTEMD else f"ocirt-engines-{os.getpid()}"


def path_of_groups(name):
    """As engines want the parent of a container's cgroup."""
    return name if SYSTEMD else f"/{name}"


def bus_of_user():
    """What tells programs of an ordinary user where her systemd is."""
    return {"XDG_RUNTIME_DIR": f"/run/user/{USER}", "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{USER}/bus"}


def controllers_of_user():
    """What systemd lets an ordinary user have."""
    path = f"/sys/fs/cgroup/user.slice/user-{USER}.slice/user@{USER}.service/cgroup.controllers"
    if not SYSTEMD or not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        return set(file.read().split())


def as_user(arguments):
    return ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--inh-caps=-all", *arguments]


def systemctl(arguments, user=False):
    """What systemd says of a unit, or an ordinary user's systemd."""
    words = ["systemctl", *(["--user"] if user else []), "--no-pager", *arguments]
    asked = subprocess.run(as_user(words) if user else words, capture_output=True, text=True,
                           env=dict(os.environ, **(bus_of_user() if user else {})))
    return asked.stdout


def end_groups(name):
    """A slice stays when its last scope has gone."""
    if SYSTEMD:
        systemctl(["stop", name])


def units_left():
    """Scopes and slices of containers that systemd still knows, of root and of the ordinary user."""
    if not SYSTEMD:
        return []
    asked = ["list-units", "--all", "--plain", "--no-legend", "--type", "scope,slice", *UNITS]
    found = systemctl(asked).splitlines()
    if os.path.exists(f"/run/user/{USER}/bus"):
        found += systemctl(asked, user=True).splitlines()
    return [f"unit {line}" for line in found]
