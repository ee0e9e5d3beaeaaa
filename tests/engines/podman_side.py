"""podman, as root and as an ordinary user, and what only podman does. See table.py."""

import os
import resource
import shutil
import signal
import subprocess
import time

from engine import cgroups
from manager import MANAGER, PATIENCE, SYSTEMD, USER, as_user, bus_of_user, controllers_of_user
from podman import V1, has_controller
from scenarios import FOR_EVER, ask, reaper_of, remove, run, start, table_of_processes
from table import Failed, Side, scenario, until

IMAGE, PAUSE = "localhost/busybox", "localhost/pause"
CONTROLLERS = ("memory", "cpu", "cpuset", "pids")
FIRST_ID, IDS = 700000, 200000
PODMAN, BOTH = ("podman",), ("podman", "rootless")


def missing():
    return [p for p in ("podman", "conmon") if not shutil.which(p)]


def missing_rootless():
    return [p for p in ("podman", "conmon", "newuidmap", "setpriv") if not shutil.which(p)]


def cover(path, text):
    """A file of the host with another content, for us alone."""
    name = "/run/" + path.replace("/", "_")
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    if os.path.exists(path):
        subprocess.run(["mount", "--bind", name, path], check=True)


class Podman(Side):
    image, build_options, at_once = IMAGE, ["--isolation", "oci", "--network", "none"], ["-t", "0"]

    def __init__(self, column, top, ocirt, archive, kind="podman"):
        super().__init__(kind, column, top)
        self.ocirt, self.known_groups = ocirt, set(cgroups())
        limits = [f'"{name}={hard}:{hard}"' for name, hard in
                  (("nofile", min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
                   ("nproc", min(4096, resource.getrlimit(resource.RLIMIT_NPROC)[1])))]
        configuration = os.path.join(self.top, "containers.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            # Where a systemd is, words would go to its journal, and events are not there.
            file.write(f"[containers]\nlog_driver = \"k8s-file\"\ndefault_ulimits = [{', '.join(limits)}]\n"
                       f"{'' if 'pids' in self.controllers() else 'pids_limit = 0'}\n[engine]\n"
                       'runtime_supports_json = ["crun", "runc", "ocirt"]\n'
                       'runtime_supports_nocgroup = ["crun", "ocirt"]\n'
                       f'infra_image = "{PAUSE}"\n'
                       f'[engine.runtimes]\nocirt = ["{ocirt}"]\n')
        policy = os.path.join(self.top, "policy.json")
        with open(policy, "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment.update(CONTAINERS_CONF=configuration, CONTAINERS_REGISTRIES_CONF=os.devnull)
        on_overlay = subprocess.run(["stat", "-f", "-c", "%T", top], capture_output=True,
                                    text=True).stdout.strip() == "overlayfs"
        self.driver = "vfs" if on_overlay else "overlay"
        self.runroot = f"/run/{self.name}-{column}"  # podman takes 50 characters at most
        self.prepare()
        self.do("import", "-c", "ENV PATH=/bin", archive, IMAGE)
        if kind != "buildah":
            self.do("import", "-c", 'CMD ["/bin/sleep", "1000"]', archive, PAUSE)

    def controllers(self):
        return {name for name in CONTROLLERS if has_controller(name)}

    def prepare(self):
        self.offers = {"root", "freezer", *self.controllers(), *(["systemd"] if SYSTEMD else [])}
        self.offers |= set() if V1 or SYSTEMD else {"report of a kill for want of memory"}
        self.offers |= {"init"} if os.path.exists("/usr/libexec/podman/catatonit") else set()
        self.offers |= {"fuse"} if os.path.exists("/dev/fuse") else set()
        # Where podman 4.3 makes a pod's cgroup of version 2 by itself, it denies all devices in it: with any runtime.
        self.offers |= {"devices in podman's cgroup of a manifest's pod"} if V1 or SYSTEMD else set()
        cover("/etc/subuid", f"containers:{FIRST_ID}:{IDS}\n")
        cover("/etc/subgid", f"containers:{FIRST_ID}:{IDS}\n")

    def command(self, arguments):
        chosen = ["--runtime", "ocirt"] if self.column == "ocirt" else []
        return ["podman", "--root", f"{self.top}/root", "--runroot", self.runroot, "--tmpdir",
                f"{self.runroot}/tmp", "--storage-driver", self.driver, "--cgroup-manager", MANAGER,
                "--events-backend", "file", *chosen, *arguments]

    def stop_engine(self):
        self.run(["pod", "rm", "-fa", "-t", "0"])
        self.run(["rm", "-fa", "-t", "0"])
        self.run(["system", "migrate"])  # ends the process that holds an ordinary user's namespace


class Rootless(Podman):
    """Of a user whom nobody has, known in our mount namespace."""

    def __init__(self, column, top, ocirt, archive):
        super().__init__(column, top, ocirt, archive, "rootless")

    def prepare(self):
        with open("/etc/passwd", encoding="utf-8") as file:
            others = file.read()
        if "ocirt-user:" not in others:
            cover("/etc/passwd", f"{others}ocirt-user:x:{USER}:{USER}::{self.top}:/bin/sh\n")
            with open("/etc/group", encoding="utf-8") as file:
                cover("/etc/group", f"{file.read()}ocirt-user:x:{USER}:\n")
        cover("/etc/subuid", f"ocirt-user:{FIRST_ID}:{IDS}\n")
        cover("/etc/subgid", f"ocirt-user:{FIRST_ID}:{IDS}\n")
        if SYSTEMD:
            where = bus_of_user()
            self.offers = {"systemd", "freezer", *self.controllers()}
        else:
            where = {"XDG_RUNTIME_DIR": f"/run/user/{self.column}"}
            os.makedirs(where["XDG_RUNTIME_DIR"])
        self.runroot = f"{where['XDG_RUNTIME_DIR']}/{self.column}"
        os.makedirs(self.runroot)
        for place in (self.top, where["XDG_RUNTIME_DIR"], self.runroot):
            os.chown(place, USER, USER)
            os.chmod(place, 0o700)
        self.environment = {"HOME": self.top, **where, "TMPDIR": self.top, "PATH": os.environ["PATH"],
                            "CONTAINERS_CONF": self.environment["CONTAINERS_CONF"],
                            "CONTAINERS_REGISTRIES_CONF": os.devnull}
        # The folder of the build may be closed to others.
        for program in filter(os.path.exists, (self.ocirt, f"{self.ocirt}-systemd")):
            shutil.copy(program, self.top)
        with open(self.environment["CONTAINERS_CONF"], "r+", encoding="utf-8") as file:
            text = file.read().replace(f'["{self.ocirt}"]', f'["{self.top}/ocirt"]')
            file.seek(0)
            file.write(text)
            file.truncate()

    def controllers(self):
        return controllers_of_user().intersection(CONTROLLERS)

    def folder(self):
        path = super().folder()
        os.chown(path, USER, USER)
        return path

    def command(self, arguments):
        return as_user(super().command(arguments))


# ---- pods -------------------------------------------------------------------------------------------
def make_pod(side, name):
    # On cgroup v2 podman 4.3 attaches a filter to the pod's cgroup under which no device may be used.
    apart = [] if V1 else ["--share-parent=false"]
    side.do("pod", "create", "--name", name, "--network", "none", "--share", "net,ipc,uts", *apart)


@scenario("a pod: its containers share what they are to share", r"\Ashared stopped gone\Z", engines=BOTH, sample=True)
def _(side):
    make_pod(side, "pod")
    look = ["run", "--rm", "--pod", "pod", IMAGE, "sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/ipc; hostname"]
    first, second = side.do(*look), side.do(*look)
    side.do("run", "-d", "--pod", "pod", "--name", "member", IMAGE, *FOR_EVER)
    side.do("pod", "stop", "-t", "0", "pod")
    stopped = "stopped" if ask(side, "member", ".State.Running") == "false" else "runs"
    side.do("pod", "rm", "-f", "pod")
    return f"{'shared' if first == second and 'pod' in first else first + second} {stopped} " \
           f"{'there' if side.run(['pod', 'exists', 'pod']).status == 0 else 'gone'}"


POD = """apiVersion: v1
kind: Pod
metadata: {name: played}
spec:
  hostNetwork: true
  restartPolicy: Never
  containers:
  - name: one
    image: localhost/busybox:latest
    command: [sh, -c, "echo from the file; exec sleep 1000"]
    env: [{name: A, value: b}]
  - name: two
    image: localhost/busybox:latest
    command: [sh, -c, "exit 5"]
"""


@scenario("kube play and generate kube", r"\A0 from the file\n.*b 5 .*kind: Pod", engines=PODMAN,
          needs=["devices in podman's cgroup of a manifest's pod"])
def _(side):
    path = os.path.join(side.top, "pod.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(POD)
    side.do("kube", "play", path)
    until(lambda: "from" in side.say("logs", "played-one"))
    said = side.say("logs", "played-one") + side.do("exec", "played-one", "sh", "-c", "echo $A")
    said += " " + side.do("wait", "played-two") + " " + side.do("generate", "kube", "played")
    side.do("kube", "down", path)
    return said


# ---- what podman offers -----------------------------------------------------------------------------
@scenario("healthcheck run", r"\A0 1 unhealthy|\A0 1 starting", engines=BOTH)
def _(side):
    name = start(side, "--health-cmd", "test -e /tmp", "--health-interval", "disable", "--health-retries", "1")
    first = side.run(["healthcheck", "run", name]).status
    side.do("exec", name, "rm", "-r", "/tmp")
    second = side.run(["healthcheck", "run", name]).status
    said = f"{first} {second} {ask(side, name, '.State.Health.Status')}"
    remove(side, name)
    return said


@scenario("a secret as a file and as a variable", r"\A0 hidden hidden 400", engines=BOTH)
def _(side):
    side.do("secret", "create", "word", "-", text="hidden")
    said = run(side, "--secret", "word,mode=0400", "--secret", "word,type=env,target=WORD",
               program="echo $(cat /run/secrets/word) $WORD $(stat -c %a /run/secrets/word)")
    side.do("secret", "rm", "word")
    return said


@scenario("a user namespace by numbers", r"\A0 +0 +700000 +5000\n0 0\n", engines=PODMAN, sample=True)
def _(side):
    return run(side, "--uidmap", "0:700000:5000", "--gidmap", "0:700000:5000",
               program="cat /proc/self/uid_map; touch /new; stat -c '%u %g' /new")


@scenario("--userns=auto", r"\A0 +0 +7\d{5} +\d+\n", engines=PODMAN)
def _(side):
    return run(side, "--userns", "auto", program="cat /proc/self/uid_map")


@scenario("--userns=keep-id: the user's own id", rf"\A0 {USER} {USER}\n", engines=("rootless",), sample=True)
def _(side):
    volume = side.folder()
    said = run(side, "--userns", "keep-id", "-v", f"{volume}:/vol", program="id -u; touch /vol/mine")
    made = os.path.join(volume, "mine")
    return f"{said.strip()} {os.stat(made).st_uid if os.path.exists(made) else 'nothing'}\n"


@scenario("an ordinary user is root inside and has more ids", r"\A0 0\n +0 +543211 +1\n +1 +700000 +200000\n.*405",
          engines=("rootless",), sample=True)
def _(side):
    return run(side, program="id -u; cat /proc/self/uid_map; touch /tmp/x; chown 405 /tmp/x; stat -c %u /tmp/x")


@scenario("--cgroups=disabled: no group is made", r"\A0 none\n\Z", engines=BOTH)
def _(side):
    return run(side, "--cgroups", "disabled", program="grep -q libpod /proc/self/cgroup || echo none")


@scenario("--systemd=always: what a systemd inside needs", r"\A0 tmpfs\ntmpfs\ntmpfs\n(.*\n)*37 signal\n", engines=PODMAN)
def _(side):
    said = run(side, "--systemd", "always", program="for d in /run /run/lock /tmp; do grep \" $d tmpfs\" /proc/self/mounts | "
               "cut -d' ' -f3 | head -n 1; done")
    name = start(side, "--systemd", "always", program="trap 'exit 37' 37; while :; do sleep 0.05; done")
    side.do("stop", "-t", "10", name)
    said += f"{ask(side, name, '.State.ExitCode')} signal\n"
    remove(side, name)
    return said


@scenario("descriptors that are kept", r"\A0 through 3\n", engines=PODMAN)
def _(side):
    file = os.path.join(side.top, side.fresh())
    with open(file, "w", encoding="utf-8") as out:
        out.write("through 3\n")
    words = side.command(["run", "--rm", "--network", "none", "--preserve-fds", "1", IMAGE, "sh", "-c", "cat <&3"])
    done = subprocess.run(["sh", "-c", 'exec 3<"$0"; exec "$@"', file, *words], env=side.environment, cwd=side.top,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return f"{done.returncode} {done.stdout}{done.stderr}"


@scenario("attach to one that runs", r"\A0 later\n", engines=BOTH)
def _(side):
    name = start(side, program="while [ ! -e /go ]; do sleep 0.05; done; echo later")
    process = subprocess.Popen(side.command(["attach", name]), env=side.environment, stdout=subprocess.PIPE, cwd=side.top,
                               stdin=subprocess.DEVNULL, text=True)
    time.sleep(0.5 * PATIENCE)  # until it is attached nobody says that it is
    side.do("exec", name, "touch", "/go")
    said = f"{process.wait(20 * PATIENCE)} {process.stdout.read()}"
    remove(side, name)
    return said


@scenario("of all these containers no cgroup is left", r"\Anone\Z", engines=BOTH)
def _(side):
    def left():
        return " ".join(path for path in cgroups() if "/libpod-" in path and path not in side.known_groups)
    until(lambda: not left())  # a conmon may still be about to end
    return left() or "none"


# ---- what is killed ---------------------------------------------------------------------------------
@scenario("conmon is killed: the container can be removed, and is gone", r"\A0 .*\ngone\Z", engines=BOTH)
def _(side):
    name = start(side)
    pid = ask(side, name, ".State.Pid")
    reaper = reaper_of(int(pid))  # podman takes a zombie for one that lives
    for monitor in table_of_processes(["^/usr/bin/conmon", side.do("inspect", "--format", "{{.Id}}", name)]):
        os.kill(monitor, signal.SIGKILL)
    # podman 4.3 waits in vain for conmon's word the first time.
    if (first := side.run(["rm", "-f", "-t", "0", name])).status == 0:
        said = f"0 {first.output}"
    else:
        said = side.say("rm", "-f", "-t", "0", name)
    reaper.join()
    return f"{said.strip()}\n{'there' if os.path.exists(f'/proc/{pid}/ns/pid') else 'gone'}"


@scenario("podman is killed while it creates: what is left can be removed", r"\A0 0 left\Z", engines=BOTH)
def _(side):
    for number in range(8):
        process = subprocess.Popen(side.command(["run", "-d", "--network", "none", "--name", f"killed{number}", IMAGE,
                                                 "sleep", "1234"]), env=side.environment, stdin=subprocess.DEVNULL,
                                   cwd=side.top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep((0.05 + 0.05 * number) * PATIENCE)
        process.kill()
        process.wait()
    removed = side.run(["rm", "-fa", "-t", "0"])
    until(lambda: not table_of_processes(["^sleep 1234"]))
    left = len(table_of_processes(["^sleep 1234"])) + len(side.do("ps", "-aq").split())
    return f"{removed.status} {left} left" + (f": {removed.errors}" if removed.status else "")
