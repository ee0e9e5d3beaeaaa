"""Pods through CRI, as the kubelet makes them: containerd's CRI plugin, its pause container, and ocirt's shim.

The messages of CRI that are needed are written by hand: no package has them for Python.
"""

import json
import os
import re
import subprocess
import time

import shim
from containerd import with_engine
from engine import make_image
from manager import SYSTEMD, path_of_groups
from podman import has_controller

PAUSE = "localhost/pause:latest"
IMAGE = "localhost/busybox:latest"
PYTHON = "/usr/bin/python3"
NODE = 2  # NamespaceMode: the host's network needs no plugins
STATES = ("created", "running", "exited")


# ---- messages ---------------------------------------------------------------------------------------
def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def message(*fields):
    """Of (number, value): int, str, bytes (a message), or a list of these."""
    out = b""
    for number, value in fields:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                out += varint(number << 3) + varint(one)
            else:
                data = one.encode() if isinstance(one, str) else one
                out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def fields_of(data):
    """The last value of each field; those of fixed length do not occur."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        else:
            length = number()
            found[key >> 3] = data[at:at + length]
            at += length
    return found


class CriError(Exception):
    pass


class Cri:
    def __init__(self, address, log):
        self.log = log
        self.proxy = subprocess.Popen([PYTHON, os.path.join(os.path.dirname(__file__), "cri_proxy.py"), address],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, method, *fields):
        self.proxy.stdin.write(f"{method} {message(*fields).hex()}\n")
        self.proxy.stdin.flush()
        word, _, rest = self.proxy.stdout.readline().strip().partition(" ")
        if word != "ok":
            raise CriError(f"{method}: {rest}")
        return fields_of(bytes.fromhex(rest))

    def sandbox(self, name, handler, cgroup):
        namespaces = message((1, message((1, NODE))))
        config = message((1, message((1, name), (2, f"uid-{name}"), (3, "default"))), (3, self.log),
                         (8, message((1, cgroup), (2, namespaces))))
        return self.call("RunPodSandbox", (1, config), (2, handler))[1].decode(), config

    def container(self, sandbox, config, name, command, memory=0, namespaces=message((1, NODE))):
        security = message((3, namespaces))
        linux = message((1, message((4, memory))), (2, security)) if memory else message((2, security))
        return self.call("CreateContainer", (1, sandbox), (2, message(
            (1, message((1, name))), (2, message((1, IMAGE))), (3, command), (11, f"{name}.log"),
            (15, linux))), (3, config))[1].decode()

    def start(self, container):
        self.call("StartContainer", (1, container))

    def status(self, container):
        status = fields_of(self.call("ContainerStatus", (1, container))[1])
        return STATES[status.get(3, 0)], status.get(7, 0), status.get(10, b"").decode()

    def ends(self, container):
        shim.until(lambda: self.status(container)[0] == "exited")
        return self.status(container)

    def execute(self, container, *command):
        answer = self.call("ExecSync", (1, container), (2, list(command)), (3, 20))
        return answer.get(1, b"").decode(), answer.get(3, 0)

    def text_of_log(self, name):
        with open(os.path.join(self.log, f"{name}.log"), encoding="utf-8") as file:
            return file.read()

    def close(self):
        self.proxy.stdin.close()
        self.proxy.wait()


# ---- an engine with the plugin ----------------------------------------------------------------------
class CriContainerd(shim.ShimContainerd):
    alias = ""  # its configuration asks

    def configure(self):
        plugin = 'plugins."io.containerd.grpc.v1.cri"'
        return (f'version = 2\nroot = "{self.top}/root"\nstate = "{self.top}/state"\n'
                f'[grpc]\n  address = "{self.address}"\n'
                f'[{plugin}]\n  sandbox_image = "{PAUSE}"\n  restrict_oom_score_adj = true\n'
                f'[{plugin}.cni]\n  conf_dir = "{self.top}/cni"\n'
                f'[{plugin}.containerd]\n  default_runtime_name = "by-name"\n'
                f'[{plugin}.containerd.runtimes.by-path]\n  runtime_type = "io.containerd.runc.v2"\n'
                f'  runtime_path = "{self.shim}"\n'
                f'[{plugin}.containerd.runtimes.by-name]\n  runtime_type = "io.containerd.ocirt.v2"\n'
                f'[{plugin}.containerd.runtimes.by-name.options]\n  NoNewKeyring = true\n'
                f'  SystemdCgroup = {str(SYSTEMD).lower()}\n')

    @property
    def protocol(self):
        return 3 if self.name >= "cri-2" else 2

    def begin(self):
        self.environment["PATH"] = f"{os.path.dirname(self.shim)}:{os.environ['PATH']}"
        super().begin()


def check_pod(engine, cri, handler):
    def expect(name, passed, detail=""):
        engine.expect(f"{handler}: {name}", passed, detail)

    sandbox, config = cri.sandbox(f"pod-{handler}", handler, path_of_groups(engine.group) if SYSTEMD else f"/{engine.group}/own")
    shims = engine.shims()
    expect("a sandbox has one shim", len(shims) == 1, shims)
    version = bootstrap_version(engine, sandbox)
    expect("daemon and shim speak the newest protocol that both know", version in (None, engine.protocol), version)
    app = cri.container(sandbox, config, "app", ["sh", "-c", "echo hello; echo oops >&2; exec sleep 1000"])
    cri.start(app)
    job = cri.container(sandbox, config, "job", ["sh", "-c", "exit 7"])
    cri.start(job)
    expect("its containers are in the same one", engine.shims() == shims, engine.shims())
    expect("a container runs", cri.status(app)[0] == "running", cri.status(app))
    expect("the status of one that ends", cri.ends(job)[:2] == ("exited", 7), cri.status(job))
    expect("exec", cri.execute(app, "sh", "-c", "echo inside; exit 3") == ("inside\n", 3))
    try:
        cri.start(cri.container(sandbox, config, "missing", ["/no/such/program"]))
        expect("a program that is not there is refused", False)
    except CriError as error:
        expect("a program that is not there is refused", "no such file" in str(error).lower(), error)
    shim.until(lambda: "oops" in cri.text_of_log("app"))
    expect("the log of a container", re.search(r"^\S+Z? ?\S* stdout F hello$", cri.text_of_log("app"), re.M) and
           "stderr F oops" in cri.text_of_log("app"), cri.text_of_log("app"))
    if has_controller("memory"):
        oom = cri.container(sandbox, config, "oom", ["sh", "-c", "sleep 0.2; tail /dev/zero"], 16 << 20)
        cri.start(oom)
        expect("out of memory is the reason", cri.ends(oom) == ("exited", 137, "OOMKilled"), cri.status(oom))
        stats = fields_of(cri.call("ContainerStats", (1, app))[1])
        expect("statistics have memory and processor time", 2 in stats and 3 in stats, stats)
    engine.kill_daemon()
    engine.begin()
    expect("the daemon comes back", engine.is_up() and shim.until(lambda: reachable(cri)), engine.why_not())
    expect("and knows container and sandbox", cri.status(app)[0] == "running" and cri.status(job)[1] == 7 and
           engine.shims() == shims, cri.status(app))
    expect("exec works again", cri.execute(app, "echo", "again") == ("again\n", 0))
    # Not the first process of its pid namespace: that is the pause container's.
    cri.call("StopContainer", (1, app), (2, 10))
    expect("a container that is stopped", cri.status(app)[:2] == ("exited", 143), cri.status(app))
    cri.call("StopPodSandbox", (1, sandbox))
    cri.call("RemovePodSandbox", (1, sandbox))
    expect("the shim ends with the pod", shim.until(lambda: not engine.shims()), engine.shims())


def bootstrap_version(engine, sandbox):
    """What containerd 2 keeps of the shim's answer to its start."""
    path = f"{engine.top}/state/io.containerd.runtime.v2.task/k8s.io/{sandbox}/bootstrap.json"
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)["version"]


def reachable(cri):
    try:
        cri.call("Version")
        return True
    except CriError:
        time.sleep(0.1)
        return False


def check_all(tap, top, program, archive, namespace, name, programs=""):
    if subprocess.run([PYTHON, "-c", "import grpc"], stderr=subprocess.DEVNULL).returncode:
        tap.skip(name, "python3-grpcio is not installed (make deps)")
        return
    if not has_controller("cpu"):
        tap.skip(name, "no cpu controller in these cgroups, and CRI's pause container has shares")
        return
    pause = os.path.join(top, f"{name}-pause.tar")
    make_image(archive, pause, PAUSE, ["sleep", "100000"])

    def scenarios(engine):
        engine.check("the image of the pause container", ["images", "import", pause])
        logs = os.path.join(engine.top, "logs")
        os.mkdir(logs)
        cri = Cri(engine.address, logs)
        try:
            # containerd 1.6 overlooks runtime_path.
            for handler in ("by-path", "by-name") if programs else ("by-name",):
                try:
                    check_pod(engine, cri, handler)
                except CriError as error:
                    engine.expect(f"{handler}: a pod through CRI", False, error)
        finally:
            cri.close()
        shim.check_nothing_left(engine)
    engine_namespace = "k8s.io"
    with_engine(tap, top, archive, lambda: CriContainerd(tap, top, program, namespace, name, programs,
                                                         engine_namespace), name, scenarios)
