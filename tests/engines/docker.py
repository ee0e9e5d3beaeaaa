"""docker.io: a daemon of its own for each runtime, and what only docker does. See table.py."""

import json
import os
import shutil
import signal
import subprocess
import time

from manager import MANAGER, SYSTEMD, path_of_groups
from podman import has_controller
from scenarios import FOR_EVER, ask, reaper_of, remove, start, table_of_processes
from table import Failed, Side, scenario, until

IMAGE = "localhost/busybox"
CONTROLLERS = ("memory", "cpu", "cpuset", "pids")


def missing():
    return [p for p in ("dockerd", "containerd", "containerd-shim-runc-v2", "runc") if not shutil.which(p)] + \
        ([] if client() else ["docker"])


def client():
    # Of the same package as the daemon: others do not build without BuildKit.
    return "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else shutil.which("docker")


class Docker(Side):
    image, build_options, at_once = IMAGE, ["--network", "none"], []

    def __init__(self, column, top, ocirt, archive, group):
        super().__init__("docker", column, top)
        self.socket = os.path.join(self.top, "s")
        self.group, self.ocirt = group, ocirt
        self.environment.update(DOCKER_HOST=f"unix://{self.socket}", DOCKER_BUILDKIT="0",
                                DOCKER_CONFIG=os.path.join(self.top, "client"))
        self.offers = {"root", "freezer", "init", "report of a kill for want of memory",
                       *filter(has_controller, CONTROLLERS)}
        self.offers |= {"systemd"} if SYSTEMD else set()
        self.offers |= {"fuse"} if os.path.exists("/dev/fuse") else set()
        self.daemon = None
        self.begin()
        self.do("import", archive, IMAGE)

    def command(self, arguments):
        return [client(), *arguments]

    def begin(self):
        settings = os.path.join(self.top, "daemon.json")
        with open(settings, "w", encoding="utf-8") as file:
            json.dump({"runtimes": {"ocirt": {"path": self.ocirt}},
                       **({"default-runtime": "ocirt"} if self.column == "ocirt" else {})}, file)
        with open(os.path.join(self.top, "log"), "ab") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", "--config-file", settings, "--host", f"unix://{self.socket}", "--pidfile",
                 f"{self.top}/pid", "--data-root", f"{self.top}/root", "--exec-root", f"{self.top}/exec", "--bridge",
                 "none", "--iptables=false", "--ip6tables=false", "--live-restore", "--cgroup-parent", path_of_groups(self.group),
                 "--exec-opt", f"native.cgroupdriver={MANAGER}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        if not until(lambda: self.daemon.poll() is not None or self.run(["version"]).status == 0, 30) or \
                self.daemon.poll() is not None:
            with open(os.path.join(self.top, "log"), encoding="utf-8", errors="replace") as file:
                raise Failed(f"dockerd does not start: {(file.read().strip().splitlines() or [''])[-1]}")

    def kill_daemon(self):
        with open(f"{self.top}/exec/containerd/containerd.pid", encoding="utf-8") as file:
            containerd = int(file.read())
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
        # Dies with its parent, and is ours now; a zombie would be taken for one that lives.
        os.waitpid(containerd, 0)

    def stop_engine(self):
        if self.daemon and self.daemon.poll() is None:
            ids = self.run(["ps", "-aq"]).output.split()
            self.run(["rm", "-f", *ids]) if ids else None
            self.daemon.terminate()
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.kill_daemon()


@scenario("the runtime of a container is what --runtime says", r"\A0 ok\nocirt\n\Z", engines=("docker",), sample=True)
def _(side):
    name = side.fresh()
    said = side.say("run", "--runtime", "ocirt", "--network", "none", "--name", name, side.image, "echo", "ok")
    said += ask(side, name, ".HostConfig.Runtime") + "\n"
    remove(side, name)
    return said


@scenario("health: from healthy to unhealthy", r"\Ahealthy unhealthy\Z", engines=("docker",))
def _(side):
    name = start(side, "--health-cmd", "test -e /tmp", "--health-interval", "200ms", "--health-retries", "1")

    def status(wanted):
        until(lambda: ask(side, name, ".State.Health.Status") == wanted)
        return ask(side, name, ".State.Health.Status")
    first = status("healthy")
    side.do("exec", name, "mv", "/tmp", "/gone")
    second = status("unhealthy")
    remove(side, name)
    return f"{first} {second}"


@scenario("events come in order", r"\A0 create\nstart\ndie\ndestroy\n\Z", engines=("docker",))
def _(side):
    began, name = time.time(), side.fresh()
    side.do("run", "--rm", "--network", "none", "--name", name, side.image, "true")
    return side.say("events", "--since", f"{began:.6f}", "--until", f"{time.time() + 0.2:.6f}", "--filter",
                    f"container={name}", "--filter", "event=create", "--filter", "event=start", "--filter", "event=die",
                    "--filter", "event=destroy", "--format", "{{.Action}}")


def lines(side, name):
    return side.run(["logs", name]).output.count("\n")


@scenario("the daemon is killed: the container runs on, and is known to the next", r"\Aon same 0 in\n 137\Z",
          engines=("docker",), sample=True)
def _(side):
    name = start(side, program="i=0; while :; do i=$((i+1)); echo $i; echo $i >/tmp/i; sleep 0.01; done")
    until(lambda: lines(side, name) > 2)
    pid = ask(side, name, ".State.Pid")
    side.kill_daemon()
    count = f"/proc/{pid}/root/tmp/i"

    def now():
        with open(count, encoding="utf-8") as file:
            return int(file.read() or 0)
    before = now()
    on = "on" if until(lambda: now() > before + 5) else "stuck"
    side.begin()
    same = "same" if ask(side, name, ".State.Pid") == pid else "other"
    said = side.say("exec", name, "echo", "in")
    side.do("kill", name)
    code = side.do("wait", name)
    remove(side, name)
    return f"{on} {same} {said} {code}"


@scenario("the shim is killed: the container is not said to run", r"\A(exited|dead) gone\Z", engines=("docker",))
def _(side):
    name = start(side)
    identity, pid = ask(side, name, ".Id"), ask(side, name, ".State.Pid")
    reaper = reaper_of(int(pid))
    for shim in table_of_processes(["containerd-shim", identity]):
        os.kill(shim, signal.SIGKILL)
    until(lambda: ask(side, name, ".State.Running") == "false")
    status = ask(side, name, ".State.Status")
    remove(side, name)
    reaper.join()
    return f"{status} {'there' if os.path.exists(f'/proc/{pid}/ns/pid') else 'gone'}"


@scenario("the daemon is killed while it creates: nothing is left", r"\Anothing left\Z", engines=("docker",))
def _(side):
    for pause in (0.1, 0.2, 0.3):
        names = [f"killed{number}" for number in range(3)]
        clients = [subprocess.Popen(side.command(["run", "-d", "--network", "none", "--name", name, side.image, *FOR_EVER]),
                                    env=side.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for name in names]
        time.sleep(pause)
        side.kill_daemon()
        for process in clients:
            process.kill()
            process.wait()
        side.begin()
        remove(side, *names)
    left = until(lambda: not sleepers(side)) or sleepers(side)
    return "nothing left" if left is True else f"left: {left}"


def sleepers(side):
    """Processes of containers of this daemon, and their shims."""
    return [pid for pid in table_of_processes(["^sleep 1000"]) if side.group in cgroups_of(pid)]


def cgroups_of(pid):
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
