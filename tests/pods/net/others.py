#!/usr/bin/env python3
"""Pods on a bridge, and what others of the machine and of its network do meanwhile. Prints TAP."""

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


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([test for name, test in list(globals().items())
                           if callable(test) and getattr(test, "__module__", "") == "__main__"
                           and name != "close"]))
