"""containerd with its runc shim, driven by ctr: run, tasks, exec, terminals. See engine.py.

With --no-pivot and with --uidmap, ctr 1.6 forgets --runc-binary and calls runc: nothing to check here.
"""

import os
import shutil
import subprocess
import time

from engine import Engine, make_image
from manager import PATIENCE, SYSTEMD
from podman import REFUSED, STATUS, has_controller, limit

REFERENCE = "localhost/busybox:latest"


class Containerd(Engine):
    programs = ""  # the directory of containerd and ctr, when they are not in PATH

    def __init__(self, tap, top, ocirt, namespace, name="containerd"):
        super().__init__(name, tap, top, ocirt)
        self.namespace = self.group = namespace  # group: of cgroups
        self.address = os.path.join(self.top, "socket")
        self.log = os.path.join(self.top, "log")
        self.configuration = os.path.join(self.top, "config.toml")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(self.configure())
        self.ids = 0
        # ctr asks for 1024 cpu.shares unless told not to.
        self.options = ["--runc-binary", self.runtime, *(["--runc-systemd-cgroup"] if SYSTEMD else [])]
        self.options += [] if has_controller("cpu") else ["--cpu-shares", "0"]
        self.begin()

    def configure(self):
        return (f'version = 2\nroot = "{self.top}/root"\nstate = "{self.top}/state"\n'
                'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                f'[grpc]\n  address = "{self.address}"\n')

    def begin(self):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([os.path.join(self.programs, "containerd"), "--config",
                                            self.configuration], stdout=log, stderr=log,
                                           stdin=subprocess.DEVNULL, env=self.environment)

    def command(self, arguments):
        # Only with a path of its own ctr lets systemd make the cgroup.
        if SYSTEMD and arguments[0] == "run" and "--cgroup" not in arguments:
            name = arguments[arguments.index(REFERENCE) + 1]
            arguments = ["run", "--cgroup", f"{self.group}:ctr:{name}", *arguments[1:]]
        return [os.path.join(self.programs, "ctr"), "--address", self.address, "--namespace", self.namespace, *arguments]

    def is_up(self):
        for _ in range(150 * PATIENCE):
            if self.daemon.poll() is not None:
                return False
            if os.path.exists(self.address) and self.run(["version"]).status == 0:
                return True
            time.sleep(0.1)
        return False

    def why_not(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().strip().splitlines()[-1:] or ["no message"]

    def run_check(self, name, options, program, output="", **more):
        self.ids += 1
        words = program if isinstance(program, list) else ["sh", "-c", program]
        return self.check(name, ["run", "--rm", *self.options, *options, REFERENCE,
                                 f"c{self.ids}", *words], output, **more)

    def start(self, name, program):
        return self.check(f"a detached container, {name}", ["run", "--detach", *self.options,
                                                            REFERENCE, name, *program])


def check_run(containerd):
    check = containerd.run_check
    check("a program's output reaches the caller", [], ["echo", "hello"], r"\Ahello\n\Z")
    check("the status of the program is the status of run", [], "exit 3", status=3)
    check("a program that is not there", [], ["nosuch"], status=1,
          errors=r'failed to create shim task: .*"nosuch": executable file not found in \$PATH')
    check("a program that is not executable", [], ["/etc/passwd"], status=1,
          errors="failed to create shim task: .*permission denied")
    check("environment and working directory", ["--env", "A=b c", "--cwd", "/tmp"], "echo $A; pwd",
          r"\Ab c\n/tmp\n\Z")
    check("a terminal is the program's terminal", ["-t"], "tty; test -t 0 && ls -l /dev/console",
          r"^/dev/pts/0\n.* 136, +0 .*/dev/console", terminal=True)
    check("a read-only root", ["--read-only"], ["touch", "/no"], status=1, errors="Read-only file system")
    check("capabilities, no new privileges, no seccomp by default", [], STATUS,
          r"CapEff:\t0+a80425fb\n(.*\n)*NoNewPrivs:\t1\nSeccomp:\t0\n")
    check("--cap-drop and --cap-add", ["--cap-drop", "CAP_CHOWN", "--cap-add", "CAP_SYS_ADMIN"], STATUS,
          r"CapEff:\t0+a82425fa\n")
    check("--allow-new-privs", ["--allow-new-privs"], STATUS, r"NoNewPrivs:\t0\n")
    check("containerd's seccomp profile", ["--seccomp", "--cap-add", "CAP_SYS_ADMIN"],
          f"{STATUS}; {REFUSED}", r"Seccomp:\t2\n", status=1, errors="Operation not permitted")
    check("a privileged container", ["--privileged"], f"{STATUS}; ls /dev/kmsg",
          r"CapEff:\t0*1ff[0-9a-f]{8}\n(.*\n)*/dev/kmsg\n")
    check("a bind mount", ["--mount", f"type=bind,src={containerd.top},dst=/vol,options=rbind:ro"],
          "test -e /vol/config.toml && grep -c ' /vol ro,' /proc/self/mountinfo", r"\A1\n\Z")
    check("a tmpfs", ["--mount", "type=tmpfs,dst=/t,options=size=64k:mode=700"],
          "grep ' /t ' /proc/self/mountinfo", r" rw,size=64k,mode=700")
    check("a device", ["--device", "/dev/kmsg"], ["ls", "-l", "/dev/kmsg"], r"^c.* 1, +11 ")
    check("the host's network", ["--net-host"], ["readlink", "/proc/self/ns/net"],
          os.readlink("/proc/self/ns/net").replace("[", ".").replace("]", "."))
    check("a namespace by path", ["--with-ns", f"ipc:/proc/{os.getpid()}/ns/ipc"],
          ["readlink", "/proc/self/ns/ipc"],
          os.readlink("/proc/self/ns/ipc").replace("[", ".").replace("]", "."))
    check("annotations and labels", ["--annotation", "a=b", "--label", "c=d"], ["echo", "named"],
          r"\Anamed\n\Z")
    by_path, seen = (f"{containerd.group}:own:group", "own-group.scope") if SYSTEMD else \
        (f"/{containerd.group}/own/group", "own/group")
    check("a cgroup by path", ["--cgroup", by_path], ["cat", "/proc/1/cgroup"], rf"^0::(/|.*/{seen})$")
    check("a class of resctrl", ["--rdt-class", "some"], ["echo", "classed"], unsupported=True,
          output="classed")


def check_limits(containerd):
    for controller, options, files, wanted in (
            ("memory", ["--memory-limit", "67108864"], ("memory/memory.limit_in_bytes", "memory.max"),
             "67108864"),
            ("cpu", ["--cpus", "0.5"], ("cpu/cpu.cfs_quota_us", "cpu.max"), "50000"),
            ("cpu", ["--cpu-shares", "512"], ("cpu/cpu.shares", "cpu.weight"), "(512|20|59)")):
        name = options[0]
        if not has_controller(controller):
            containerd.tap.skip(f"containerd: {name}", f"no {controller} controller in these cgroups")
            continue
        # ctr mounts no /sys/fs/cgroup that shows the container's own group: look from the host.
        containerd.run_check(name, [*options, "--mount",
                             "type=bind,src=/sys/fs/cgroup,dst=/mnt,options=rbind:ro"],
                             "set -- $(grep -E '^0::|:(memory|cpu):' /proc/self/cgroup | tail -n 1 | "
                             "cut -d: -f3); for f in /mnt/%s /mnt/%s; do cat ${f%%/*}$1/${f##*/} "
                             "2>/dev/null; done; true" % files, rf"^{wanted}\b")


def check_task(containerd):
    check, name = containerd.check, "long"
    loop = "trap 'exit 9' TERM; while :; do sleep 0.1; done"
    containerd.start(name, ["sh", "-c", loop])
    check("it runs", ["task", "ls"], rf"^{name} .* RUNNING", called=None)
    execute = ["task", "exec", "--exec-id"]
    check("exec: output", [*execute, "e1", name, "echo", "inside"], r"\Ainside\n\Z", called="exec")
    check("exec: user, directory, status", [*execute, "e2", "--user", "405", "--cwd", "/tmp", name, "sh", "-c",
          "id -u; pwd; exit 7"], r"\A405\n/tmp\n\Z", status=7, called="exec")
    check("exec: killed by a signal, which is 128 and its number", [*execute, "e6", name, "sh", "-c",
          "kill -9 $$"], status=137, called="exec")
    check("exec: a program that is not there", [*execute, "e3", name, "nosuch"], status=1,
          errors=r'"nosuch": executable file not found', called="exec")
    # Of a program that ends before ctr has told its size, ctr of a busy machine shows nothing.
    check("exec: a terminal", [*execute, "e4", "-t", name, "sh", "-c", "tty; sleep 0.3"], r"^/dev/pts/\d\n",
          terminal=True, called="exec")
    check("exec: detached", [*execute, "e5", "-d", name, "sleep", "1000"], called="exec")
    check("the processes of the task", ["task", "ps", name], r"(ExecID|exec_id):\"?e5", called="ps")
    check("metrics are those of its cgroup", ["task", "metrics", name], r"(pids|memory|cpuacct)\.", called=None)
    check("pause", ["task", "pause", name], called="pause")
    check("it is paused", ["task", "ls"], rf"^{name} .* PAUSED", called=None)
    check("resume", ["task", "resume", name], called="resume")
    check("kill", ["task", "kill", "-s", "TERM", name], called="kill")
    for _ in range(50 * PATIENCE):
        if "STOPPED" in containerd.run(["task", "ls"]).output:
            break
        time.sleep(0.1)
    check("delete, with the status of the program", ["task", "delete", name],
          errors="exit code 9", called="delete")
    check("the container is removed", ["container", "delete", name], called=None)

    containerd.start("killed", ["sleep", "1000"])
    check("delete by force", ["task", "delete", "--force", "killed"], errors="exit code 137",
          called="delete")
    check("the killed container is removed", ["container", "delete", "killed"], called=None)


def with_engine(tap, top, archive, make, name, scenarios):
    """Runs `scenarios` with the engine that `make` starts, and ends it."""
    image = os.path.join(top, f"{name}.tar")
    make_image(archive, image, REFERENCE)
    containerd = make()
    try:
        if not containerd.is_up():
            tap.skip(name, f"it cannot work here: {containerd.why_not()[0]}")
            return
        imported = containerd.run(["images", "import", image])
        if imported.status != 0:
            tap.skip(name, f"it cannot work here: {imported.errors.strip()}")
            return
        scenarios(containerd)
        tap.ok(f"{name}: nothing is left of its containers",
               not containerd.run(["containers", "ls", "-q"]).output.strip())
    finally:
        containerd.daemon.terminate()
        try:
            containerd.daemon.wait(10 * PATIENCE)
        except subprocess.TimeoutExpired:
            containerd.daemon.kill()
            containerd.daemon.wait()


def check_all(tap, top, ocirt, archive, namespace):
    missing = [p for p in ("containerd", "ctr", "containerd-shim-runc-v2") if not shutil.which(p)]
    if missing:
        tap.skip("containerd", f"{' and '.join(missing)} not installed (make deps)")
        return

    def scenarios(containerd):
        check_run(containerd)
        check_limits(containerd)
        check_task(containerd)
    with_engine(tap, top, archive, lambda: Containerd(tap, top, ocirt, namespace), "containerd", scenarios)
