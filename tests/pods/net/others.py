#!/usr/bin/env python3
"""Pods on a bridge, and what others of the machine and of its network do meanwhile. Prints TAP."""

import os
import time

from harness import Pod, Server, asks, enter_private_host, main, run


def close(*things):
    for thing in things:
        thing.down() if isinstance(thing, Pod) else thing.close()


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
    close(web, app)


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([test for name, test in list(globals().items())
                           if callable(test) and getattr(test, "__module__", "") == "__main__"
                           and name != "close"]))
