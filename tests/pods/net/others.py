#!/usr/bin/env python3
"""Pods on a bridge, and what others of the machine and of its network do meanwhile. Prints TAP."""

import os
import subprocess
import time

from harness import (FORWARDING, Client, Pod, Server, Service, ask_server, asks, enter_private_host, inside, main,
                     run)


def close(*things):
    for thing in things:
        thing.down() if isinstance(thing, Pod) else thing.close()


def is_pin(path):
    return os.stat(path).st_dev != os.stat("/run").st_dev


def wait_until(what):
    end = time.monotonic() + 10
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def send_loopback_out(name, gateway):
    """What that namespace sends to 127.0.0.1 goes to its neighbour, and answers from there are taken."""
    for command in (f"route add 127.0.0.0/8 via {gateway} table 7", "rule add pref 0 lookup 7",
                    "rule del pref 0 lookup local", "rule add pref 1 lookup local"):
        run("ip", "-n", name, *command.split())
    run("ip", "netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet")


def answered(netns, port, protocol, timeout):
    """What 127.0.0.1 says, or nothing."""
    def ask():
        try:
            return ask_server("127.0.0.1", port, protocol, timeout)
        except OSError:
            return ""
    return inside(netns, ask)


def a_neighbour_does_not_reach_what_is_published_on_the_hosts_loopback_device():
    client = Client()
    send_loopback_out("client", "192.0.2.1")
    web = Pod("web", ports=["127.0.0.1:8080:80", "127.0.0.1:5300:53/udp"]).up()
    asked = ((8080, "tcp"), (5300, "udp"))
    with Server(web.netns, "web", 80), Server(web.netns, "web", 53, "udp"):
        for port, protocol in asked:
            assert answered(None, port, protocol, 2).startswith("web "), protocol
            assert answered(client.netns, port, protocol, 0.5) == "", protocol
        # It is that rule which keeps the neighbour away, and nothing about these machines.
        run("nft", "flush", "chain", "inet", "ocirt", "guard")
        for port, protocol in asked:
            assert answered(client.netns, port, protocol, 2).startswith("web "), protocol
    close(web, client)


def a_pod_does_not_reach_what_listens_on_the_hosts_loopback_device():
    web = Pod("web").up()
    send_loopback_out("ocirt-web", web.answer["gateways"][0])
    with Server(None, "host", 7000, "udp", address="127.0.0.1"):
        assert answered(web.netns, 7000, "udp", 0.5) == ""
        run("nft", "flush", "chain", "inet", "ocirt", "guard")
        assert answered(web.netns, 7000, "udp", 2).startswith("host ")
    web.down()


def many_ports_are_published_though_the_kernel_has_one_of_them_already():
    """Its refusal repeats the request, which is larger than any buffer for answers."""
    kept = Pod("kept").up()
    run("nft", "add", "element", "inet", "ocirt", "ports4", "{ tcp . 9199 : 10.9.9.9 . 9 }")
    web = Pod("web", ports=[f"{9000 + i}:80" for i in range(200)]).up()
    with Server(web.netns, "web", 80):
        for port in (9000, 9199):
            assert asks(None, "127.0.0.1", port).startswith("web ")
    close(web, kept)


def a_hosts_file_that_its_container_fills_holds_up_nobody():
    web, app = Pod("web").up(), Pod("app").up()
    for what in ("x\n", "#\n", "6.6.6.6 db\n", "x"):
        with open(web.hosts, "a", encoding="utf-8") as file:
            file.write(what * (7 * 2**20 // len(what)))
        begun = time.monotonic()
        db = Pod("db").up()
        took = time.monotonic() - begun
        assert took < 0.5, f"{took} s with lines of {what!r}"
        names = web.names()
        assert names["db"] == [db.ip, db.ip6] and names["app"] == [app.ip, app.ip6], what
        assert os.stat(web.hosts).st_size < 2**20
        db.down()
        assert "db" not in web.names()
    # What the file begins with is the container's own; the others' names are not in it when there is too much of that.
    for size, fits in ((2**20, True), (8 * 2**20, False)):
        with open(web.hosts, "w", encoding="utf-8") as file:
            file.write("127.0.0.1 localhost\n" + "0.0.0.0 x\n" * (size // 10 - 10))
        begun = time.monotonic()
        db = Pod("db").up()
        assert time.monotonic() - begun < 0.5
        assert ("db" in web.names()) == fits and web.names()["localhost"] == ["127.0.0.1"]
        assert "web" in db.names()
        db.down()
    os.unlink(web.hosts)
    close(web, app)


def a_pod_whose_namespace_is_pinned_out_of_sight_lives():
    service = Service()
    for kept in ([], [Pod("kept").up()]):  # /run/netns is made a mount by whoever is first
        away = Pod("away", ports=["8080:80"]).up(prefix=service.prefix)
        assert not is_pin(away.netns) and is_pin(service.sees(away.netns))
        with Server(service.sees(away.netns), "away", 80):
            late = Pod("late").up()
            assert late.ip != away.ip and late.names()["away"] == [away.ip, away.ip6]
            said = Pod("greedy", ports=["8080:80"]).refusal()
            assert "is published by pod away already" in said, said
            assert asks(late.netns, away.ip, 80) == f"away sees {late.ip}"
            assert asks(None, "127.0.0.1", 8080).startswith("away ")
        assert is_pin(service.sees(away.netns))
        away.ask("check", prefix=service.prefix)
        late.down()
        away.down(prefix=service.prefix)
        close(*kept)
    service.close()


def a_pod_that_was_out_of_sight_and_has_gone_is_cleaned_up_after():
    service, kept = Service(), Pod("kept").up()
    away = Pod("away", ports=["8080:80"]).up(prefix=service.prefix)
    service.close()
    wait_until(lambda: away.answer["hostInterface"] not in run("ip", "-o", "link"))
    late = Pod("late", ports=["8080:80"]).up()
    assert "away" not in late.names() and not os.path.exists(away.netns)
    away.down()
    close(late, kept)


def a_pod_whose_directory_is_out_of_sight_lives():
    service = Service()
    os.mkdir("/run/private/pod")
    near = Pod("near", directory="/run/private/pod", hosts="", ports=["8080:80"]).up()
    # The same path, and another directory.
    away = Pod("away", directory="/run/private/pod", hosts="").up(prefix=service.prefix)
    late = Pod("late").up()
    assert len({near.ip, away.ip, late.ip}) == 3
    near.ask("check")
    away.ask("check", prefix=service.prefix)
    with Server(near.netns, "near", 80):
        assert asks(None, "127.0.0.1", 8080).startswith("near ")
    away.down(prefix=service.prefix)
    close(near, late, service)


def forwards():
    values = []
    for path in FORWARDING:
        with open(path, encoding="utf-8") as file:
            values.append(file.read().strip())
    return values


def stop_forwarding():
    for path in FORWARDING:
        with open(path, "w", encoding="utf-8") as file:
            file.write("0")


def a_host_goes_on_forwarding_for_who_has_begun_meanwhile():
    for kind in (["bridge"], ["veth", "peer", "name", "theirs1"]):
        web = Pod("web").up()
        # As docker does, which finds that the host forwards and has nothing to change.
        run("ip", "link", "add", "theirs0", "type", *kind)
        run("ip", "link", "set", "theirs0", "up")
        web.down()
        assert forwards() == ["1", "1"], kind
        web.up().down()
        assert forwards() == ["1", "1"], kind
        run("ip", "link", "del", "theirs0")
        stop_forwarding()


def a_host_stops_forwarding_for_who_was_there_before_and_does_nothing():
    run("ip", "link", "add", "before0", "type", "bridge")
    run("ip", "link", "set", "before0", "up")
    web = Pod("web").up()
    run("ip", "link", "add", "down0", "type", "bridge")
    web.down()
    assert forwards() == ["0", "0"]
    run("ip", "link", "del", "before0")
    run("ip", "link", "del", "down0")


def pods_on_another_bridge_are_forwarded_when_the_first_bridge_goes():
    client = Client()
    web = Pod("web").up()
    late = Pod("late", pool="/run/other/pool", bridge="pods1").up()
    web.down()
    with Server(client.netns, "far", 5000):
        assert asks(late.netns, "192.0.2.2", 5000) == "far sees 192.0.2.1"
    close(late, client)
    stop_forwarding()


WAYS_TO_LOSE_RULES = ("flush ruleset", "flush table inet ocirt", "flush chain inet ocirt guard",
                      "flush map inet ocirt ports4")


def rules_that_were_taken_away_come_back_with_the_next_pod_that_comes_or_goes():
    web, idle = Pod("web", ports=["8080:80"]).up(), Pod("idle").up()

    def is_whole():
        assert web.ask("check") == {**web.answer}
        assert "127.0.0.0/8" in run("nft", "list", "chain", "inet", "ocirt", "guard")
        with Server(web.netns, "web", 80):
            assert asks(None, "127.0.0.1", 8080).startswith("web ")
    is_whole()
    for way in WAYS_TO_LOSE_RULES:
        for ports in ([], ["8081:80"]):
            run("nft", *way.split())
            said = web.refusal("check")
            assert "nftables table inet ocirt" in said, (way, said)
            db = Pod("db", ports=ports).up()
            is_whole()
            run("nft", *way.split())
            db.down()
            is_whole()
    # What somebody has added is left alone.
    run("nft", "add", "rule", "inet", "ocirt", "guard", "counter")
    idle.down()
    assert "counter" in run("nft", "list", "table", "inet", "ocirt")
    is_whole()
    web.down()


def rules_of_pods_that_have_gone_without_a_word_are_replaced_by_the_first_pod():
    client, web = Client(), Pod("web").up()
    rules = run("nft", "list", "table", "inet", "ocirt")
    assert "10.130.0." in rules, rules
    web.down()
    subprocess.run(["nft", "-f", "-"], input=rules.replace("10.130.", "10.99."), text=True, check=True)
    web.up()
    with Server(client.netns, "far", 5000):
        assert asks(web.netns, "192.0.2.2", 5000) == "far sees 192.0.2.1"
    close(web, client)


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([test for name, test in list(globals().items())
                           if callable(test) and getattr(test, "__module__", "") == "__main__"
                           and name not in ("is_pin", "wait_until", "close", "send_loopback_out",
                                            "answered", "forwards", "stop_forwarding")]))
