"""containerd with ocirt's own shim, containerd-shim-ocirt-v2: no runtime is executed. See engine.py.

What a runtime under another shim cannot show: the life and death of the shim, the daemon's events, the
streams, several containers in one process, restarts.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

import containerd
from containerd import REFERENCE, Containerd
from engine import SECONDS, descendants
from manager import PATIENCE, SYSTEMD, units_left
from podman import has_controller

SLEEP = ["sleep", "1000"]
INPUT = b"x" * 300000
DIGEST = hashlib.md5(INPUT).hexdigest()


def until(holds, seconds=60):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        if value := holds():
            return value
        time.sleep(0.02)
    return None


class ShimContainerd(Containerd):
    """`programs`: where containerd and ctr are, when not in PATH."""

    # ctr asks for systemd's cgroups of the runtime of containerd only: there ours has its name.
    alias = "containerd-shim-runc-v2" if SYSTEMD else ""

    def __init__(self, tap, top, shim, namespace, name="containerd-shim", programs="", containerd_namespace=None):
        self.programs, self.shim = programs, shim
        super().__init__(tap, top, shim, containerd_namespace or namespace, name)
        self.group = namespace
        self.known = set(files_of_shims(self))  # where systemd is, /run is that of all engines
        self.options = [*([] if self.alias else ["--runtime", shim]), *self.options[2:]]

    def begin(self):
        if self.alias and os.path.dirname(self.shim) != self.top:
            named = os.path.join(self.top, self.alias)
            os.symlink(self.shim, named)
            self.shim = named
            self.environment["PATH"] = f"{self.top}:{os.environ['PATH']}"
        super().begin()

    def check(self, name, arguments, output="", called=None, **more):
        return super().check(name, arguments, output, called=None, **more)

    def expect(self, name, passed, detail=""):
        self.tap.ok(f"{self.name}: {name}", bool(passed), str(detail))

    def shims(self):
        """The processes that are shims of ours, without their workers."""
        found = []
        for pid in descendants(os.getpid()):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                if words[0].decode() == self.shim and words[-2] == b"start" and \
                        parent_of(pid) in (os.getpid(), 1):
                    found.append(pid)
            except (OSError, IndexError):
                pass
        return found

    def task(self, name):
        """The state of a task, or None."""
        listed = re.search(rf"^{name} +(\d+) +(\w+)", self.run(["task", "ls"]).output, re.M)
        return listed.group(2) if listed else None

    def pid(self, name):
        listed = re.search(rf"^{name} +(\d+) ", self.run(["task", "ls"]).output, re.M)
        return int(listed.group(1)) if listed else 0

    def remove(self, name):
        self.run(["task", "delete", "--force", name])
        self.run(["container", "delete", name])

    def run_detached(self, name, program, *options):
        outcome = self.run(["run", "--detach", *self.options, *options, REFERENCE, name, *program])
        if outcome.status != 0:
            self.expect(f"{name} is started", False, outcome.errors)
        return outcome.status == 0

    def kill_daemon(self, number=signal.SIGKILL):
        self.daemon.send_signal(number)
        self.daemon.wait()


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


class Events:
    """What `ctr events` says while this is open."""

    def __init__(self, engine):
        self.file = tempfile.TemporaryFile(mode="a+", dir=engine.top)
        self.process = subprocess.Popen(engine.command(["events"]), stdout=self.file, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.STDOUT)
        # Until one has come, nothing says that it has subscribed.
        until(lambda: self.is_told(engine))

    def is_told(self, engine):
        for verb in ("create", "remove"):
            engine.run(["namespaces", verb, "heard"])
        self.file.seek(0)
        return "/namespaces/" in self.file.read()

    def of(self, name):
        """The topics of a container with the process that they are about."""
        self.file.seek(0)
        found = []
        for line in self.file:
            match = re.search(r" (/tasks/\S+) (\{.*\})$", line)
            if not match:
                continue
            event = json.loads(match.group(2))
            if event.get("container_id") == name:
                which = event.get("exec_id") or event.get("id") or name
                found.append(f"{match.group(1)[7:]} {which}".replace(f" {name}", ""))
        return found

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.file.close()


# ---- streams ----------------------------------------------------------------------------------------
def check_streams(engine):
    process = subprocess.Popen(engine.command(["run", "--rm", *engine.options, REFERENCE, "in", "sh", "-c",
                                               "echo ready; md5sum; echo end"]),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    first = process.stdout.readline()
    try:
        # Not before: ctr forgets an input that ends before the container runs.
        output = process.communicate(INPUT, timeout=SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        output = b"no end of input was seen"
    engine.expect("the input of a container ends with that of its client",
                  first == b"ready\n" and output.decode() == f"{DIGEST}  -\nend\n", output)

    with tempfile.TemporaryFile(dir=engine.top) as file:
        status = subprocess.run(engine.command(["run", "--rm", *engine.options, REFERENCE, "out", "head", "-c",
                                                "104857600", "/dev/zero"]), stdout=file, timeout=SECONDS,
                                stdin=subprocess.DEVNULL).returncode
        engine.expect("100 MB of output arrive, and no byte less",
                      status == 0 and os.fstat(file.fileno()).st_size == 104857600,
                      f"status {status}, {os.fstat(file.fileno()).st_size} bytes")


# ---- exits, exec, events ----------------------------------------------------------------------------
def check_order(engine):
    events = Events(engine)
    # The last one ends while the exec still starts.
    engine.run(["run", "--rm", *engine.options, REFERENCE, "short", "true"])
    short = ["create", "start", "exit", "delete"]
    until(lambda: len(events.of("short")) >= 4)
    engine.expect("a container that ends at once: its events come in order, each once",
                  events.of("short") == short, events.of("short"))
    engine.run_detached("init", ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.05; done"])
    engine.run(["task", "exec", "--detach", "--exec-id", "e1", "init", *SLEEP])
    engine.run(["task", "kill", "-s", "TERM", "init"])
    wanted = ["create", "start", "exec-added e1", "exec-started e1", "exit e1", "exit"]
    until(lambda: len(events.of("init")) >= len(wanted))
    engine.expect("the end of a container is told after that of all its processes",
                  events.of("init") == wanted, events.of("init"))
    engine.check("the status of its program is kept", ["task", "delete", "init"], errors="exit code 9")
    engine.run(["container", "delete", "init"])
    events.close()


def check_many_execs(engine):
    engine.run_detached("many", SLEEP)
    outcomes = {}

    def execute(number):
        outcomes[number] = engine.run(["task", "exec", "--exec-id", f"m{number}", "many", "sh", "-c",
                                       f"echo {number}; exit {number}"])
    threads = [threading.Thread(target=execute, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = [f"{n}: {o.status} {o.output} {o.errors}" for n, o in sorted(outcomes.items())
             if o.status != n or o.output != f"{n}\n"]
    engine.expect("20 processes of exec at once: output and status of each", not wrong, "\n".join(wrong))
    engine.run(["task", "kill", "-s", "KILL", "many"])
    until(lambda: engine.task("many") == "STOPPED")
    engine.check("a killed container has the status 137", ["task", "delete", "many"], errors="exit code 137")
    engine.run(["container", "delete", "many"])


def check_fifty(engine):
    names = [f"fifty{number}" for number in range(50)]
    outcomes = {}

    def start(name):
        outcomes[name] = engine.run(["run", "--detach", *engine.options, REFERENCE, name, *SLEEP])
    threads = [threading.Thread(target=start, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrong = [f"{name}: {outcome.status} {outcome.errors}" for name, outcome in outcomes.items() if outcome.status]
    engine.expect("50 containers that are started at once all run",
                  not wrong and all(engine.task(name) == "RUNNING" for name in names), "\n".join(wrong))
    threads = [threading.Thread(target=engine.remove, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.expect("and are removed at once, and no shim of theirs is left",
                  until(lambda: not engine.shims()) and not any(engine.task(name) for name in names), engine.shims())


def check_memory_kill(engine):
    if not has_controller("memory"):
        engine.tap.skip(f"{engine.name}: out of memory", "no memory controller in these cgroups")
        return
    events = Events(engine)
    engine.run_detached("oom", ["sh", "-c", "sleep 0.2; tail /dev/zero"], "--memory-limit", "16777216")
    until(lambda: "exit" in events.of("oom"))
    told = events.of("oom")
    engine.expect("a kill for want of memory is told once, and before the end",
                  told == ["create", "start", "oom", "exit"], told)
    engine.check("its status is that of a kill", ["task", "delete", "oom"], errors="exit code 137")
    engine.run(["container", "delete", "oom"])
    events.close()


# ---- the shim ---------------------------------------------------------------------------------------
def check_group(engine):
    group = ["--annotation", "io.containerd.runc.v2.group=pod"]
    names = ["pod", "app1", "app2", "app3"]
    for name in names:
        engine.run_detached(name, SLEEP, *group)
    shims = engine.shims()
    engine.expect("four containers of a group have one shim", len(shims) == 1, shims)
    if shims:
        with open(f"/proc/{shims[0]}/smaps_rollup", encoding="utf-8") as file:
            dirty = int(re.search(r"Private_Dirty: +(\d+)", file.read()).group(1))
        engine.expect("which has at most 500 KiB of its own, in one thread",
                      dirty <= 500 and len(os.listdir(f"/proc/{shims[0]}/task")) == 1, f"{dirty} KiB")
        print(f"# {engine.name}: {dirty} KiB private for four containers")
        with open(f"/proc/{shims[0]}/oom_score_adj", encoding="utf-8") as ours, \
             open(f"/proc/{engine.daemon.pid}/oom_score_adj", encoding="utf-8") as theirs:
            engine.expect("and goes before its daemon when memory is short",
                          int(ours.read()) == int(theirs.read()) + 1)
    engine.remove("app1")
    engine.expect("the end of one is not that of the others",
                  engine.shims() == shims and engine.task("app2") == "RUNNING")
    for name in ("app2", "app3", "pod"):
        engine.remove(name)
    engine.expect("the shim ends with the last of them", until(lambda: not engine.shims()), engine.shims())


def check_killed_shim(engine):
    engine.run_detached("orphan", SLEEP)
    pid, shims = engine.pid("orphan"), engine.shims()
    engine.expect("a container has a shim", len(shims) == 1 and pid, shims)
    for shim in shims:
        os.kill(shim, signal.SIGKILL)
    engine.expect("a container whose shim was killed is taken away",
                  until(lambda: gone(pid) and engine.task("orphan") is None), engine.task("orphan"))
    engine.run(["container", "delete", "orphan"])
    engine.run_detached("orphan", SLEEP)
    engine.expect("and may be run again", engine.task("orphan") == "RUNNING")
    for shim in engine.shims():
        os.kill(shim, signal.SIGTERM)
    pid = engine.pid("orphan")
    engine.expect("a shim that is asked to end takes its containers with it",
                  until(lambda: gone(pid) and not engine.shims() and engine.task("orphan") is None))
    engine.run(["container", "delete", "orphan"])


def check_restart(engine):
    directory = os.path.join(engine.top, "ticks")
    os.mkdir(directory)
    engine.run_detached("ticks", ["sh", "-c", "i=0; while :; do i=$((i+1)); echo tick $i; echo $i >/vol/i; "
                                  "sleep 0.01; done"],
                        "--mount", f"type=bind,src={directory},dst=/vol,options=rbind:rw")

    def ticks():
        try:
            with open(os.path.join(directory, "i"), encoding="utf-8") as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0
    pid = engine.pid("ticks")
    engine.kill_daemon()
    before = ticks()
    engine.expect("a container prints on while the daemon is dead", until(lambda: ticks() > before + 20))
    engine.begin()
    engine.expect("the daemon comes back", engine.is_up(), engine.why_not())
    engine.expect("and finds the container, running", engine.task("ticks") == "RUNNING" and
                  engine.pid("ticks") == pid, engine.run(["task", "ls"]).output)
    engine.check("exec works", ["task", "exec", "--exec-id", "e", "ticks", "echo", "here"], r"\Ahere\n\Z")
    events = Events(engine)
    engine.run(["task", "kill", "-s", "KILL", "ticks"])
    until(lambda: "exit" in events.of("ticks"))
    engine.expect("its end is told to the new daemon, once", events.of("ticks") == ["exit"],
                  events.of("ticks"))
    events.close()
    engine.check("its status is known", ["task", "delete", "ticks"], errors="exit code 137")
    engine.run(["container", "delete", "ticks"])


def check_daemon_killed_during_create(engine):
    for pause in (0.02, 0.05, 0.1):
        starting = [subprocess.Popen(engine.command(["run", "--detach", *engine.options, REFERENCE,
                                                     f"k{number}", *SLEEP]), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for number in range(4)]
        time.sleep(pause)
        engine.kill_daemon()
        for process in starting:
            process.kill()
            process.wait()
        engine.begin()
        if not engine.is_up():
            engine.expect("the daemon comes back", False, engine.why_not())
            return
        for number in range(4):
            engine.remove(f"k{number}")
    engine.expect("a daemon that is killed while it creates leaves no shim", until(lambda: not engine.shims(), 40),
                  engine.shims())


def files_of_shims(engine):
    return [os.path.join(path, name) for path in ("/run/containerd/s", f"/run/containerd/ocirt/{engine.namespace}")
            if os.path.isdir(path) for name in os.listdir(path)]


def check_nothing_left(engine):
    left = [f"process {pid}" for pid in engine.shims()]
    left += [path for path in files_of_shims(engine) if path not in engine.known]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        left += [line.split()[4] for line in file if f"{engine.top}/state" in line]
    # But for the parent of a cgroup by path, which may be somebody else's.
    left += [base for base, _, _ in os.walk("/sys/fs/cgroup")
             if f"/{engine.group}/" in base and not base.endswith("/own")] + units_left()
    engine.expect("no process, socket, record, mount or cgroup is left", not left, "\n".join(left))


def check_about(engine):
    version = subprocess.run([engine.shim, "-v"], capture_output=True, text=True)
    engine.expect("-v says the version", re.fullmatch(rf".*{os.path.basename(engine.shim)}:\n  Version:  \d.*\n"
                                                      r"  Revision: .*\n  Go version: .*\n\n", version.stdout),
                  version.stdout + version.stderr)
    info = subprocess.run([engine.shim, "-info"], capture_output=True, input=b"")
    engine.expect("-info says name and features", info.stdout.startswith(b"\n\x16io.containerd.ocirt.v2") and
                  b'"ociVersionMin"' in info.stdout, info.stdout[:200])
    wrong = subprocess.run([engine.shim, "-namespace", "n", "-id", "x", "stop"], capture_output=True, text=True)
    engine.expect("what is not understood is one line and the status 1", wrong.returncode == 1 and
                  not wrong.stdout and wrong.stderr == 'ocirt-shim: unknown action "stop", expected start or '
                  'delete\n', wrong.stderr)


def check_all(tap, top, shim, archive, namespace, name="containerd-shim", programs=""):
    def scenarios(engine):
        check_about(engine)
        containerd.check_run(engine)
        containerd.check_limits(engine)
        containerd.check_task(engine)
        for check in (check_streams, check_order, check_many_execs, check_fifty, check_memory_kill, check_group,
                      check_killed_shim, check_restart, check_daemon_killed_during_create,
                      check_nothing_left):
            check(engine)
    containerd.with_engine(tap, top, archive, lambda: ShimContainerd(tap, top, shim, namespace, name, programs),
                           name, scenarios)
