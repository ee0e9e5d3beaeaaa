#!/usr/bin/env python3
"""Many pods of ocirt-pod at once, and pods that come and go while others are being used.

The pods are real ones with a web server that says its pod's name, on the bridge of a host of our
own. Prints TAP, and what it has measured as comments. PODS=N in the environment: how many at once.
"""

import json
import os
import shutil
import socket
import subprocess
import time

from harness import (NET, PODS, Client, enter_private_host, leftovers, main, run, setns)

PROGRAM = os.path.join(os.path.dirname(NET), "ocirt-pod")
PREFIX = f"many{os.getpid()}"  # cgroups are the machine's
COUNT = int(os.environ.get("PODS", "100"))
SCRATCH = "/run/scratch"
IMAGE = f"{SCRATCH}/image"


def pod(*words):
    return run(PROGRAM, "--root", PODS, "--state-dir", f"{SCRATCH}/state", *words)


def pod_begun(*words):
    return subprocess.Popen([PROGRAM, "--root", PODS, "--state-dir", f"{SCRATCH}/state", *words],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_file(name, ports="[]", page="$(hostname)", env="[]"):
    """A pod file with a web server; its path."""
    if not os.path.exists(IMAGE):
        os.makedirs(f"{IMAGE}/bin")
        os.makedirs(f"{IMAGE}/www")
        shutil.copy("/bin/busybox", f"{IMAGE}/bin/busybox")
        for applet in ("sh", "hostname", "httpd"):
            os.symlink("busybox", f"{IMAGE}/bin/{applet}")
    path = f"{SCRATCH}/{name}.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: 'rootfs:{IMAGE}'
    command: [sh, -c, 'echo {page} > /www/index.html; exec httpd -f -p 80 -h /www']
    env: {env}
    ports: {ports}
    readinessProbe: {{tcpSocket: {{port: 80}}, periodSeconds: 1}}
""")
    return path


def ask_web(address, port=80, timeout=30.0):
    """The body of the page / at an address."""
    with socket.create_connection((address, port), timeout=timeout) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := sock.recv(4096):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise OSError(f"{address}: {head.splitlines()[0]}")
    return body.decode().strip()


def ask_soon(address, port=80):
    """The same, of a server that has just been started."""
    end = time.monotonic() + 60
    while True:
        try:
            return ask_web(address, port)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


class Traffic:
    """One request after the other, in a namespace (None: here), until it is asked how it went."""

    def __init__(self, netns, address, port, expected):
        reader, self.stop = os.pipe()
        self.answer, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.stop)
            os.set_blocking(reader, False)
            if netns:
                setns(netns)
            count, wrong = 0, ""
            while not wrong and not self.told(reader):
                try:
                    said = ask_web(address, port)
                    wrong = "" if said == expected else f"{said} answered"
                except OSError as error:
                    wrong = f"after {count} requests: {error!r}"
                count += 1
            os.write(writer, f"{count} {wrong}".encode())
            os._exit(0)
        os.close(reader)
        os.close(writer)

    @staticmethod
    def told(reader):
        try:
            os.read(reader, 1)
            return True
        except BlockingIOError:
            return False

    def end(self):
        """How many requests there were, all answered."""
        os.write(self.stop, b"x")
        os.close(self.stop)
        with os.fdopen(self.answer) as pipe:
            count, _, wrong = pipe.read().partition(" ")
        os.waitpid(self.pid, 0)
        assert not wrong, wrong
        return int(count)


def processes_left():
    """Of this mount namespace, which is ours alone. Those of containers are in their cgroups."""
    found, here = [], os.readlink("/proc/self/ns/mnt")
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(number) != os.getpid() and os.readlink(f"/proc/{number}/ns/mnt") == here:
                with open(f"/proc/{number}/comm", encoding="utf-8") as file:
                    found.append(f"process {number}: {file.read().strip()}")
        except OSError:
            continue
    return found


def ours_left():
    """What of these tests is left on the machine, beside what leftovers() looks at."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    lock = f"{PODS}/.lock"
    if os.path.exists(lock):
        os.unlink(lock)
    found = leftovers()
    # rm returns when nothing of the pod is left but its shim's last system calls.
    end = time.monotonic() + 5
    while processes_left() and time.monotonic() < end:
        time.sleep(0.01)
    found += processes_left()
    for base, directories, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(base, name) for name in directories if name.startswith(PREFIX)]
    return found


def remove_all():
    pod("rm", "--force", "--all")


def on_a_clean_host(test):
    """Also after a failure nothing of the pods is left."""
    def clean_after():
        try:
            test()
        except BaseException:
            remove_all()
            raise
    clean_after.__name__ = test.__name__
    return clean_after


def many_pods_at_once_have_addresses_of_their_own_and_answer_and_nothing_is_left():
    path = write_file(PREFIX)
    started = time.monotonic()
    # One caller for most of them, and some callers at the same time with one each.
    alone = COUNT // 10
    callers = [pod_begun("scale", path, str(COUNT - alone))]
    callers += [pod_begun("run", "--name", f"{PREFIX}-alone{i}", path) for i in range(alone)]
    addresses = {}
    for number, caller in enumerate(callers):
        out, errors = caller.communicate()
        assert caller.returncode == 0, errors
        for line in out.splitlines():
            name, address = line.split() if number == 0 else (f"{PREFIX}-alone{number - 1}", line)
            addresses[name] = address
    made = time.monotonic()
    assert len(addresses) == COUNT and len(set(addresses.values())) == COUNT, addresses
    for name, address in addresses.items():
        said = ask_soon(address)
        assert said == name, f"{said} answers at {address} of {name}"
    asked = time.monotonic()
    # They find each other by name, and that of the last is known to the first.
    first, last = f"{PREFIX}-0", f"{PREFIX}-{COUNT - alone - 1}"
    hosts = pod("exec", first, "busybox", "cat", "/etc/hosts")
    found = [line.split()[0] for line in hosts.splitlines() if line.split()[1:] == [last]]
    assert addresses[last] in found, found
    assert len(pod("ps", "--quiet").splitlines()) == COUNT
    begun = time.monotonic()
    remove_all()
    print(f"# {COUNT} pods: made in {made - started:.1f} s, asked in {asked - made:.1f} s, "
          f"removed in {time.monotonic() - begun:.1f} s")


def a_container_knows_the_addresses_of_its_pod():
    field = "valueFrom: {{fieldRef: {{fieldPath: status.{}}}}}".format
    path = write_file(PREFIX, page="$HERE $ALL",
                      env=f"[{{name: IP, {field('podIP')}}}, {{name: ALL, {field('podIPs')}}}, "
                          "{name: HERE, value: 'http://$(IP):80'}]")
    for verb in (("run", path), ("restart", PREFIX)):
        pod(*verb)
        addresses = json.loads(pod("ps", "--format", "json"))[0]["podIPs"]
        assert ask_soon(addresses[0]) == f"http://{addresses[0]}:80 {','.join(addresses)}"
        assert pod("exec", PREFIX, "sh", "-c", "echo $IP").strip() == addresses[0]
    remove_all()


def scaling_up_and_down_disturbs_no_request_to_a_pod_that_stays():
    stays = f"{PREFIX}-stays"
    pod("run", write_file(stays, "[{containerPort: 80, hostPort: 8080}]"))
    path = write_file(PREFIX)
    first = pod("scale", path, "1").split()[1]
    client = Client()
    try:
        ask_soon(first)
        ask_soon("192.0.2.1", 8080)
        traffic = [Traffic(None, first, 80, f"{PREFIX}-0"),
                   Traffic(client.netns, "192.0.2.1", 8080, stays)]
        counts = []
        try:
            for number in (8, 2, 12, 1, 6, 1):
                pod("scale", path, str(number))
        finally:
            counts += [one.end() for one in traffic]
        assert min(counts) >= 20, counts
        print(f"# {counts[0]} requests to the pod's address, {counts[1]} to the published port")
    finally:
        client.close()
    remove_all()


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([on_a_clean_host(test) for test in (
        many_pods_at_once_have_addresses_of_their_own_and_answer_and_nothing_is_left,
        a_container_knows_the_addresses_of_its_pod,
        scaling_up_and_down_disturbs_no_request_to_a_pod_that_stays,
    )], ours_left))
