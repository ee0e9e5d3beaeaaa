"""podman, with conmon and buildah in it: run, exec, pods, build. See engine.py."""

import json
import os
import resource
import shutil
import subprocess
import time

from engine import Engine
from manager import MANAGER, PATIENCE

IMAGE = "localhost/busybox"
RUN = ["run", "--rm", "--network", "none"]


class Podman(Engine):
    def __init__(self, tap, top, ocirt):
        super().__init__("podman", tap, top, ocirt)
        self.hooks = os.path.join(self.top, "hooks.d")
        os.mkdir(self.hooks)
        # podman's own limits may be higher than what this process has, and only CAP_SYS_RESOURCE raises.
        limits = [f'"{name}={hard}:{hard}"' for name, hard in
                  (("nofile", min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
                   ("nproc", min(4096, resource.getrlimit(resource.RLIMIT_NPROC)[1])))]
        configuration = os.path.join(self.top, "containers.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"[containers]\nlog_driver = \"k8s-file\"\ndefault_ulimits = [{', '.join(limits)}]\n"
                       f"{'' if has_controller('pids') else 'pids_limit = 0'}\n[engine]\n"
                       'runtime_supports_json = ["ocirt"]\nruntime_supports_nocgroup = ["ocirt"]\n'
                       f'[engine.runtimes]\nocirt = ["{self.runtime}"]\n')
        policy = os.path.join(self.top, "policy.json")
        with open(policy, "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment.update(CONTAINERS_CONF=configuration, CONTAINERS_REGISTRIES_CONF=os.devnull)
        on_overlay = subprocess.run(["stat", "-f", "-c", "%T", top], capture_output=True,
                                    text=True).stdout.strip() == "overlayfs"
        self.driver = "vfs" if on_overlay else "overlay"

    def command(self, arguments):
        return ["podman", "--root", f"{self.top}/root", "--runroot", f"{self.top}/runroot", "--tmpdir",
                f"{self.top}/tmp", "--storage-driver", self.driver, "--cgroup-manager", MANAGER,
                "--events-backend", "none", "--runtime", "ocirt", *arguments]

    def run_check(self, name, options, program, output="", **more):
        words = program if isinstance(program, list) else ["sh", "-c", program]
        return self.check(name, [*RUN, *options, IMAGE, *words], output, **more)


def has_controller(name):
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        with open("/sys/fs/cgroup/cgroup.controllers", encoding="utf-8") as file:
            return name in file.read().split()
    return os.path.isdir(f"/sys/fs/cgroup/{name}")


V1 = not os.path.exists("/sys/fs/cgroup/cgroup.controllers")
REFUSED = "swapoff /etc/passwd"  # refused by every default profile, else by the kernel, with other words
STATUS = "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status"


def limit(v1_file, v2_file):
    return "cat /sys/fs/cgroup/" + (v1_file if V1 else v2_file)


def check_ends(podman):
    check = podman.run_check
    check("a program's output reaches the caller", [], ["echo", "hello"], r"\Ahello\n\Z")
    check("the status of the program is the status of run", [], "exit 3", status=3)
    check("a program that is not there ends as 127", [], ["nosuch"], status=127,
          errors="executable file not found")
    check("a program that is not executable ends as 126", [], ["/etc/passwd"], status=126,
          errors="(?i)permission denied")
    check("standard input reaches the program", ["-i"], ["cat"], r"\Asome words\Z", text="some words")
    check("a terminal is the program's terminal", ["-t"], "tty; test -t 1 && ls -l /dev/console",
          r"^/dev/pts/0\n.*5 .* 136, +0 .*/dev/console", terminal=True)
    check("environment, working directory, umask and host name", ["-e", "A=b c", "-w", "/tmp", "--umask",
          "077", "--hostname", "box"], "echo $A $container; pwd; umask; hostname",
          r"\Ab c podman\n/tmp\n0077\nbox\n\Z")


def check_rights(podman):
    check = podman.run_check
    check("a user by number takes its group from the image", ["--user", "405"], ["id"],
          r"^uid=405\(guest\) gid=100\(users\)")
    check("a user by name has its groups", ["--user", "guest"], ["id"], r"^uid=405\(guest\).*29\(audio\)")
    check("user, group and more groups by number", ["--user", "1234:5678", "--group-add", "99"], ["id"],
          r"^uid=1234\S* gid=5678\S* groups=99,5678")
    check("no capability is left of --cap-drop all", ["--cap-drop", "all"], STATUS,
          r"CapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+\n")
    check("--cap-add gives one back", ["--cap-drop", "all", "--cap-add", "net_bind_service"], STATUS,
          r"CapEff:\t0+400\nCapBnd:\t0+400\n")
    check("the default seccomp profile is in force", ["--cap-add", "sys_admin"], f"{STATUS}; {REFUSED}",
          r"Seccomp:\t2\n", status=1, errors="Operation not permitted")
    check("seccomp=unconfined is no filter", ["--cap-add", "sys_admin", "--security-opt",
          "seccomp=unconfined"], f"{STATUS}; {REFUSED}", r"Seccomp:\t0\n", status=1, errors="Invalid argument")
    check("no-new-privileges is set", ["--security-opt", "no-new-privileges"], STATUS, r"NoNewPrivs:\t1\n")
    check("a privileged container has every capability of the host and no filter", ["--privileged"],
          f"{STATUS}; test -c /dev/kmsg && echo devices",
          r"CapEff:\t0*1ff[0-9a-f]{8}\n(.*\n)*Seccomp:\t0\ndevices\n")
    check("limits", ["--ulimit", "core=0", "--ulimit", "nofile=100:200", "--ulimit", "nproc=300:300"],
          "ulimit -c; ulimit -n; ulimit -Hn", r"\A0\n100\n200\n\Z")
    check("a user namespace", ["--uidmap", "0:100000:5000", "--gidmap", "0:200000:5000"],
          "cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /new; ls -n /new",
          r"^ +0 +100000 +5000\n +0 +200000 +5000\n0\n.* 0 +0 .*/new", unsupported=True)


def check_files(podman, rootfs):
    check = podman.run_check
    volume = os.path.join(podman.top, "volume")
    os.mkdir(volume)
    with open(os.path.join(volume, "here"), "w", encoding="utf-8") as file:
        file.write("from the host\n")
    check("a volume shows the host's files and takes new ones", ["-v", f"{volume}:/vol"],
          "cat /vol/here; echo back >/vol/back", r"\Afrom the host\n\Z")
    podman.tap.ok("podman: what was written to the volume is on the host",
                  os.path.exists(os.path.join(volume, "back")))
    check("a read-only volume takes none", ["-v", f"{volume}:/vol:ro"],
          "cat /vol/here; touch /vol/no", "from the host", status=1, errors="Read-only file system")
    check("options of a volume", ["-v", f"{volume}:/vol:rshared,noexec,nosuid"],
          "grep ' /vol ' /proc/self/mountinfo", r"/vol rw,nosuid,noexec,\S* shared:\d+ ")
    check("--mount with a bind that is not recursive",
          ["--mount", f"type=bind,src={volume},dst=/vol,ro,bind-nonrecursive"],
          "grep ' /vol ' /proc/self/mountinfo", r"/vol ro,")
    check("a volume of podman's own is copied from the image", ["-v", "/home"], "ls /home; touch /home/x",
          r"\Aguest\n\Z")
    check("a tmpfs with size and mode", ["--tmpfs", "/scratch:size=1m,mode=700"],
          "grep ' /scratch ' /proc/self/mountinfo; stat -c %a /scratch", r"tmpfs rw,size=1024k,.*\n700\n")
    check("a read-only root has places to write", ["--read-only"],
          "touch /no; touch /tmp/yes && echo written", r"\Awritten\n\Z", errors="Read-only file system")
    check("the size of /dev/shm", ["--shm-size", "1m"], "df -k /dev/shm", r" 1024 .*/dev/shm\n")
    check("the devices of every container and no others", [], "cd /dev; echo *",
          r"\Acore fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n\Z"
          if os.path.exists("/proc/kcore") else
          r"\Afd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n\Z")
    if os.path.exists("/dev/fuse"):
        check("one more device, for reading only", ["--device", "/dev/fuse:/dev/other:r"],
              "ls -l /dev/other; : </dev/other && echo read; : >/dev/other", r"^c.* 10, 229 .*\nread\n\Z",
              status=1, errors="(?i)operation not permitted")
    check("masked paths, and one that is not", ["--security-opt", "mask=/etc/group", "--security-opt",
          "unmask=/proc/timer_list"], "cat /etc/group | wc -c; mount | grep -c timer_list", r"\A0\n0\n\Z",
          status=1)
    check("host name and addresses in /etc/hosts", ["--add-host", "there:10.1.2.3"], ["cat", "/etc/hosts"],
          r"10\.1\.2\.3\s+there")
    podman.check("a root filesystem that is not an image", [*RUN, "--rootfs", rootfs, "echo", "plain"],
                 r"\Aplain\n\Z")


def check_namespaces(podman):
    check = podman.run_check
    check("the host's pid, ipc and uts namespaces", ["--pid", "host", "--ipc", "host", "--uts", "host"],
          "test $$ -gt 1 && readlink /proc/self/ns/ipc; hostname",
          rf"\A{os.readlink('/proc/self/ns/ipc').replace('[', '.').replace(']', '.')}\n{os.uname().nodename}\n")
    podman.check("the host's network", ["run", "--rm", "--network", "host", IMAGE, "readlink",
                                        "/proc/self/ns/net"],
                 os.readlink("/proc/self/ns/net").replace("[", ".").replace("]", "."))
    check("no network but a loopback that is up", [], "ls /sys/class/net; ping -c 1 127.0.0.1 >/dev/null && "
          "echo up", r"\Alo\nup\n\Z")
    check("sysctls", ["--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=8000"],
          "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", r"\A1\n8000\n\Z")
    check("a cgroup namespace", ["--cgroupns", "private"], ["cat", "/proc/self/cgroup"], r"^0::/\n")
    check("the host's cgroup namespace", ["--cgroupns", "host"], ["cat", "/proc/self/cgroup"],
          r"^0::/\S*libpod-[0-9a-f]{64}")
    check("no cgroup at all", ["--cgroups", "disabled"], ["cat", "/proc/self/cgroup"],
          r"^0::(?!.*libpod-[0-9a-f]{64})")


def check_limits(podman):
    for controller, options, files, wanted in (
            ("memory", ["--memory", "64m"], ("memory/memory.limit_in_bytes", "memory.max"), "67108864"),
            ("memory", ["--memory", "64m", "--memory-reservation", "32m"],
             ("memory/memory.soft_limit_in_bytes", "memory.low"), "33554432"),
            ("pids", ["--pids-limit", "50"], ("pids/pids.max", "pids.max"), "50"),
            ("cpu", ["--cpus", "0.5"], ("cpu/cpu.cfs_quota_us", "cpu.max"), "50000"),
            ("cpuset", ["--cpuset-cpus", "0"], ("cpuset/cpuset.cpus", "cpuset.cpus"), "0")):
        name = " ".join(options)
        if has_controller(controller):
            podman.run_check(name, options, limit(*files), rf"\A{wanted}\b")
        else:
            podman.tap.skip(f"podman: {name}", f"no {controller} controller in these cgroups")
    podman.run_check("the score of the out-of-memory killer", ["--oom-score-adj", "100"],
                     ["cat", "/proc/self/oom_score_adj"], r"\A100\n\Z")


def check_hooks(podman):
    log = os.path.join(podman.top, "hook.log")
    script = os.path.join(podman.top, "hook")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nread -r state\necho \"$1 $state\" >>{log}\n")
    os.chmod(script, 0o755)
    stages = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
    for stage in stages:
        with open(os.path.join(podman.hooks, f"{stage}.json"), "w", encoding="utf-8") as file:
            json.dump({"version": "1.0.0", "hook": {"path": script, "args": ["hook", stage]},
                       "when": {"always": True}, "stages": [stage]}, file)
    podman.check("hooks of a hooks directory", ["--hooks-dir", podman.hooks, *RUN, IMAGE, "sleep", "0.2"])
    ran = []
    for _ in range(50 * PATIENCE):  # the last runs when the engine cleans up, maybe after `run` has ended
        if os.path.exists(log):
            with open(log, encoding="utf-8") as file:
                ran = [(line.split()[0], '"status"' in line) for line in file]
        if len(ran) >= len(stages):
            break
        time.sleep(0.1)
    podman.tap.ok("podman: every hook ran once, in order, with the state on its standard input",
                  [stage for stage, _ in ran] == stages and all(state for _, state in ran), repr(ran))


def check_long_lived(podman):
    check, name = podman.check, "long"
    loop = "trap 'exit 9' TERM; trap 'echo usr1' USR1; while :; do sleep 0.1; done"
    check("a detached container", ["run", "-d", "--network", "none", "--name", name, IMAGE, "sh", "-c", loop],
          r"\A[0-9a-f]{64}\n\Z")
    check("exec: output", ["exec", name, "echo", "inside"], r"\Ainside\n\Z", called="exec")
    check("exec: status", ["exec", name, "sh", "-c", "exit 7"], status=7, called="exec")
    check("exec: killed by a signal, which is 128 and its number", ["exec", name, "sh", "-c", "kill -9 $$"],
          status=137, called="exec")
    check("exec: standard input", ["exec", "-i", name, "cat"], r"\Awords\Z", text="words", called="exec")
    check("exec: user, environment, directory", ["exec", "--user", "405", "-e", "A=b", "-w", "/tmp", name,
          "sh", "-c", f"id -u; echo $A; pwd; {STATUS}"],
          r"\A405\nb\n/tmp\n(.*\n)*CapEff:\t0+\n(.*\n)*Seccomp:\t2\n", called="exec")
    check("exec: privileged", ["exec", "--privileged", name, "sh", "-c", STATUS],
          r"CapEff:\t0*1ff[0-9a-f]{8}\n", called="exec")
    check("exec: a terminal", ["exec", "-t", name, "sh", "-c", "tty; test -t 0 && echo terminal"],
          r"^/dev/pts/\d\nterminal\n", terminal=True, called="exec")
    check("exec: a program that is not there", ["exec", name, "nosuch"], status=127,
          errors="executable file not found", called="exec")
    check("exec: in the cgroup of the container", ["exec", name, "cat", "/proc/self/cgroup"],
          r"^0::(/\S*libpod-[0-9a-f]{64}|/)$", called="exec")
    check("exec: detached", ["exec", "-d", name, "sleep", "1000"], called="exec")
    check("top", ["top", name, "pid", "args"], r"^1 .*trap[^$]*sleep 1000", called=None)
    check("pause", ["pause", name], called="pause")
    check("the container is paused", ["inspect", "--format", "{{.State.Status}}", name], r"\Apaused\n",
          called=None)
    check("unpause", ["unpause", name], called="resume")
    if has_controller("memory"):
        check("update", ["update", "--memory", "128m", name], called="update")
        check("the new limit is in force", ["exec", name, "sh", "-c",
              limit("memory/memory.limit_in_bytes", "memory.max")], r"\A134217728\n", called="exec")
    else:
        podman.tap.skip("podman: update", "no memory controller in these cgroups")
    check("kill with a signal that the program handles", ["kill", "--signal", "USR1", name], called="kill")
    check("stop", ["stop", "-t", "10", name], called="kill")
    check("the status after stop", ["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name],
          r"\Aexited 9\n", called=None)
    check("logs", ["logs", name], r"\Ausr1\n\Z", called=None)
    check("start again", ["start", name], called="create")
    check("restart", ["restart", "-t", "1", name], called="create")
    check("remove by force", ["rm", "-f", "-t", "0", name], called="delete")
    check("create", ["create", "--network", "none", "--name", "two", IMAGE, "echo", "created"], called=None)
    check("start and attach", ["start", "-a", "two"], r"\Acreated\n\Z")
    check("remove", ["rm", "two"], called=None)


def check_pod(podman):
    check = podman.check
    # On cgroup v2 podman 4.3 attaches a filter to the pod's cgroup under which no device may be used.
    apart = [] if V1 else ["--share-parent=false"]
    check("a pod", ["pod", "create", "--name", "pod", "--network", "none", "--share", "net,ipc,uts", *apart,
                    "--infra-image", IMAGE, "--infra-command", "/bin/sleep 1000"], called=None)
    inside = "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; hostname"
    first = check("a container of the pod", ["run", "--rm", "--pod", "pod", IMAGE, "sh", "-c", inside], r"pod\n")
    second = check("another container of the pod", ["run", "--rm", "--pod", "pod", IMAGE, "sh", "-c", inside],
                   r"pod\n")
    podman.tap.ok("podman: both share the pod's namespaces, which are not the host's",
                  first.output == second.output and os.readlink("/proc/self/ns/net") not in first.output,
                  first.output + second.output)
    check("the pod is removed", ["pod", "rm", "-f", "-t", "0", "pod"], called="delete")


def check_build(podman):
    recipe = os.path.join(podman.top, "Containerfile")
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(f"FROM {IMAGE}\nRUN id -u >/made\nUSER guest\nRUN id -un && {STATUS}\n")
    podman.check("build runs its steps", ["build", "--isolation", "oci", "--network", "none", "-t",
                 "localhost/built", "-f", recipe, podman.top], r"^guest\n(.*\n)*CapEff:\t0+\n")
    podman.check("what a step wrote is in the image", [*RUN, "localhost/built", "cat", "/made"], r"\A0\n\Z")


def check_all(tap, top, ocirt, rootfs, archive):
    missing = [p for p in ("podman", "conmon") if not shutil.which(p)]
    if missing:
        tap.skip("podman", f"{' and '.join(missing)} not installed (make deps)")
        return
    podman = Podman(tap, top, ocirt)
    imported = podman.run(["import", archive, IMAGE])
    if imported.status != 0:
        tap.skip("podman", f"it cannot work here: {imported.errors.strip().splitlines()[-1]}")
        return
    check_ends(podman)
    check_rights(podman)
    check_files(podman, rootfs)
    check_namespaces(podman)
    check_limits(podman)
    check_hooks(podman)
    check_long_lived(podman)
    check_pod(podman)
    check_build(podman)
    podman.run(["rm", "-fa", "-t", "0"])
    tap.ok("podman: nothing is left of its containers", not podman.run(["ps", "-aq"]).output.strip())
