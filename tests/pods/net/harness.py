"""A host of our own to make pods on: a network and a mount namespace that end with this process.

The test program starts itself anew inside (enter_private_host), where /run is an empty tmpfs and the
only network device is the loopback one. Nothing of the machine is touched, whatever fails. Pods are
asked for as the shim does: one request on ocirt-net's standard input, one line of answer.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
NET = os.path.join(os.path.abspath(os.path.join(TOP, os.environ.get("BUILD", "build"))), "ocirt-net")
PODS = "/run/pods"
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
FORWARDING = ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")


def enter_private_host():
    if os.environ.get("PRIVATE_HOST") == str(os.getppid()):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        os.mkdir(PODS)
        for path in FORWARDING:  # inherited from the machine, where there may be pods
            if os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    file.write("0")
        return
    os.environ["PRIVATE_HOST"] = str(os.getpid())
    child = subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    sys.exit(child.returncode)


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


class Refused(Exception):
    pass


class Pod:
    """One pod's directory and requests."""

    def __init__(self, name, uid=None, ports=(), **more):
        self.name = name
        self.directory = f"{PODS}/{name}"
        self.netns = f"/run/netns/ocirt-{name}"
        self.hosts = f"{self.directory}/hosts"
        self.fields = {"name": name, "uid": uid or f"uid-{name}", "mode": "bridge",
                       "netns": self.netns, "directory": self.directory, "hosts": self.hosts,
                       "ports": [self.port(p) for p in ports]}
        self.fields.update(more)
        self.netns = self.fields["netns"]
        self.answer = None
        os.makedirs(self.directory, exist_ok=True)
        if not os.path.exists(self.hosts):
            with open(self.hosts, "w", encoding="utf-8") as file:
                file.write("127.0.0.1 localhost\n::1 localhost\n")

    @staticmethod
    def port(text):
        """"8080:80", "127.0.0.1:8080:80/udp", "[::1]:1:2/tcp" """
        text, _, protocol = text.partition("/")
        host, _, pod_port = text.rpartition(":")
        address, _, host_port = host.rpartition(":")
        return {"protocol": protocol or "tcp", "hostIP": address.strip("[]"),
                "hostPort": int(host_port), "podPort": int(pod_port)}

    def request(self, verb, **more):
        return "pod " + json.dumps({"verb": verb, **self.fields, **more}) + "\n"

    def ask(self, verb, prefix=(), **more):
        done = subprocess.run([*prefix, NET], input=self.request(verb, **more),
                              capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if line]
        if not lines or not lines[-1].startswith("ok"):
            raise Refused(lines[-1] if lines else f"no answer, {done.returncode}: {done.stderr}")
        return json.loads(lines[-1][3:] or "null")

    def up(self, **more):
        self.answer = self.ask("up", **more)
        return self

    def down(self, **more):
        self.ask("down", **more)

    def refusal(self, verb="up", **more):
        try:
            self.ask(verb, **more)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"{verb} of {self.name} was not refused")

    @property
    def ip(self):
        return self.answer["addresses"][0].partition("/")[0]

    @property
    def ip6(self):
        return self.answer["addresses"][1].partition("/")[0]

    def names(self):
        """What /etc/hosts says: name -> addresses."""
        found = {}
        with open(self.hosts, encoding="utf-8") as file:
            for line in file:
                address, *names = line.partition("#")[0].split() or [None]
                for name in names:
                    found.setdefault(name, []).append(address)
        return found


def setns(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


def inside(netns, work):
    """The result of work() in the namespace (None: here): in a child, by a pipe."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if netns:
                setns(netns)
            result = {"result": work()}
        except BaseException as error:  # pylint: disable=broad-except
            result = {"error": repr(error)}
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = json.loads(pipe.read() or b'{"error": "died"}')
    os.waitpid(child, 0)
    if "error" in answer:
        raise AssertionError(f"in {netns}: {answer['error']}")
    return answer["result"]


KINDS = {"tcp": (socket.SOCK_STREAM, 0), "udp": (socket.SOCK_DGRAM, 0),
         "sctp": (socket.SOCK_STREAM, 132)}


class Server:
    """Answers every client with "NAME sees ADDRESS", in a namespace, until it is closed."""

    def __init__(self, netns, name, port, protocol="tcp", family=socket.AF_INET, address=""):
        ready, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                LIBC.prctl(1, signal.SIGKILL)
                if netns:
                    setns(netns)
                kind, number = KINDS[protocol]
                sock = socket.socket(family, kind, number)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port))
                if protocol != "udp":
                    sock.listen(64)
                os.write(told, b"x")
                while True:
                    if protocol == "udp":
                        _, peer = sock.recvfrom(100)
                        sock.sendto(f"{name} sees {peer[0]}".encode(), peer)
                    else:
                        client, peer = sock.accept()
                        client.sendall(f"{name} sees {peer[0]}".encode())
                        client.close()
            finally:
                os._exit(1)
        os.close(told)
        started = os.read(ready, 1) == b"x"
        os.close(ready)
        if not started:
            raise AssertionError(f"server {name} on port {port} did not start")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask_server(address, port, protocol="tcp", timeout=2.0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind, number = KINDS[protocol]
    with socket.socket(family, kind, number) as sock:
        sock.settimeout(timeout)
        sock.connect((address, port))
        if protocol == "udp":
            sock.send(b"hello")
        return sock.recv(100).decode()


def asks(netns, address, port, protocol="tcp", timeout=2.0):
    return inside(netns, lambda: ask_server(address, port, protocol, timeout))


class Client:
    """Another machine: a namespace with a cable to the host, 192.0.2.2 and 2001:db8::2."""

    def __init__(self, name="client"):
        self.netns = f"/run/netns/{name}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", "192.0.2.1/24", "dev", "wire")
        run("ip", "addr", "add", "2001:db8::1/64", "dev", "wire", "nodad")
        run("ip", "link", "set", "wire", "up")
        for command in ("link set lo up", "addr add 192.0.2.2/24 dev eth0",
                        "addr add 2001:db8::2/64 dev eth0 nodad", "link set eth0 up"):
            run("ip", "-n", name, *command.split())
        self.name = name

    def close(self):
        run("ip", "netns", "del", self.name)
        run("ip", "link", "del", "wire", check=False)


class Service:
    """A mount namespace that gets the host's mounts and keeps its own, as systemd makes one for PrivateTmp."""

    def __init__(self):
        os.makedirs("/run/private", exist_ok=True)
        mounts = "mount -t tmpfs none /run/private && mkdir /run/private/pod && echo ready && exec sleep 1000"
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--mount", "--propagation", "slave", "sh", "-c", mounts], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        self.prefix = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt"]

    def sees(self, path):
        return f"/proc/{self.process.pid}/root{path}"

    def close(self):
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()
        run("rm", "-rf", "/run/private")


def leftovers():
    """What there is of pods on this host: must be empty when none is left."""
    found = [line for line in run("ip", "-o", "link").splitlines() if ": lo:" not in line]
    found += run("nft", "list", "tables").splitlines()
    found += [name for name in os.listdir("/run/netns")] if os.path.exists("/run/netns") else []
    # /run/netns itself is a mount since the first pin, as ip-netns(8) has it.
    found += [line for line in open("/proc/self/mountinfo", encoding="utf-8")
              if " /run/" in line and " /run/netns " not in line]
    for base, _, names in os.walk("/run"):
        found += [os.path.join(base, n) for n in names if not n == "hosts"]
    if os.path.exists("/run/ocirt/network"):
        found.append("/run/ocirt/network")
    for path in FORWARDING:
        if os.path.exists(path) and open(path, encoding="utf-8").read().strip() != "0":
            found.append(path)
    return found


def clean_up():
    """After a test that failed in the middle."""
    run("ip", "link", "del", "wire", check=False)
    run("ip", "netns", "del", "client", check=False)
    for name in sorted(os.listdir(PODS)):
        path = f"{PODS}/{name}/network.json"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                request = {**json.load(file)["request"], "verb": "down", "force": True}
            subprocess.run([NET], input="pod " + json.dumps(request), capture_output=True,
                           text=True, check=False)
    run("sh", "-c", "rm -rf /run/pods/* /run/cni")


def main(tests, look=leftovers, clean=clean_up):
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or any(w in t.__name__ for w in wanted)]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        text = test.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            reason = test()
            left = look()
            if left:
                raise AssertionError(f"left behind: {left}")
            skip = f" # SKIP {reason}" if isinstance(reason, str) else ""
            print(f"ok {number} - {text}{skip}", flush=True)
        except (AssertionError, Refused, OSError, subprocess.SubprocessError, KeyError) as error:
            failed += 1
            trace = error.__traceback__
            while trace.tb_next and trace.tb_next.tb_frame.f_code.co_filename == trace.tb_frame.f_code.co_filename:
                trace = trace.tb_next
            print(f"not ok {number} - {text}\n# line {trace.tb_lineno}: {error!r}", flush=True)
            clean()
        if os.environ.get("TIMES"):
            print(f"# {time.monotonic() - started:.2f} s", flush=True)
    return 1 if failed else 0
