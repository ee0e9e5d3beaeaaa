#!/usr/bin/env python3
"""The machine's one network, as ocirt-pod meets it: pods of two --roots share bridge, addresses and
ports, and what cannot be had is one line, with nothing left. Prints TAP.

What ocirt-net does by itself is in bridge.py and cni.py.
"""

import json
import os
import shutil
import subprocess
import sys

from harness import LIBC, NET, Pod, Server, asks, enter_private_host, leftovers, main, run

PROGRAM = os.path.join(os.path.dirname(NET), "ocirt-pod")
IMAGE = "/run/work/image"
ROOTS = ("/run/work/one", "/run/work/two")
# Their cgroups are the machine's, where there may be pods.
FRONT, BACK, LATE = (f"{name}-{os.getpid()}" for name in ("front", "back", "late"))


def call(root, *words):
    command = [PROGRAM, "--root", root, "--state-dir", f"{root}-state", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def make(root, name, ports=(), network=None, host=False):
    path = f"/run/work/{name}.yaml"
    serve = f"echo hello from {root[-3:]} > /index.html; exec httpd -f -p 80"
    one = {"name": "a", "image": f"rootfs:{IMAGE}", "command": ["sh", "-c", serve],
           "ports": [{"containerPort": 80, "hostPort": port} for port in ports]}
    metadata = {"name": name}
    if network:
        metadata["annotations"] = {"ocirt.pod/network": network}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
                   "spec": {"hostNetwork": host, "terminationGracePeriodSeconds": 0, "containers": [one]}}, file)
    return call(root, "run", path)


def restarts(root, name):
    status = json.loads(call(root, "inspect", name).stdout)[0]["status"]["containers"][0]
    assert "running" in status["state"], status
    return status["restartCount"]


def made(*words, **more):
    done = make(*words, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(*words, **more):
    """One line, and no pod."""
    done = make(*words, **more)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, (done.returncode, done.stderr)
    name = words[1]
    assert not os.path.exists(f"{words[0]}/{name}"), name
    return done.stderr


def remove(root, *names):
    done = call(root, "rm", "--force", *(names or ["--all"]))
    assert done.returncode == 0, done.stderr


def two_roots_share_the_network_of_the_machine():
    one, other = ROOTS
    address = made(one, FRONT)
    beside = made(other, BACK)
    assert address != beside and address.rpartition(".")[0] == beside.rpartition(".")[0], (address, beside)
    said = call(one, "exec", FRONT, "wget", "-q", "-O", "-", f"http://{beside}/").stdout
    assert said == "hello from two\n", said
    said = call(other, "exec", BACK, "wget", "-q", "-O", "-", f"http://{FRONT}/").stdout
    assert said == "hello from one\n", said
    # The one that goes leaves the network to the other.
    remove(one)
    assert beside in run("ip", "-n", f"ocirt-{BACK}", "-o", "-4", "addr", "show", "eth0")
    assert "ocirt0" in run("ip", "-o", "link")
    remove(other)


def a_name_is_had_once_on_a_machine():
    made(ROOTS[0], FRONT)
    said = refused(ROOTS[1], FRONT)
    assert f"/run/netns/ocirt-{FRONT} exists already" in said, said
    assert call(ROOTS[0], "exec", FRONT, "true").returncode == 0
    assert restarts(ROOTS[0], FRONT) == 0
    remove(ROOTS[0])
    made(ROOTS[0], FRONT, host=True)
    said = refused(ROOTS[1], FRONT, host=True)
    assert f"/ocirt/{FRONT} has processes: a pod {FRONT} runs on this machine already" in said, said
    assert restarts(ROOTS[0], FRONT) == 0
    remove(ROOTS[0])


def a_port_of_the_host_is_had_once_on_a_machine():
    made(ROOTS[0], FRONT, ports=[8080])
    said = refused(ROOTS[0], LATE, ports=[8080])
    assert f"port 8080/TCP of the host, which container a publishes, is already published by pod {FRONT}" in said, said
    said = refused(ROOTS[1], BACK, ports=[8080])
    assert "host port tcp 8080" in said and FRONT in said, said
    remove(ROOTS[0])
    with Server(None, "x", 8080):
        said = refused(ROOTS[0], FRONT, ports=[8080])
    assert "host port tcp 8080 is in use: python3" in said, said


def an_exhausted_pool_is_refused():
    # A network of two addresses but the bridge's, which its first pod has chosen.
    first = Pod("first", subnet4="10.200.0.0/29", subnet6="none").up()
    for number in range(4):
        made(ROOTS[number % 2], f"{LATE}-{number}")
    said = refused(ROOTS[0], LATE)
    assert "10.200.0.0/29" in said, said
    remove(ROOTS[1], f"{LATE}-1")
    assert made(ROOTS[0], LATE).startswith("10.200.0.")
    for root in ROOTS:
        remove(root)
    first.down()


def a_plugin_that_fails_is_quoted():
    os.makedirs("/run/work/cni")
    os.makedirs("/etc/cni/net.d", exist_ok=True)
    run("mount", "-t", "tmpfs", "none", "/etc/cni/net.d")
    run("mount", "-t", "tmpfs", "none", "/usr/lib/cni")
    with open("/usr/lib/cni/fails", "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\n'
                   'echo \'{"cniVersion": "1.0.0", "code": 11, "msg": "no room"}\'; exit 1\n')
    os.chmod("/usr/lib/cni/fails", 0o755)
    with open("/etc/cni/net.d/x.conflist", "w", encoding="utf-8") as file:
        json.dump({"cniVersion": "1.0.0", "name": "x", "plugins": [{"type": "fails"}]}, file)
    said = refused(ROOTS[0], FRONT, network="cni:x")
    assert "no room" in said, said
    said = refused(ROOTS[0], FRONT, network="cni:none")
    assert '"none"' in said or "none" in said, said
    run("umount", "/etc/cni/net.d")
    run("umount", "/usr/lib/cni")


def left():
    shutil.rmtree("/run/pods/first", ignore_errors=True)
    found = [one for one in leftovers() if not one.startswith("/run/work/") or "/.lock" not in one]
    found = [one for one in found if not one.startswith(("/run/work/image", "/run/work/front.yaml"))
             and not one.endswith(".yaml")]
    return found


def clean_up():
    for root in ROOTS:
        call(root, "rm", "--force", "--all")


if __name__ == "__main__":
    enter_private_host()
    LIBC.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    os.makedirs(f"{IMAGE}/bin")
    shutil.copy("/bin/busybox", f"{IMAGE}/bin")
    for tool in ("sh", "echo", "httpd", "true", "wget"):
        os.symlink("busybox", f"{IMAGE}/bin/{tool}")
    sys.exit(main([two_roots_share_the_network_of_the_machine,
                   a_name_is_had_once_on_a_machine,
                   a_port_of_the_host_is_had_once_on_a_machine,
                   an_exhausted_pool_is_refused,
                   a_plugin_that_fails_is_quoted], left, clean_up))
