#!/usr/bin/env python3
"""How long a pod's network takes to make and to take away. Prints medians in milliseconds.

    measure.py [PODS]    how many pods there are at once (100)
"""

import statistics
import sys
import time

from harness import Pod, enter_private_host


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def series(count, **more):
    ports = more.pop("ports", None)
    pods = [Pod(f"pod-{i}", ports=ports(i) if ports else [], **more) for i in range(count)]
    ups = [timed(pod.up) for pod in pods]
    downs = [timed(pod.down) for pod in pods]
    tenth = max(1, count // 10)
    print(f"  up: first {ups[0]:.1f}, then {statistics.median(ups[1:tenth + 1]):.1f}, with "
          f"{count - tenth} others {statistics.median(ups[-tenth:]):.1f}; down: "
          f"{statistics.median(downs[:-1]):.1f}, the last {downs[-1]:.1f}; "
          f"all {sum(ups) / 1000:.2f} s and {sum(downs) / 1000:.2f} s")


if __name__ == "__main__":
    enter_private_host()
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("bridge:")
    series(number)
    print("bridge, two published ports each:")
    series(number, ports=lambda i: [f"{10000 + i}:80", f"{20000 + i}:53/udp"])
    print("none:")
    series(number, mode="none")
