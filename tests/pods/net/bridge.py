#!/usr/bin/env python3
"""Pods on a bridge, with real sockets: who reaches whom, and as whom they are seen. Prints TAP."""

import os
import socket
import threading

from harness import (Client, Pod, Server, ask_server, asks, enter_private_host, inside, leftovers,
                     main, run, setns)


def two_pods(ports=()):
    return Pod("web", ports=ports).up(), Pod("db").up()


def inside_socket(netns):
    """A socket of that namespace, here."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    setns(netns)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    setns(f"/proc/self/fd/{here}")
    os.close(here)
    sock.settimeout(0.5)
    return sock


def filter_on_bridges(on):
    """Whether what a bridge forwards passes the rules for IP (br_netfilter), as on hosts of docker."""
    path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    if os.path.exists(path):
        for file in (path, path.replace("iptables", "ip6tables")):
            with open(file, "w", encoding="utf-8") as value:
                value.write(str(on))


def close(*things):
    for thing in things:
        thing.down() if isinstance(thing, Pod) else thing.close()


def a_pod_reaches_another_and_is_seen_with_its_own_address():
    web, db = two_pods()
    for filtered in (0, 1):
        filter_on_bridges(filtered)
        for protocol in ("tcp", "udp"):
            for one, other in ((web, db), (db, web)):
                with Server(other.netns, other.name, 5000, protocol):
                    assert asks(one.netns, other.ip, 5000, protocol) == f"{other.name} sees {one.ip}"
    close(web, db)


def a_pod_reaches_another_by_ipv6_and_is_seen_with_its_own_address():
    web, db = two_pods()
    for protocol in ("tcp", "udp"):
        with Server(db.netns, "db", 5000, protocol, socket.AF_INET6, "::"):
            assert asks(web.netns, db.ip6, 5000, protocol) == f"db sees {web.ip6}"
    close(web, db)


def multicast_comes_with_the_pods_own_address():
    web, db = two_pods()
    group = "239.1.2.3"
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    setns(db.netns)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    setns(f"/proc/self/fd/{here}")
    os.close(here)
    listener.bind((group, 5353))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(group) + socket.inet_aton(db.ip))
    listener.settimeout(2)

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"hello", (group, 5353))
    for filtered in (0, 1):
        filter_on_bridges(filtered)
        inside(web.netns, send)
        assert listener.recvfrom(100)[1][0] == web.ip
    listener.close()
    close(web, db)


def a_pod_has_a_loopback_device_eth0_and_default_routes():
    web = Pod("web").up()
    links = run("ip", "-n", "ocirt-web", "-br", "addr")
    assert "127.0.0.1/8" in links and web.answer["addresses"][0] in links, links
    assert web.answer["addresses"][1] in links and "tentative" not in links, links
    assert f"default via {web.answer['gateways'][0]}" in run("ip", "-n", "ocirt-web", "route")
    assert f"default via {web.answer['gateways'][1]}" in run("ip", "-n", "ocirt-web", "-6", "route")
    web.down()


def a_published_port_is_reached_from_another_machine():
    client = Client()
    web, db = two_pods(["8080:80", "5300:53/udp"])
    with Server(web.netns, "web", 80), Server(web.netns, "web6", 80, "tcp", socket.AF_INET6, web.ip6), \
            Server(web.netns, "web", 53, "udp"):
        assert asks(client.netns, "192.0.2.1", 8080) == "web sees 192.0.2.2"
        assert asks(client.netns, "2001:db8::1", 8080) == "web6 sees 2001:db8::2"
        assert asks(client.netns, "192.0.2.1", 5300, "udp") == "web sees 192.0.2.2"
    close(web, db, client)


def a_published_port_is_reached_from_the_host_also_by_127_0_0_1():
    client = Client()
    web = Pod("web", ports=["8080:80", "5300:53/udp"]).up()
    with Server(web.netns, "web", 80), Server(web.netns, "web", 53, "udp"):
        assert asks(None, "127.0.0.1", 8080).startswith("web sees 10.")
        assert asks(None, "127.0.0.1", 5300, "udp").startswith("web sees 10.")
        assert asks(None, "192.0.2.1", 8080) == "web sees 192.0.2.1"
        assert asks(None, web.ip, 80).startswith("web sees 10.")
    close(web, client)


def a_published_port_is_reached_from_pods_by_the_hosts_address():
    client = Client()
    web, db = two_pods(["8080:80", "5300:53/udp"])
    with Server(web.netns, "web", 80), Server(web.netns, "web", 53, "udp"):
        for filtered in (0, 1):
            filter_on_bridges(filtered)
            for pod in (web, db):
                for address in ("192.0.2.1", pod.answer["gateways"][0]):
                    assert asks(pod.netns, address, 8080).startswith("web sees 10.")
                    assert asks(pod.netns, address, 5300, "udp").startswith("web sees 10.")
    close(web, db, client)


def a_port_is_published_on_the_address_that_was_named_only():
    client = Client()
    web = Pod("web", ports=["127.0.0.1:8080:80"]).up()
    other = Pod("other", ports=["192.0.2.1:8080:80"]).up()
    with Server(web.netns, "web", 80), Server(other.netns, "other", 80):
        assert asks(client.netns, "192.0.2.1", 8080).startswith("other ")
        assert asks(None, "127.0.0.1", 8080).startswith("web ")
    other.down()
    with Server(web.netns, "web", 80):
        try:
            asks(client.netns, "192.0.2.1", 8080)
            raise KeyError("reached")
        except AssertionError as error:
            assert "refused" in str(error), error
    close(web, client)


def sctp_ports_are_published():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        return "this kernel has no SCTP"
    client = Client()
    web = Pod("web", ports=["3868:3868/sctp"]).up()
    with Server(web.netns, "web", 3868, "sctp"):
        assert asks(client.netns, "192.0.2.1", 3868, "sctp") == "web sees 192.0.2.2"
    close(web, client)
    return None


def a_pod_reaches_other_machines_with_the_hosts_address():
    client = Client()
    web = Pod("web").up()
    with Server(client.netns, "far", 5000), Server(client.netns, "far6", 5000, "tcp", socket.AF_INET6, "2001:db8::2"):
        assert asks(web.netns, "192.0.2.2", 5000) == "far sees 192.0.2.1"
        assert asks(web.netns, "2001:db8::2", 5000) == "far6 sees 2001:db8::1"
    close(web, client)


def a_pod_does_not_send_with_an_address_of_another_machine():
    client = Client()
    web = Pod("web").up()
    run("ip", "-n", "ocirt-web", "addr", "add", "192.0.2.2/32", "dev", "lo")

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("192.0.2.2", 0))
            sock.sendto(b"hello", ("192.0.2.1", 7000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("192.0.2.1", 7000))
        sock.settimeout(0.5)
        inside(web.netns, send)
        try:
            sock.recv(100)
            raise AssertionError("it arrived")
        except TimeoutError:
            pass
    close(web, client)


def names_of_pods_are_in_each_others_hosts_files_while_they_run():
    web = Pod("web", hostname="front").up()
    inode = os.stat(web.hosts).st_ino
    db = Pod("db").up()
    assert web.names()["db"] == [db.ip, db.ip6] and db.names()["web"] == [web.ip, web.ip6]
    assert web.names()["front"] == [web.ip, web.ip6] and "front" not in db.names()
    assert web.names()["localhost"] == ["127.0.0.1", "::1"]
    db.down()
    assert "db" not in web.names()
    db.up()
    assert web.names()["db"] == [db.ip, db.ip6]
    size = os.stat(web.hosts).st_size
    for _ in range(5):
        db.down()
        db.up()
    assert os.stat(web.hosts).st_size == size and os.stat(web.hosts).st_ino == inode
    close(db, web)


def a_client_that_goes_on_sending_reaches_the_pod_that_has_the_udp_port_now():
    client = Client()
    kept = Pod("kept").up()

    def ask_all(turns):
        """Sends from one socket all the time; turns change what answers."""
        sock = inside_socket(client.netns)
        said = []
        for turn in turns:
            turn()
            sock.sendto(b"hello", ("192.0.2.1", 5300))
            try:
                said.append(sock.recv(100).decode().split()[0])
            except OSError as error:
                said.append(type(error).__name__)
        sock.close()
        return said
    one, two, servers = Pod("one", ports=["5300:53/udp"]), Pod("two", ports=["5300:53/udp"]), []

    def start(pod):
        pod.up()
        servers.append(Server(pod.netns, pod.name, 53, "udp"))

    def replace():
        one.down()
        start(two)
    said = ask_all([lambda: None, lambda: start(one), replace])
    assert said in (["TimeoutError", "one", "two"], ["ConnectionRefusedError", "one", "two"]), said
    close(two, kept, client, *servers)


def a_host_port_of_another_pod_is_refused_with_both_names():
    web = Pod("web", ports=["8080:80"]).up()
    said = Pod("front", ports=["127.0.0.1:8080:81"]).refusal()
    assert "host port tcp 127.0.0.1:8080 of pod front is published by pod web already" in said, said
    assert not os.path.exists("/run/netns/ocirt-front")
    Pod("front", ports=["8080:81/udp"]).up().down()
    web.down()


def a_host_port_of_a_process_is_refused_with_its_name():
    for protocol in ("tcp", "udp"):
        with Server(None, "x", 8080, protocol) as server:
            said = Pod("web", ports=[f"8080:80/{protocol}"]).refusal()
            assert f"pod web: host port {protocol} 8080 is in use: python3" in said, said
            assert f"(pid {server.pid}) listens on it" in said, said
            assert leftovers() == []
    with Server(None, "x", 8080, "tcp", socket.AF_INET6, "::"):
        assert "is in use" in Pod("web", ports=["127.0.0.1:8080:80"]).refusal()
    said = Pod("web", ports=["198.51.100.7:8080:80"]).refusal()
    assert "this host has no address 198.51.100.7" in said, said


def an_exhausted_pool_is_refused_and_a_freed_address_is_given_again():
    pods = [Pod(f"p{i}", subnet4="10.200.0.0/29").up() for i in range(5)]
    late = Pod("late", subnet4="10.200.0.0/29")
    said = late.refusal()
    assert "the addresses of bridge ocirt0 (10.200.0.0/29) are exhausted: 5 pods have them" in said
    pods[2].down()
    late.up()
    assert late.ip == pods[2].ip
    pods[2] = late
    close(*pods)


def a_subnet_that_a_route_of_the_host_meets_is_not_chosen():
    client = Client()
    run("ip", "route", "add", "10.130.128.0/17", "via", "192.0.2.2")
    run("ip", "route", "add", "10.131.0.0/16", "via", "192.0.2.2")
    web = Pod("web").up()
    assert web.ip.startswith("10.132."), web.ip
    said = Pod("db", subnet4="10.140.0.0/16").refusal()
    assert "subnet 10.140.0.0/16: bridge ocirt0 has pods in 10.132.0.0/16" in said, said
    web.down()
    said = web.refusal(subnet4="10.131.1.0/24")
    assert "the host has a route to 10.131.0.0/16 in it" in said, said
    close(client)


def a_device_with_the_bridges_name_that_is_not_ours_is_refused_and_kept():
    run("ip", "link", "add", "ocirt0", "type", "bridge")
    said = Pod("web").refusal()
    assert "a device named ocirt0 is there already, and ocirt has not made it" in said, said
    run("ip", "link", "del", "ocirt0")


def a_namespace_that_is_there_already_is_refused_and_kept():
    run("ip", "netns", "add", "ocirt-web")
    web = Pod("web")
    said = web.refusal()
    assert "/run/netns/ocirt-web exists already" in said, said
    web.down()
    run("ip", "netns", "del", "ocirt-web")


def a_hundred_pods_started_side_by_side_have_distinct_addresses():
    pods = [Pod(f"pod-{i}", ports=[f"{9000 + i}:80"]) for i in range(100)]

    def all_at_once(work):
        errors = []

        def one(pod):
            try:
                work(pod)
            except Exception as error:  # pylint: disable=broad-except
                errors.append(error)
        threads = [threading.Thread(target=one, args=(pod,)) for pod in pods]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == [], errors[:3]
    all_at_once(Pod.up)
    assert len({pod.ip for pod in pods}) == 100 and len({pod.ip6 for pod in pods}) == 100
    names = pods[0].names()
    assert all(names[pod.name] == [pod.ip, pod.ip6] for pod in pods)
    with Server(pods[99].netns, "last", 80):
        assert asks(pods[0].netns, pods[99].ip, 80) == f"last sees {pods[0].ip}"
        assert asks(None, "127.0.0.1", 9099).startswith("last ")
    all_at_once(Pod.down)


def the_pool_heals_itself_of_pods_whose_directory_or_namespace_is_gone():
    kept, lost, broken = [Pod(n, ports=[f"{p}:80"]).up() for n, p in
                          (("kept", 81), ("lost", 82), ("broken", 83))]
    run("rm", "-r", lost.directory)
    run("umount", broken.netns)
    late = Pod("late", ports=["82:80"]).up()
    links = run("ip", "-o", "link")
    assert lost.answer["hostInterface"] not in links and broken.answer["hostInterface"] not in links
    assert set(kept.names()) == {"localhost", "kept", "late"}, kept.names()
    assert not os.path.exists(lost.netns)
    with Server(late.netns, "late", 80):
        assert asks(None, "127.0.0.1", 82).startswith("late ")
    close(kept, late, lost, broken)


def a_lost_pod_that_was_the_only_one_is_replaced_by_the_next():
    lost = Pod("lost", ports=["82:80"]).up()
    run("rm", "-r", lost.directory)
    late = Pod("late", ports=["82:80"]).up()
    assert not os.path.exists(lost.netns)
    with Server(late.netns, "late", 80):
        assert asks(None, "127.0.0.1", 82).startswith("late ")
    late.ask("check")
    late.down()
    lost = Pod("web").up()
    run("rm", "-r", lost.directory)
    again = Pod("web", uid="another", netns="/run/netns/another").up()
    again.down()


def a_pod_of_the_same_name_and_uid_elsewhere_is_refused_and_does_no_harm():
    web = Pod("web").up()
    os.makedirs("/run/pods/other", exist_ok=True)
    said = Pod("web", directory="/run/pods/other", netns="/run/netns/other", hosts="").refusal()
    assert "a pod of this name and uid uid-web is on the bridge already" in said, said
    web.ask("check")
    web.down()


def two_pools_do_not_share_a_bridge_and_do_each_other_no_harm():
    web, db = two_pods(["8080:80"])
    late = Pod("late", pool="/run/other/pool")
    said = late.refusal()
    assert "the bridge ocirt0 has pods that /run/other/pool does not know" in said, said
    late.down()
    web.ask("check")
    with Server(web.netns, "web", 80):
        assert asks(None, "127.0.0.1", 8080).startswith("web ")
    late = Pod("late", pool="/run/other/pool", bridge="pods1").up()
    assert late.ip.startswith("10.131."), late.ip
    with Server(web.netns, "web", 80):
        assert asks(late.netns, web.ip, 80).startswith("web ")
    close(late, web, db)
    # The file is lost while a pod is there: nothing is taken from it, and its end is the bridge's.
    web.up()
    run("rm", "-r", "/run/ocirt/network")
    assert "does not know" in db.refusal()
    web.down()
    db.up()
    db.down()
    for path in ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"):
        run("sh", "-c", f"echo 0 > {path}")  # what it was is lost as well


def a_pod_whose_directory_is_gone_can_be_taken_down():
    web = Pod("web", ports=["8080:80"]).up()
    run("rm", "-r", web.directory)
    web.down()


def rules_that_were_flushed_come_back_with_the_next_pod():
    web = Pod("web", ports=["8080:80"]).up()
    run("nft", "flush", "ruleset")
    said = web.refusal("check")
    assert "the nftables table inet ocirt has gone" in said, said
    db = Pod("db").up()
    assert web.ask("check") == {**web.answer}
    with Server(web.netns, "web", 80):
        assert asks(None, "127.0.0.1", 8080).startswith("web ")
    close(web, db)


def taking_down_is_idempotent_and_up_twice_is_refused():
    web = Pod("web")
    web.down()
    web.up()
    said = web.refusal()
    assert "it has a network already" in said, said
    web.down()
    web.down()


def a_pod_without_network_has_the_loopback_device_only():
    web = Pod("web", mode="none").up()
    with Server(web.netns, "web", 80):
        assert asks(web.netns, "127.0.0.1", 80) == "web sees 127.0.0.1"
    assert len(run("ip", "-n", "ocirt-web", "-o", "link").splitlines()) == 1
    assert "ports cannot be published" in Pod("x", mode="none", ports=["1:1"]).refusal()
    web.ask("check")
    web.down()


def a_pod_with_the_hosts_network_has_nothing_made():
    web = Pod("web", mode="host", ports=["8080:8080"])
    web.up()
    assert leftovers() == []
    assert "with the host's network both are the same" in Pod("x", mode="host", ports=["1:2"]).refusal()
    with Server(None, "x", 8080):
        assert "is in use" in web.refusal()
    web.down()


def a_pod_without_ipv6_is_possible():
    web = Pod("web", subnet6="none").up()
    assert len(web.answer["addresses"]) == 1
    assert "inet6" not in run("ip", "-o", "addr", "show", "ocirt0", "scope", "global")
    web.down()
    run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
    web = Pod("web").up()
    run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
    assert len(web.answer["addresses"]) == 1
    web.down()


def the_values_of_the_host_are_put_back_and_said():
    with open("/proc/sys/net/ipv6/conf/lo/accept_ra", encoding="utf-8") as file:
        assert file.read()
    client = Client()
    web = Pod("web").up()
    assert any("net.ipv4.ip_forward was 0" in note for note in web.answer["notes"])
    with open("/proc/sys/net/ipv6/conf/wire/accept_ra", encoding="utf-8") as file:
        assert file.read() == "2\n"
    web.down()
    with open("/proc/sys/net/ipv6/conf/wire/accept_ra", encoding="utf-8") as file:
        assert file.read() == "1\n"
    client.close()


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([test for name, test in list(globals().items())
                           if callable(test) and getattr(test, "__module__", "") == "__main__"
                           and name not in ("two_pods", "filter_on_bridges", "inside_socket",
                                            "close")]))
