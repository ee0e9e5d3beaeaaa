"""Pods whose sandbox containerd leaves to ocirt's shim (`sandboxer = "shim"`): no pause container.

Through CRI with containerd 1.7, where it is behind a variable of the environment. containerd 2.1.9 ends by a
nil pointer of its own when its CRI plugin does this, before it starts a shim; there the same controller is asked by
containerd's own API, and ctr puts containers into the sandbox.
"""

import os
import re
import subprocess

import shim
from containerd import REFERENCE, with_engine
from cri import NODE, PYTHON, Cri, CriContainerd, CriError, fields_of, message, reachable
from engine import descendants

POD, CONTAINER = 0, 1
PLUGINS = "/usr/lib/cni"
NETWORK = """{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
 "ranges": [[{"subnet": "10.88.7.0/24"}]], "dataDir": "%s/ipam"}}]}"""
SLEEP = "exec sleep 1000"


# A user namespace, of 65536 ids from 100000 on.
IDS = message((1, 100000), (2, 0), (3, 65536))
USERS = message((1, POD), (2, IDS), (3, IDS))


def pod_config(log, name, cgroup, network, pids, sysctls=(), users=None):
    options = [(1, network), (2, pids), (3, POD)] + ([(5, users)] if users is not None else [])
    return message((1, message((1, name), (2, f"uid-{name}"), (3, "default"))), (2, "box"), (3, log),
                   (4, message((1, ["10.0.0.10", "10.0.0.11"]), (2, ["svc.local", "local"]), (3, ["ndots:5"]))),
                   (8, message((1, cgroup), (2, message((1, message(*options)))),
                               (3, [message((1, key), (2, value)) for key, value in sysctls]))))


class SandboxedContainerd(CriContainerd):
    """In a network of its own, which outlives it: CNI makes links beside it."""

    def configure(self):
        plugin = 'plugins."io.containerd.grpc.v1.cri"'
        os.makedirs(os.path.join(self.top, "cni"), exist_ok=True)
        with open(os.path.join(self.top, "cni", "pods.conflist"), "w", encoding="utf-8") as file:
            file.write(NETWORK % self.top)
        self.network = os.path.join(self.top, "host-network")
        with open(self.network, "w", encoding="utf-8"):
            pass
        subprocess.run(["unshare", f"--net={self.network}", "ip", "link", "set", "lo", "up"], check=True)
        self.environment.update(ENABLE_CRI_SANDBOXES="1")
        return (f'version = 2\nroot = "{self.top}/root"\nstate = "{self.top}/state"\n'
                f'[grpc]\n  address = "{self.address}"\n'
                f'[{plugin}]\n  restrict_oom_score_adj = true\n'
                f'[{plugin}.cni]\n  bin_dir = "{PLUGINS}"\n  conf_dir = "{self.top}/cni"\n'
                f'[{plugin}.containerd]\n  default_runtime_name = "ocirt"\n'
                f'[{plugin}.containerd.runtimes.ocirt]\n  runtime_type = "io.containerd.ocirt.v2"\n'
                '  sandbox_mode = "shim"\n')

    def begin(self):
        programs = self.programs
        self.programs = os.path.join(self.top, "bin")
        os.makedirs(self.programs, exist_ok=True)
        for name in ("containerd", "ctr"):
            with open(os.path.join(self.programs, name), "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\nexec nsenter --net={self.network} {programs}/{name} "$@"\n')
            os.chmod(file.name, 0o755)
        super().begin()
        self.programs = programs


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def sandbox_pid(engine, cri, sandbox):
    """CRI does not say it; the containers' configuration does."""
    directory = f"{engine.top}/state/io.containerd.runtime.v2.task/k8s.io"
    for name in os.listdir(directory):
        path = os.path.join(directory, name, "config.json")
        if not os.path.exists(path):  # the sandbox's own
            continue
        with open(path, encoding="utf-8") as file:
            if found := re.search(r'"/proc/(\d+)/ns/ipc"', file.read()):
                return int(found.group(1))
    return 0


def children(pid):
    """Of a process, without those that end just now."""
    found = []
    for child in descendants(pid):
        if not shim.gone(child):
            found.append(child)
    return found


def check_pod(engine, cri):
    def expect(name, passed, detail=""):
        engine.expect(name, passed, detail)

    config = pod_config(cri.log, "pod", f"/{engine.group}/own", POD, CONTAINER,
                        [("net.ipv4.ip_unprivileged_port_start", "80"), ("kernel.shm_rmid_forced", "1")])
    sandbox = cri.call("RunPodSandbox", (1, config), (2, "ocirt"))[1].decode()
    shims = engine.shims()
    expect("a sandbox is one process, the shim", len(shims) == 1 and not children(shims[0]),
           [shims, [children(pid) for pid in shims]])
    own = message((1, POD), (2, CONTAINER))
    program = ("hostname; grep -v '^#' /etc/resolv.conf; cat /proc/sys/net/ipv4/ip_unprivileged_port_start "
               "/proc/sys/kernel/shm_rmid_forced; ip -o -4 address show eth0 | wc -l; echo there >/dev/shm/said; ")
    app = cri.container(sandbox, config, "app", ["sh", "-c", program + SLEEP], namespaces=own)
    cri.start(app)
    other = cri.container(sandbox, config, "other", ["sh", "-c", "cat /dev/shm/said /etc/hostname; " + SLEEP],
                          namespaces=own)
    cri.start(other)
    wanted = ["box", "search svc.local local", "nameserver 10.0.0.10", "nameserver 10.0.0.11", "options ndots:5", "80",
              "1", "1"]
    words = lambda name: re.findall(r" stdout F (.*)", cri.text_of_log(name))
    shim.until(lambda: len(words("app")) >= len(wanted) and len(words("other")) >= 2)
    expect("containers have the pod's name, names, network and parameters", words("app") == wanted, words("app"))
    expect("and its /dev/shm and files", words("other") == ["there", "box"], words("other"))
    first, second = children(shims[0])[:2] if len(children(shims[0])) == 2 else (0, 0)
    holder = sandbox_pid(engine, cri, sandbox)
    expect("they are the only processes", first and engine.shims() == shims, children(shims[0]))
    if first:
        shared = [kind for kind in ("net", "ipc", "uts") if namespace(first, kind) == namespace(second, kind) ==
                  namespace(holder, kind) != namespace(shims[0], kind)]
        expect("they share network, ipc and uts namespaces, in which the shim is not", shared == ["net", "ipc", "uts"],
               shared)
        expect("not that of pids", namespace(first, "pid") != namespace(second, "pid"))
    expect("exec", cri.execute(app, "sh", "-c", "hostname; exit 3") == ("box\n", 3))
    job = cri.container(sandbox, config, "job", ["sh", "-c", "exit 7"], namespaces=own)
    cri.start(job)
    expect("the status of one that ends", cri.ends(job)[:2] == ("exited", 7), cri.status(job))

    engine.kill_daemon()
    engine.begin()
    expect("the daemon comes back", engine.is_up() and shim.until(lambda: reachable(cri)), engine.why_not())
    status = fields_of(cri.call("PodSandboxStatus", (1, sandbox))[1])
    expect("finds the sandbox ready, and its containers", status.get(3, 0) == 0 and engine.shims() == shims and
           cri.status(app)[0] == "running" and cri.status(job)[1] == 7, [status.get(3), cri.status(app)])
    late = cri.container(sandbox, config, "late", ["sh", "-c", "cat /dev/shm/said; " + SLEEP], namespaces=own)
    cri.start(late)
    expect("and puts one more into it", shim.until(lambda: words("late") == ["there"]), words("late"))
    expect("exec works again", cri.execute(late, "hostname") == ("box\n", 0))
    cri.call("StopContainer", (1, late), (2, 0))
    expect("a container that is stopped", cri.status(late)[:2] == ("exited", 137), cri.status(late))
    cri.call("StopPodSandbox", (1, sandbox))
    status = fields_of(cri.call("PodSandboxStatus", (1, sandbox))[1])
    expect("a sandbox that is stopped is not ready, and its network is gone",
           status.get(3, 0) == 1 and not os.listdir("/run/netns") and not shim.gone(shims[0]), status.get(3))
    cri.call("RemovePodSandbox", (1, sandbox))
    expect("the shim ends with the pod", shim.until(lambda: not engine.shims()), engine.shims())
    check_no_files(engine)


def check_shared_pids(engine, cri):
    config = pod_config(cri.log, "shared", f"/{engine.group}/own", NODE, POD)
    sandbox = cri.call("RunPodSandbox", (1, config), (2, "ocirt"))[1].decode()
    names = message((1, NODE), (2, POD))
    one = cri.container(sandbox, config, "one", ["sh", "-c", SLEEP], namespaces=names)
    cri.start(one)
    two = cri.container(sandbox, config, "two", ["sh", "-c", SLEEP], namespaces=names)
    cri.start(two)
    said = cri.execute(two, "ps", "-o", "pid,args")[0]
    engine.expect("a pod that shares pids has a first process, and its containers see each other",
                  re.search(r"^ +1 pause$", said, re.M) and said.count("sleep 1000") == 2, said)
    engine.expect("it is in the host's network", cri.execute(one, "readlink", "/proc/self/ns/net")[0].strip() ==
                  namespace(engine.daemon.pid, "net"))
    cri.call("StopPodSandbox", (1, sandbox))
    cri.call("RemovePodSandbox", (1, sandbox))
    engine.expect("it ends with the pod", shim.until(lambda: not engine.shims()), engine.shims())
    check_no_files(engine)


def check_users(engine, cri):
    config = pod_config(cri.log, "users", f"/{engine.group}/own", POD, CONTAINER,
                        [("net.ipv4.ip_unprivileged_port_start", "80")], USERS)
    sandbox = cri.call("RunPodSandbox", (1, config), (2, "ocirt"))[1].decode()
    shims = engine.shims()
    own = message((1, POD), (2, CONTAINER), (5, USERS))
    program = ("id -u; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ip -o -4 address show eth0 | wc -l; hostname; "
               "echo there >/dev/shm/said; ")
    app = cri.container(sandbox, config, "inner", ["sh", "-c", program + SLEEP], namespaces=own)
    cri.start(app)
    holder = sandbox_pid(engine, cri, sandbox)
    words = lambda name: re.findall(r" stdout F (.*)", cri.text_of_log(name))
    shim.until(lambda: len(words("inner")) >= 4)
    engine.expect("a pod with a user namespace: root inside, with the pod's network, name and parameters",
                  words("inner") == ["0", "80", "1", "box"], words("inner"))
    other = cri.container(sandbox, config, "beside", ["sh", "-c", "cat /dev/shm/said; " + SLEEP], namespaces=own)
    cri.start(other)
    shim.until(lambda: words("beside"))
    engine.expect("its containers share /dev/shm", words("beside") == ["there"], words("beside"))
    inside = [pid for pid in children(shims[0]) if pid != holder]
    users = {namespace(pid, "user") for pid in inside}
    engine.expect("and one user namespace, which is not the host's", len(inside) == 2 and
                  users == {namespace(holder, "user")} != {namespace(shims[0], "user")}, users)
    with open(f"/proc/{holder}/uid_map", encoding="utf-8") as file:
        engine.expect("with the ids that were asked for", file.read().split() == ["0", "100000", "65536"])
    engine.expect("exec", cri.execute(app, "sh", "-c", "id -u; exit 3") == ("0\n", 3))
    cri.call("StopPodSandbox", (1, sandbox))
    cri.call("RemovePodSandbox", (1, sandbox))
    engine.expect("it ends with the pod", shim.until(lambda: not engine.shims() and shim.gone(holder)), engine.shims())
    check_no_files(engine)


def check_refused(engine, cri):
    for name, words, arguments in (
            ("a parameter of the host", "kernel.panic", ([("kernel.panic", "1")],)),
            ("a user namespace without ids", "userns_options.uids: id 0 is not mapped", ([], message((1, POD))))):
        try:
            cri.call("RunPodSandbox", (1, pod_config(cri.log, "no", f"/{engine.group}/own", NODE, CONTAINER,
                                                     *arguments)), (2, "ocirt"))
            engine.expect(f"{name} is refused", False)
        except CriError as error:
            engine.expect(f"{name} is refused", words in str(error), error)
    engine.expect("what was refused leaves no shim", shim.until(lambda: not engine.shims()), engine.shims())
    check_no_files(engine)


def check_killed(engine, cri):
    """containerd has the shim's `delete` called for the sandbox alone."""
    config = pod_config(cri.log, "killed", f"/{engine.group}/own", POD, CONTAINER)
    sandbox = cri.call("RunPodSandbox", (1, config), (2, "ocirt"))[1].decode()
    app = cri.container(sandbox, config, "orphan", ["sh", "-c", SLEEP],
                        namespaces=message((1, POD), (2, CONTAINER)))
    cri.start(app)
    shims, processes = engine.shims(), children(engine.shims()[0])
    for pid in shims:
        os.kill(pid, 9)

    def ready():
        try:
            return fields_of(cri.call("PodSandboxStatus", (1, sandbox))[1]).get(3, 0) == 0
        except CriError:  # before containerd has noticed
            return True
    engine.expect("a sandbox whose shim was killed is not ready", shim.until(lambda: not ready()))
    engine.expect("and its containers are taken away", processes and
                  shim.until(lambda: all(shim.gone(pid) for pid in processes)), processes)
    # containerd 1.7 knows no sandbox without its shim any more: what it has made itself stays.
    for name in os.listdir("/run/netns"):
        subprocess.run(["umount", f"/run/netns/{name}"], check=True)
        os.unlink(f"/run/netns/{name}")
    engine.run(["container", "delete", app])
    check_no_files(engine)


def check_no_files(engine):
    left = [os.path.join(base, name) for part in ("root", "state") for base in
            [f"{engine.top}/{part}/io.containerd.grpc.v1.cri/sandboxes"] if os.path.isdir(base)
            for name in os.listdir(base)]
    left += os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    engine.expect("nothing is left of its files and namespaces", not left, left)


def missing():
    if subprocess.run([PYTHON, "-c", "import grpc"], stderr=subprocess.DEVNULL).returncode:
        return "python3-grpcio is not installed (make deps)"
    if not os.access(f"{PLUGINS}/ptp", os.X_OK):
        return "containernetworking-plugins is not installed (make deps)"
    return ""


def check_all(tap, top, program, archive, namespace_, name, programs):
    """containerd 1.7, through CRI."""
    if lacking := missing():
        tap.skip(name, lacking)
        return

    def scenarios(engine):
        logs = os.path.join(engine.top, "logs")
        os.mkdir(logs)
        cri = Cri(engine.address, logs)
        try:
            for check in (check_pod, check_shared_pids, check_users, check_refused, check_killed):
                try:
                    check(engine, cri)
                except (CriError, OSError) as error:
                    engine.expect(f"{check.__name__} works", False, error)
        finally:
            cri.close()
        shim.check_nothing_left(engine)
        subprocess.run(["umount", engine.network], check=True)
    with_engine(tap, top, archive, lambda: SandboxedContainerd(tap, top, program, namespace_, name, programs, "k8s.io"),
                name, scenarios)


# ---- containerd 2, by its own API ---------------------------------------------------------------------
class ControllerContainerd(shim.ShimContainerd):
    def begin(self):
        self.environment["PATH"] = f"{os.path.dirname(self.shim)}:{os.environ['PATH']}"
        super().begin()


def check_controller(engine, api):
    def controller(method, *fields):
        return api.call(f"containerd.services.sandbox.v1.Controller/{method}", (1, "sb"), *fields, (10, "shim"))

    config = pod_config(engine.top, "pod", f"/{engine.group}/own", NODE, CONTAINER)
    options = message((1, "runtime.v1.PodSandboxConfig"), (2, config))
    sandbox = message((1, "sb"), (2, message((1, "io.containerd.ocirt.v2"))), (10, "shim"))
    api.call("containerd.services.sandbox.v1.Store/Create", (1, sandbox))
    controller("Create", (3, options), (6, sandbox))
    holder = controller("Start")[2]
    shims = engine.shims()
    engine.expect("a sandbox is one process, the shim", len(shims) == 1 and not children(shims[0]), shims)
    engine.expect("its namespaces have a number", namespace(holder, "ipc") != namespace(shims[0], "ipc"), holder)
    run = ["run", "--sandbox", "sb", "--runtime", "io.containerd.ocirt.v2", *engine.options[2:], "--with-ns",
           f"ipc:/proc/{holder}/ns/ipc"]
    engine.check("a container in it", [*run, "--detach", REFERENCE, "app", *shim.SLEEP])
    engine.expect("is the shim's, and in its namespace", engine.shims() == shims and
                  [namespace(pid, "ipc") for pid in children(shims[0])] == [namespace(holder, "ipc")],
                  engine.shims())
    engine.check("exec", ["task", "exec", "--exec-id", "e", "app", "sh", "-c", "echo in; exit 3"], r"\Ain\n\Z", status=3)
    engine.check("the status of one that ends", [*run, "--rm", REFERENCE, "job", "sh", "-c", "exit 7"], status=7)
    engine.kill_daemon()
    engine.begin()
    engine.expect("the daemon comes back", engine.is_up(), engine.why_not())

    def state():
        try:
            return controller("Status").get(3)
        except CriError:  # the channel has not noticed yet
            return None
    shim.until(state)
    engine.expect("and finds sandbox and container", state() == b"SANDBOX_READY" and
                  engine.shims() == shims and engine.task("app") == "RUNNING", engine.task("app"))
    engine.remove("app")
    engine.expect("which outlives its containers", engine.shims() == shims, engine.shims())
    controller("Stop")
    controller("Shutdown")
    engine.expect("the shim ends with the sandbox", shim.until(lambda: not engine.shims()), engine.shims())
    check_no_files(engine)


def check_all_of_controller(tap, top, program, archive, namespace_, name, programs):
    if lacking := missing():
        tap.skip(name, lacking)
        return

    def scenarios(engine):
        api = Cri(engine.address, engine.top)
        try:
            check_controller(engine, api)
        except (CriError, OSError, KeyError) as error:
            engine.expect("a sandbox by the controller", False, error)
        finally:
            api.close()
        shim.check_nothing_left(engine)
    with_engine(tap, top, archive, lambda: ControllerContainerd(tap, top, program, namespace_, name, programs, "k8s.io"),
                name, scenarios)
