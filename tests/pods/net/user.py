#!/usr/bin/env python3
"""Pods of an ordinary user, with pasta. Prints TAP.

The user is root of a user and a mount namespace that own nothing else: the network is not theirs.
"""

import os
import subprocess
import sys
import time

from harness import Client, Pod, Server, asks, enter_private_host, main, run

PINS = "/run/pods/pins"


def pod(name="web", **more):
    return Pod(name, mode="user", netns=f"{PINS}/{name}", **more)


def pastas():
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                words = file.read().split()
            if words[1].startswith(("(pasta", "(passt")) and words[2] != "Z":
                found.append(pid)
        except OSError:
            pass
    return found


def leftovers():
    found = [os.path.join(base, name) for base, _, names in os.walk("/run/pods") for name in names
             if name != "hosts"]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        found += [line for line in file if PINS in line]
    return found + pastas()


def a_pod_reaches_other_machines_and_publishes_ports():
    web = pod(ports=["8080:80", "127.0.0.1:5300:5300/udp"]).up()
    assert web.answer["addresses"] == ["192.0.2.1/24"] and web.answer["interface"] == "eth0"
    assert asks(web.netns, "192.0.2.2", 5000) == "far sees 192.0.2.1"
    with Server(web.netns, "web", 80), Server(web.netns, "web", 5300, "udp"):
        assert asks(None, "127.0.0.1", 8080).startswith("web sees ")
        assert asks(None, "127.0.0.1", 5300, "udp").startswith("web sees ")
    web.ask("check")
    web.down()
    web.down()


def a_port_inside_is_not_published_by_itself():
    web = pod().up()
    with Server(web.netns, "web", 8090):
        try:
            asks(None, "127.0.0.1", 8090)
            raise KeyError("reached")
        except AssertionError as error:
            assert "refused" in str(error), error
    web.down()


def what_an_ordinary_user_cannot_have_is_refused():
    assert "host port tcp 80: an ordinary user may not have it" in pod(ports=["80:80"]).refusal()
    assert "pasta knows no SCTP" in pod(ports=["8080:80/sctp"]).refusal()
    assert "both have to be the same for UDP" in pod(ports=["5300:53/udp"]).refusal()
    with Server(None, "x", 8080):
        assert "host port tcp 8080 is in use: python3" in pod(ports=["8080:80"]).refusal()
    web = pod(ports=["8080:80"]).up()
    said = pod("late", ports=["8080:80"]).refusal()
    assert "host port tcp 8080 is in use: pas" in said, said
    web.down()
    said = Pod("web", mode="bridge").refusal()
    assert "not supported: a bridge for an ordinary user" in said, said


def a_pasta_that_cannot_start_says_why():
    os.environ["PATH"], path = "/nowhere", os.environ["PATH"]
    said = pod().refusal()
    os.environ["PATH"] = path
    assert "not supported: networks for pods of ordinary users need the program pasta" in said, said
    run("mount", "--bind", "/dev/null", "/dev/net/tun")
    said = pod().refusal()
    run("umount", "/dev/net/tun")
    assert "pasta: Failed to" in said, said


def pasta_starts_with_no_signal_ignored_or_blocked():
    web = pod().up(prefix=["env", "--ignore-signal=HUP,USR1", "--block-signal=TERM,USR2"])
    with open(f"{web.directory}/pasta.pid", encoding="utf-8") as file:
        status = f"/proc/{int(file.read())}/status"
    with open(status, encoding="utf-8") as file:
        signals = dict(line.split() for line in file if line.startswith(("SigIgn", "SigBlk")))
    assert not {number for number in (1, 10, 12, 15) for value in signals.values()
                if int(value, 16) & 1 << (number - 1)}, signals
    web.down()


def a_pasta_that_was_killed_is_noticed_and_cleaned_up():
    web = pod().up()
    with open(f"{web.directory}/pasta.pid", encoding="utf-8") as file:
        pasta = int(file.read())
    os.kill(pasta, 9)
    while str(pasta) in pastas():
        time.sleep(0.01)
    assert "its pasta has ended" in web.refusal("check")
    web.down()


if __name__ == "__main__":
    if os.environ.get("AS_USER") != "1":
        enter_private_host()
        client = Client()
        run("ip", "route", "add", "default", "via", "192.0.2.2")
        with Server(client.netns, "far", 5000):
            done = subprocess.run(
                ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private",
                 sys.executable, *sys.argv], env={**os.environ, "AS_USER": "1"}, check=False)
        client.close()
        sys.exit(done.returncode)
    os.mkdir(PINS)
    sys.exit(main([a_pod_reaches_other_machines_and_publishes_ports,
                   a_port_inside_is_not_published_by_itself,
                   what_an_ordinary_user_cannot_have_is_refused,
                   a_pasta_that_cannot_start_says_why,
                   pasta_starts_with_no_signal_ignored_or_blocked,
                   a_pasta_that_was_killed_is_noticed_and_cleaned_up], leftovers))
