#!/usr/bin/env python3
"""Pods on CNI networks: the real plugins of Debian, and made up ones that fail and hang. Prints TAP."""

import json
import os
import signal
import subprocess
import time

from harness import (NET, Client, Pod, Server, Service, asks, enter_private_host, inside, leftovers,
                     main, run)

CONF = "/run/cni/net.d"
BIN = "/run/cni/bin"
LOG = "/run/cni/log"

# Writes one line per call (command, namespace there or not, standard input) and what a test wants.
FAKE = """#!/bin/sh
input=$(cat)
echo "$CNI_COMMAND $(basename $0) ${CNI_NETNS:-gone} $CNI_IFNAME $CNI_CONTAINERID $input" >> /run/cni/log
if [ -e /run/cni/$(basename $0).$CNI_COMMAND ]; then . /run/cni/$(basename $0).$CNI_COMMAND; fi
[ $CNI_COMMAND = ADD ] || exit 0
echo '{"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "x"}],
 "ips": [{"address": "10.9.0.'$(basename $0 | tr -d a-z)'/24", "gateway": "10.9.0.1"}],
 "dns": {"nameservers": ["10.9.0.53"], "search": ["pods.example"]}}'
"""


def prepare():
    os.makedirs(CONF, exist_ok=True)
    os.makedirs(BIN, exist_ok=True)
    for name in ("fake1", "fake2"):
        with open(f"{BIN}/{name}", "w", encoding="utf-8") as file:
            file.write(FAKE)
        os.chmod(f"{BIN}/{name}", 0o755)
    configure("10-fake.conflist", {"cniVersion": "1.0.0", "name": "fake", "plugins": [
        {"type": "fake1", "own": {"kept": [1, 2.50, None, True, "ü"]}},
        {"type": "fake2", "capabilities": {"portMappings": True}}]})


def clear():
    run("sh", "-c", "rm -rf /run/cni")


def configure(file, content):
    with open(f"{CONF}/{file}", "w", encoding="utf-8") as out:
        out.write(content if isinstance(content, str) else json.dumps(content))


def behave(plugin, command, script):
    with open(f"/run/cni/{plugin}.{command}", "w", encoding="utf-8") as file:
        file.write(script)


def pod(name="web", network="fake", **more):
    return Pod(name, mode="cni", cni=network, cniDirectory=CONF,
               cniPath=f"{BIN}:/usr/lib/cni:/opt/cni/bin", **more)


def calls():
    with open(LOG, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(" ", 5) for line in file]
    os.unlink(LOG)
    return [(c, plugin, netns, ifname, ident, json.loads(conf))
            for c, plugin, netns, ifname, ident, conf in lines]


def plugins_are_asked_in_order_and_each_gets_the_result_of_the_one_before():
    prepare()
    web = pod(ports=["8080:80", "127.0.0.1:53:5353/udp"]).up()
    (_, one, netns, ifname, ident, first), (_, two, _, _, _, second) = calls()
    assert (one, two, netns, ifname, ident) == ("fake1", "fake2", web.netns, "eth0", "web-uid-web")
    assert first["name"] == "fake" and first["cniVersion"] == "1.0.0" and "prevResult" not in first
    assert first["own"] == {"kept": [1, 2.50, None, True, "ü"]} and "runtimeConfig" not in first
    assert second["prevResult"]["ips"][0]["address"] == "10.9.0.1/24"
    assert second["runtimeConfig"]["portMappings"] == [
        {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": 53, "containerPort": 5353, "protocol": "udp", "hostIP": "127.0.0.1"}]
    assert web.answer["addresses"] == ["10.9.0.2/24"] and web.answer["gateways"] == ["10.9.0.1"]
    assert web.answer["nameservers"] == ["10.9.0.53"] and web.answer["searches"] == ["pods.example"]
    web.ask("check")
    assert [(c[0], c[1], c[5]["prevResult"]["ips"][0]["address"]) for c in calls()] == [
        ("CHECK", "fake1", "10.9.0.2/24"), ("CHECK", "fake2", "10.9.0.2/24")]
    web.down()
    assert [(c[0], c[1], c[5]["prevResult"]["ips"][0]["address"]) for c in calls()] == [
        ("DEL", "fake2", "10.9.0.2/24"), ("DEL", "fake1", "10.9.0.2/24")]
    clear()


def del_works_from_what_was_kept_when_configuration_and_namespace_are_gone():
    prepare()
    web = pod().up()
    os.unlink(f"{CONF}/10-fake.conflist")
    run("umount", web.netns)
    calls()
    web.down()
    assert [(c[0], c[1], c[2]) for c in calls()] == [("DEL", "fake2", "gone"),
                                                     ("DEL", "fake1", "gone")]
    clear()


def ports_of_a_pod_whose_namespace_is_pinned_out_of_sight_stay_its_own():
    prepare()
    service = Service()
    away = pod("away", ports=["8080:80"]).up(prefix=service.prefix)
    late = pod("late", ports=["8080:80"])
    said = late.refusal()
    assert "is published by pod away already" in said, said
    away.down(prefix=service.prefix)
    late.up().down()
    service.close()
    clear()


def ports_of_a_pod_that_nobody_can_reach_any_more_are_free():
    prepare()
    service = Service()
    away = pod("away", ports=["8080:80"]).up(prefix=service.prefix)
    # As a container whose shim has gone with the service: in mounts of its own.
    enter = [*service.prefix, "nsenter", f"--net={away.netns}", "unshare", "--mount", "sleep", "1000"]
    container = subprocess.Popen(enter)  # pylint: disable=consider-using-with
    until_runs(container.pid, "sleep")
    service.close()
    late = pod("late", ports=["8080:80"])
    said = late.refusal()
    assert "is published by pod away already" in said, said
    container.kill()
    container.wait()
    late.up()
    with open("/run/ocirt/network/cni.json", encoding="utf-8") as file:
        assert [p["name"] for p in json.load(file)["pods"]] == ["late"]
    away.down()
    late.down()
    clear()


def until_runs(pid, name):
    end = time.monotonic() + 10
    while open(f"/proc/{pid}/comm", encoding="utf-8").read().strip() != name:
        assert time.monotonic() < end
        time.sleep(0.01)


def a_plugin_starts_with_no_signal_ignored_or_blocked():
    prepare()
    behave("fake1", "ADD", "cat /proc/self/status > /run/cni/status\n")
    pod().up(prefix=["env", "--ignore-signal=HUP,USR1", "--block-signal=TERM,USR2"]).down()
    with open("/run/cni/status", encoding="utf-8") as file:
        signals = dict(line.split() for line in file if line.startswith(("SigIgn", "SigBlk")))
    # Two of them are glibc's own, which a program that is linked with it leaves ignored in what it starts.
    own = 1 << 31 | 1 << 32
    assert {int(value, 16) & ~own for value in signals.values()} == {0}, signals
    clear()


def a_plugin_that_fails_says_why_in_one_line_and_all_are_asked_to_undo():
    prepare()
    behave("fake2", "ADD", "printf '%s' '{\"code\": 11, \"msg\": \"no addresses\", \"details\": \"try\\nlater\"}'; exit 1\n")
    said = pod().refusal()
    assert said == ("error 0 network of pod web: CNI network fake: plugin fake2: ADD: no addresses "
                    "(try later)"), said
    assert [(c[0], c[1]) for c in calls()] == [("ADD", "fake1"), ("ADD", "fake2"),
                                               ("DEL", "fake2"), ("DEL", "fake1")]
    behave("fake2", "ADD", "echo oh >&2; echo broken pipes >&2; exit 3\n")
    said = pod().refusal()
    assert said.endswith("plugin fake2: ADD: broken pipes"), said
    behave("fake2", "ADD", "echo nonsense; exit 0\n")
    said = pod().refusal()
    assert "plugin fake2: ADD: its result: line 1: this is not JSON" in said, said
    clear()


def a_plugin_that_hangs_is_ended_with_all_that_it_started():
    prepare()
    behave("fake1", "ADD", "sleep 98765 & sleep 98765\n")
    started = time.monotonic()
    said = pod(pluginTimeoutSeconds=1).refusal()
    assert "plugin fake1: ADD: it did not end within 1 seconds" in said, said
    assert time.monotonic() - started < 60
    assert run("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").count("98765") == 0
    clear()


def a_del_that_fails_can_be_repeated_or_forced():
    prepare()
    web = pod().up()
    behave("fake2", "DEL", "echo no >&2; exit 1\n")
    said = web.refusal("down")
    assert said.endswith("plugin fake2: DEL: no"), said
    os.unlink("/run/cni/fake2.DEL")
    web.down()
    behave("fake2", "DEL", "exit 1\n")
    web.up()
    web.down(force=True)
    clear()


def ocirt_net_that_is_killed_while_a_plugin_runs_takes_it_along_and_down_undoes():
    prepare()
    behave("fake2", "ADD", "touch /run/cni/hangs; exec sleep 98765\n")
    web = pod()
    with subprocess.Popen([NET], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as net:
        net.stdin.write(web.request("up"))
        net.stdin.close()
        while not os.path.exists("/run/cni/hangs"):
            time.sleep(0.01)
        net.send_signal(signal.SIGKILL)
    os.unlink("/run/cni/fake2.ADD")
    calls()
    web.down()
    assert [(c[0], c[1]) for c in calls()] == [("DEL", "fake2"), ("DEL", "fake1")]
    assert run("sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").count("98765") == 0
    clear()


def what_cannot_be_used_is_refused_before_anything_is_made():
    prepare()
    configure("00-broken.conf", "{")
    configure("20-other.conf", {"cniVersion": "1.0.0", "name": "other", "type": "absent"})
    said = pod(network="nothing").refusal()
    assert 'no CNI configuration in /run/cni/net.d is named "nothing"; there are: 00-broken.conf ' \
        "(cannot be used: line 1: this is not JSON), fake, other" in said, said
    said = pod(network="other").refusal()
    assert 'the CNI plugin "absent" is in none of' in said, said
    configure("20-other.conf", {"cniVersion": "1.0.0", "name": "other", "type": "fake1"})
    said = pod(network="other", ports=["80:80"]).refusal()
    assert "not supported: published ports: no plugin of CNI network other" in said, said
    pod(network="other").up().down()
    assert not [name for name in os.listdir("/run/pods/web") if name != "hosts"]
    clear()


def host_ports_of_pods_on_bridge_and_cni_networks_meet():
    prepare()
    web, db = pod(ports=["8080:80"]).up(), Pod("db", ports=["8081:80"]).up()
    said = Pod("late", ports=["8080:80"]).refusal()
    assert "host port tcp 8080 of pod late is published by pod web already" in said, said
    said = pod("late", ports=["8081:80"]).refusal()
    assert "host port tcp 8081 of pod late is published by pod db already" in said, said
    said = pod("late", ports=["8080:81"]).refusal()
    assert "is published by pod web already" in said, said
    web.down()
    late = Pod("late", ports=["8080:80"]).up()
    late.down()
    db.down()
    clear()


def the_plugins_bridge_and_host_local_connect_pods():
    prepare()
    configure("30-real.conflist", {"cniVersion": "1.0.0", "name": "real", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {
            "type": "host-local", "dataDir": "/run/cni/ipam", "routes": [{"dst": "0.0.0.0/0"}],
            "ranges": [[{"subnet": "10.77.0.0/24"}], [{"subnet": "fd77::/64"}]]}},
        {"type": "tuning", "sysctl": {"net.ipv4.ip_default_ttl": "55"}}]})
    web, db = pod(network="real").up(), pod("db", network="real").up()
    with Server(db.netns, "db", 5000):
        assert asks(web.netns, db.ip, 5000) == f"db sees {web.ip}"
    assert db.answer["addresses"][1].startswith("fd77::") and db.answer["gateways"][0] == "10.77.0.1"
    web.ask("check")
    run("ip", "-n", "ocirt-web", "addr", "flush", "dev", "eth0")
    said = web.refusal("check")
    assert "CNI network real: plugin bridge: CHECK: " in said, said
    web.down()
    db.down()
    assert [n for n in os.listdir("/run/cni/ipam/real") if n.startswith("10.77")] == []
    run("ip", "link", "del", "cni0")
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="utf-8") as file:
        file.write("0")
    if os.path.exists("/proc/sys/net/ipv6/conf/all/forwarding"):
        with open("/proc/sys/net/ipv6/conf/all/forwarding", "w", encoding="utf-8") as file:
            file.write("0")
    clear()


def the_plugin_portmap_publishes_ports():
    if subprocess.run(["sh", "-c", "command -v iptables"], check=False, capture_output=True).returncode:
        return "iptables is not installed"
    prepare()
    client = Client()
    configure("30-real.conflist", {"cniVersion": "1.0.0", "name": "real", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {
            "type": "host-local", "dataDir": "/run/cni/ipam", "subnet": "10.77.0.0/24",
            "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}}]})
    web = pod(network="real", ports=["8080:80"]).up()
    with Server(web.netns, "web", 80):
        assert asks(client.netns, "192.0.2.1", 8080) == "web sees 192.0.2.2"
    web.down()
    try:
        asks(client.netns, "192.0.2.1", 8080)
        raise KeyError("reached after DEL")
    except AssertionError:
        pass
    run("ip", "link", "del", "cni0")
    client.close()
    run("nft", "flush", "ruleset")
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="utf-8") as file:
        file.write("0")
    clear()
    return None


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([test for name, test in list(globals().items())
                           if callable(test) and getattr(test, "__module__", "") == "__main__"
                           and name not in ("prepare", "clear", "configure", "behave", "pod",
                                            "calls", "until_runs")]))
