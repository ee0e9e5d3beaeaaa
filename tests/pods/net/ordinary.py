#!/usr/bin/env python3
"""Pods of an ordinary user, by ocirt-pod, with pasta. Prints TAP.

The user is made here: an id that nobody has, known in a private mount namespace, once with further
ids (subuid(5)) and once with its own alone. What is looked at is seen from inside of containers.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from harness import Client, Server, enter_private_host, inside, main, run, LIBC

USER = 543210
GRANTED = 700000
BUILD = os.path.dirname(os.environ.get("SHIM") or os.path.join(
    os.path.abspath(os.path.dirname(__file__)), "../../..", os.environ.get("BUILD", "build"), "x"))
RUNTIME = f"/run/user/{USER}"
PODS = f"{RUNTIME}/ocirt/pods"
HOME = "/run/home"
DATA = f"{HOME}/.local/share/ocirt"
IMAGE = "/run/image"
PROGRAMS = "/run/programs"
FAR = None  # another machine


def make_user():
    for name in ("ocirt", "ocirt-pod", "ocirt-shim", "ocirt-net"):
        os.makedirs(PROGRAMS, exist_ok=True)
        shutil.copy(os.path.join(BUILD, name), PROGRAMS)
    with open("/etc/passwd", encoding="utf-8") as file:
        lines = file.read()
    cover("/etc/passwd", f"{lines}ordinary:x:{USER}:{USER}::{HOME}:/bin/sh\n")
    os.makedirs(f"{IMAGE}/bin")
    os.makedirs(f"{IMAGE}/tmp")
    shutil.copy("/bin/busybox", f"{IMAGE}/bin/busybox")
    for name in ("sh", "cat", "echo", "grep", "httpd", "id", "ip", "kill", "ls", "mkdir", "nc", "ps",
                 "readlink", "rm", "sleep", "stat", "test", "touch", "wget"):
        os.symlink("busybox", f"{IMAGE}/bin/{name}")
    os.chmod("/run", 0o755)
    for path in (RUNTIME, HOME):
        os.makedirs(path)
        os.chown(path, USER, USER)
    if os.stat("/dev/net/tun").st_mode & 0o666 != 0o666:  # as udev would have it
        os.mknod("/run/tun", 0o666 | 0o020000, os.makedev(10, 200))
        os.chmod("/run/tun", 0o666)
        run("mount", "--bind", "/run/tun", "/dev/net/tun")


def cover(path, text):
    name = "/run/" + path.replace("/", "_")
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    if not os.path.exists(path):
        open(path, "w", encoding="utf-8").close()
    run("mount", "--bind", name, path)


def grant(ids):
    for path in ("/etc/subuid", "/etc/subgid"):
        cover(path, f"ordinary:{GRANTED}:{ids}\n" if ids else "")


def as_user(*command, **more):
    env = {"HOME": HOME, "XDG_RUNTIME_DIR": RUNTIME, "PATH": os.environ["PATH"], **more.pop("env", {})}
    words = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", *command]
    env = {name: value for name, value in env.items() if value is not None}
    return subprocess.run(words, capture_output=True, text=True, cwd="/", env=env, timeout=60, **more)


def pod(*words, **more):
    done = as_user(f"{PROGRAMS}/ocirt-pod", *words, **more)
    if done.returncode != 0:
        raise AssertionError(f"ocirt-pod {' '.join(words)}: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout


def refusal(*words, **more):
    done = as_user(f"{PROGRAMS}/ocirt-pod", *words, **more)
    if done.returncode == 0 and words[0] == "run":
        with open(words[-1], encoding="utf-8") as file:
            raise AssertionError(f"ocirt-pod {' '.join(words)} was not refused: {file.read()}")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def container(name, script, **more):
    return {"name": name, "image": f"rootfs:{IMAGE}", "command": ["sh", "-c", script], **more}


def manifest(name, *containers, annotations=None, **spec):
    path = f"/run/{name}.yaml"
    spec = {"terminationGracePeriodSeconds": 0, "containers": list(containers), **spec}
    metadata = {"name": name, **({"annotations": annotations} if annotations else {})}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, file)
    return path


SLEEP = "exec sleep 1000"


def shell(target, script):
    return pod("exec", target, "sh", "-c", script).strip()


def status(name):
    return json.loads(pod("inspect", name))[0]["status"]


def restarted(name):
    first = status(name)["containers"][0]
    return first["restartCount"] == 1 and "running" in first["state"]


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not (found := what()):
        children()
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)
    return found


def children():
    """Of ours, the orphans included: we are their reaper."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="utf-8") as file:
        found = [int(pid) for pid in file.read().split()]
    return [pid for pid in found if pid not in KNOWN]


KNOWN = []


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read().replace("\0", " ").strip()
    except OSError:
        return ""


def shim(name):
    return until(lambda: [p for p in children() if f"--pod {PODS}/{name} " in command_line(p)])[0]


def holder(name):
    with open(f"{PODS}/{name}/holder", encoding="utf-8") as file:
        return int(file.read().split()[0])


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in children())


def leftovers(patience=30):
    end = time.monotonic() + patience
    while (left := [f"{p} {command_line(p)}" for p in children()]) and time.monotonic() < end:
        time.sleep(0.02)
    for top in (RUNTIME, DATA):
        left += [os.path.join(base, n) for base, _, names in os.walk(top) for n in names
                 if n not in (".lock", "lock")]
        left += [os.path.join(base, n) for base, names, _ in os.walk(top) for n in names
                 if n not in ("ocirt", "pods", "images")]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        left += [line for line in file if RUNTIME in line]
    return left


def clean_up():
    for name in os.listdir(PODS) if os.path.isdir(PODS) else []:
        as_user(f"{PROGRAMS}/ocirt-pod", "rm", "--force", name)
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    leftovers()
    shutil.rmtree(PODS, ignore_errors=True)


def both(test):
    """The test with ids that were granted, and without."""
    def run_both():
        for ids in (65536, 0):
            grant(ids)
            try:
                test()
            finally:
                run("umount", "/etc/subuid")
                run("umount", "/etc/subgid")
    run_both.__name__ = test.__name__
    return run_both


def granted(test):
    def run_granted():
        grant(65536)
        try:
            test()
        finally:
            run("umount", "/etc/subuid")
            run("umount", "/etc/subgid")
    run_granted.__name__ = test.__name__
    return run_granted


@both
def containers_share_network_ipc_and_name_and_nothing_else():
    address = pod("run", manifest("web", container("a", SLEEP), container("b", SLEEP))).strip()
    assert address == "192.0.2.1", address
    look = "for n in net ipc uts user mnt pid; do readlink /proc/self/ns/$n; done; ip -o -4 addr show eth0"
    one, other = (shell(f"web/{c}", look).splitlines() for c in "ab")
    assert one[:4] == other[:4] and one[4] != other[4] and one[5] != other[5], (one, other)
    assert f"inet {address}/24" in one[6] and one[6] == other[6], one
    assert os.readlink("/proc/self/ns/net") != one[0] and os.readlink("/proc/self/ns/user") != one[3]
    assert shell("web/a", "cat /proc/sys/kernel/hostname") == "web"
    assert shell("web/a", "echo $$; cat /proc/1/cmdline").endswith("sleep\x001000\x00")
    assert "web" in [w for line in shell("web/a", "grep ^192.0.2.1 /etc/hosts").splitlines()
                     for w in line.split()]
    pod("rm", "--force", "web")


@both
def servers_are_reached_on_loopback_from_outside_and_reach_others():
    pod("run", manifest(
        "web", container("a", "mkdir /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www",
                         ports=[{"containerPort": 80, "hostPort": 8080}],
                         readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 1}),
        container("b", SLEEP)))
    until(lambda: any(c["type"] == "Ready" and c["status"] for c in status("web")["conditions"]))
    assert shell("web/b", "wget -q -O - http://127.0.0.1/") == "hello"
    assert shell("web/b", "wget -q -O - http://web/") == "hello"
    fetch = ["wget", "-q", "-O", "-"]
    assert run("busybox", *fetch, "http://127.0.0.1:8080/") == "hello\n"
    got = inside(FAR.netns, lambda: run("busybox", *fetch, "http://192.0.2.1:8080/"))
    assert got == "hello\n", got
    assert shell("web/b", "sleep 0.3 | nc -w 5 192.0.2.2 5000") == "far sees 192.0.2.1"
    pod("rm", "--force", "web")


@both
def programs_end_with_their_status_and_are_started_again():
    pod("run", manifest("job", container("a", "echo out; echo err >&2; exit 7"), restartPolicy="Never"))
    until(lambda: status("job")["phase"] == "Failed")
    assert sorted(pod("logs", "job").splitlines()) == ["err", "out"]
    ended = status("job")["containers"][0]["state"]["terminated"]
    assert ended["exitCode"] == 7, ended
    pod("rm", "job")
    pod("run", manifest("again", container("a", "test -e /once && exec sleep 1000; touch /once; exit 1"),
                        restartPolicy="OnFailure"))
    until(lambda: restarted("again"))
    done = as_user(f"{PROGRAMS}/ocirt-pod", "exec", "again", "sh", "-c", "exit 9")
    assert done.returncode == 9, done
    pod("stop", "--time", "0", "again")
    pod("rm", "again")


@both
def a_shim_that_is_killed_is_followed_by_one_that_adopts():
    pod("run", manifest("web", container("a", "echo there > /mine; exec httpd -f -p 80",
                                         ports=[{"containerPort": 80, "hostPort": 8080}]),
                        container("b", SLEEP)))
    before = [c["process"] for c in status("web")["containers"]]
    kill(shim("web"))
    assert before == [c["process"] for c in status("web")["containers"]], before
    assert shell("web/b", "wget -q -O - http://127.0.0.1/mine") == "there"
    assert run("busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/mine") == "there\n"
    # Its root is still mounted where a new instance of it looks for it.
    os.kill(before[0]["pid"], signal.SIGKILL)
    until(lambda: restarted("web"))
    assert shell("web/a", "ls /mine; readlink /proc/self/ns/net") == \
        "/mine\n" + shell("web/b", "readlink /proc/self/ns/net")
    pod("rm", "--force", "web")


@both
def of_a_pod_whose_shim_and_holder_were_killed_nothing_is_left():
    pod("run", manifest("web", container("a", "touch /mine; exec sleep 1000")))
    kill(shim("web"))
    kill(holder("web"))
    said = as_user(f"{PROGRAMS}/ocirt-pod", "exec", "web", "true").stderr
    assert "the process that kept its namespaces has been killed as well" in said, said
    pod("rm", "--force", "web")


@granted
def at_whatever_moment_a_making_is_killed_nothing_is_left():
    file = manifest("web", container("a", SLEEP))
    for step in range(10):
        maker = subprocess.Popen(
            ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
             f"{PROGRAMS}/ocirt-pod", "run", file], cwd="/", stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={"HOME": HOME, "XDG_RUNTIME_DIR": RUNTIME, "PATH": os.environ["PATH"]})
        time.sleep(step * 0.01)
        maker.kill()
        maker.wait()
        for pid in children():
            if "ocirt-shim" in command_line(pid):
                kill(pid)
        # The next command takes away what is left, once a shim that was just being started is there.
        until(lambda: as_user(f"{PROGRAMS}/ocirt-pod", "rm", "--force", "web").returncode == 0 and
              not leftovers(patience=0))


@both
def a_shared_pid_namespace_ends_with_the_pod():
    pod("run", manifest("web", container("a", SLEEP), container("b", SLEEP), shareProcessNamespace=True))
    assert shell("web/a", "ps | grep -c '[s]leep 1000'") == "2"
    assert shell("web/a", "readlink /proc/self/ns/pid") == shell("web/b", "readlink /proc/self/ns/pid")
    pod("rm", "--force", "web")


@both
def the_hosts_network_pids_and_ipc_can_be_shared():
    pod("run", manifest("web", container("a", SLEEP), hostNetwork=True, hostPID=True, hostIPC=True))
    for kind in ("net", "pid", "ipc", "uts"):
        assert shell("web", f"readlink /proc/self/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")
    pod("rm", "--force", "web")


@both
def who_may_not_lower_the_oom_score_raises_it_only():
    asks = {"resources": {"requests": {"memory": "1Pi"}}}
    pod("run", manifest("least", container("a", SLEEP)))
    pod("run", manifest("asks", container("a", SLEEP, **asks), shareProcessNamespace=True))
    assert shell("least/a", "cat /proc/self/oom_score_adj") == "1000"
    assert shell("asks/a", "cat /proc/self/oom_score_adj") == "3"
    pod("rm", "--force", "--all")
    done = as_user("choom", "-n", "500", "--", f"{PROGRAMS}/ocirt-pod", "run", manifest("asks", container("a", SLEEP, **asks)))
    assert done.returncode == 0, done.stderr
    assert shell("asks/a", "cat /proc/self/oom_score_adj") == "500"
    pod("rm", "--force", "--all")


@granted
def granted_ids_are_users_of_the_pod():
    pod("run", manifest("web", container("a", SLEEP, volumeMounts=[{"name": "v", "mountPath": "/v"}]),
                        volumes=[{"name": "v", "emptyDir": {}}],
                        securityContext={"runAsUser": 1000, "runAsGroup": 2000, "fsGroup": 3000,
                                         "supplementalGroups": [4000]}))
    assert shell("web", "id") == "uid=1000 gid=2000 groups=3000,4000" or \
        shell("web", "id").startswith("uid=1000 gid=2000 groups="), shell("web", "id")
    assert shell("web", "touch /v/x; stat -c '%u %g' /v/x") == "1000 3000"
    pid = status("web")["containers"][0]["process"]["pid"]
    assert os.stat(f"/proc/{pid}").st_uid == GRANTED + 999
    # A file of that user's, in a directory that only it may change, goes too.
    shell("web", "mkdir -p /v/deep/er; touch /v/deep/er/x")
    pod("rm", "--force", "web")


@both
def limits_take_a_cgroup_of_the_users_own():
    """As below user@.service: version 2, and the cgroup above ours is the user's."""
    run("umount", "--recursive", "/sys/fs/cgroup", check=False)
    run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    top = f"/sys/fs/cgroup/ocirt-ordinary-{os.getpid()}"
    os.makedirs(f"{top}/session")
    for path in (top, f"{top}/cgroup.procs", f"{top}/cgroup.subtree_control"):
        os.chown(path, USER, USER)
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        before = [line for line in file if line.startswith("0::")][0][3:].strip()
    move(f"{top}/session")
    try:
        pod("run", manifest("web", container("a", SLEEP), container("b", SLEEP)))
        pid = status("web")["containers"][0]["process"]["pid"]
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            assert f"0::{top[14:]}/ocirt/web/a\n" in file.read()
        assert shell("web/a", "cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs") .endswith(
            "0::/\n/sys/fs/cgroup/cgroup.procs")
        assert "web" in pod("stats", "--no-stream", "web")
        pod("rm", "--force", "web")
        assert not [n for n in os.listdir(f"{top}/ocirt") if os.path.isdir(f"{top}/ocirt/{n}")] \
            if os.path.exists(f"{top}/ocirt") else True
    finally:
        move(f"/sys/fs/cgroup{before}")
        until(lambda: is_empty(top))  # the shim ends after its answer
        for base, _, _ in os.walk(top, topdown=False):
            os.rmdir(base)
        run("umount", "/sys/fs/cgroup")


def is_empty(cgroup):
    with open(f"{cgroup}/cgroup.events", encoding="utf-8") as file:
        return "populated 0" in file.read()


def move(cgroup):
    with open(f"{cgroup}/cgroup.procs", "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))


def what_an_ordinary_user_cannot_have_is_refused():
    grant(0)
    said = refusal("run", manifest("web", container("a", SLEEP, securityContext={"runAsUser": 1000})))
    assert "runAsUser: 1000 is none of the 1 ids of a pod of this user; more take programs newuidmap" in said, said
    said = refusal("run", manifest("web", container("a", SLEEP), securityContext={"fsGroup": 3000}))
    assert "supplementalGroups: 3000 is none of the 1 ids" in said, said
    run("umount", "/etc/subuid")
    run("umount", "/etc/subgid")
    said = refusal("run", manifest("web", container("a", SLEEP, resources={"limits": {"memory": "10Mi"}})))
    assert "resources: not supported: limits and weights take a cgroup" in said, said
    pod("run", manifest("web", container("a", SLEEP)))
    said = refusal("stats", "--no-stream", "web")
    assert "not supported: pod web has no cgroup" in said, said
    pod("rm", "--force", "web")
    said = refusal("run", manifest("web", container("a", SLEEP), annotations={"ocirt.pod/network": "cni:x"}))
    assert "not supported: CNI plugins for an ordinary user" in said, said
    said = refusal("run", manifest("web", container("a", SLEEP, ports=[{"containerPort": 80, "hostPort": 80}])))
    assert "host port tcp 80: an ordinary user may not have it" in said, said
    with Server(None, "x", 8080):
        said = refusal("run", manifest("web", container("a", SLEEP, ports=[{"containerPort": 80, "hostPort": 8080}])))
        assert "host port tcp 8080 is in use" in said, said
    said = refusal("run", manifest("web", container("a", SLEEP)), env={"XDG_RUNTIME_DIR": None})
    assert "/run/ocirt/pods: cannot be made by this user; set XDG_RUNTIME_DIR" in said, said
    os.mkdir("/run/few")
    for name in ("setpriv", "sh"):
        os.symlink(shutil.which(name), f"/run/few/{name}")
    said = refusal("run", manifest("web", container("a", SLEEP)), env={"PATH": "/run/few"})
    assert "not supported: networks for pods of ordinary users need the program pasta" in said, said


if __name__ == "__main__":
    enter_private_host()
    os.environ["PRIVATE_HOST"] = ""
    LIBC.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    make_user()
    FAR = Client()
    run("ip", "route", "add", "default", "via", "192.0.2.2")
    far = Server(FAR.netns, "far", 5000)
    KNOWN.append(far.pid)
    try:
        code = main([containers_share_network_ipc_and_name_and_nothing_else,
                 servers_are_reached_on_loopback_from_outside_and_reach_others,
                 programs_end_with_their_status_and_are_started_again,
                 a_shim_that_is_killed_is_followed_by_one_that_adopts,
                 of_a_pod_whose_shim_and_holder_were_killed_nothing_is_left,
                 at_whatever_moment_a_making_is_killed_nothing_is_left,
                 a_shared_pid_namespace_ends_with_the_pod,
                 the_hosts_network_pids_and_ipc_can_be_shared,
                 who_may_not_lower_the_oom_score_raises_it_only,
                 granted_ids_are_users_of_the_pod,
                 what_an_ordinary_user_cannot_have_is_refused,
                 limits_take_a_cgroup_of_the_users_own], leftovers, clean_up)
    finally:
        clean_up()
        far.close()
        FAR.close()
    sys.exit(code)
