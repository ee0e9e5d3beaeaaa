#!/usr/bin/env python3
"""ocirt-net killed at one system call after the other: taking the pod down leaves nothing.

The process is traced and killed before its N-th system call, for every STEP-th N until it ends by
itself (STEP=1 in the environment is every one of them: minutes). Prints TAP.
"""

import ctypes
import os
import signal
import subprocess

from harness import (LIBC, NET, Pod, Refused, Server, Service, asks, enter_private_host, leftovers,
                     main)

PTRACE_TRACEME, PTRACE_SYSCALL, PTRACE_SETOPTIONS = 0, 24, 0x4200
EXITKILL = 0x00100000
CLONE_NEWNS = 0x00020000
STEP = int(os.environ.get("STEP", "7"))
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


def killed_before(request, number, mounts=None):
    """Runs ocirt-net and kills it before its number-th system call; False when it ended first.

    mounts: the file of the mount namespace in which it runs, if not here.
    """
    reader, writer = os.pipe()
    null = os.open("/dev/null", os.O_WRONLY)
    child = os.fork()
    if child == 0:
        os.dup2(reader, 0)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(writer)
        if mounts and LIBC.setns(os.open(mounts, os.O_RDONLY), CLONE_NEWNS) != 0:
            os._exit(1)
        LIBC.ptrace(PTRACE_TRACEME, 0, None, None)
        os.execv(NET, [NET])
    os.close(reader)
    os.close(null)
    os.write(writer, request.encode())
    os.close(writer)
    os.waitpid(child, 0)
    LIBC.ptrace(PTRACE_SETOPTIONS, child, None, EXITKILL)
    for stop in range(2 * number):
        LIBC.ptrace(PTRACE_SYSCALL, child, None, None)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return False
        # Stops are at the beginning and at the end of each call in turn.
        if stop == 2 * number - 2:
            break
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def at_each_call(request, afterwards, start=1, step=STEP, mounts=None):
    number = start
    while killed_before(request(), number, mounts):
        try:
            afterwards()
        except (AssertionError, Refused) as error:
            raise AssertionError(f"killed before call {number}: {error}") from error
        number += step
    return number


def must_be_empty():
    left = leftovers()
    assert left == [], left


def nothing_is_left_when_up_is_killed_and_down_follows():
    pod = Pod("web", ports=["8080:80"])

    def afterwards():
        pod.down()
        must_be_empty()
    calls = at_each_call(lambda: pod.request("up"), afterwards)
    assert calls > 100, calls
    pod.down()


def up_succeeds_after_an_up_that_was_killed():
    pod = Pod("web", ports=["8080:80"])

    def afterwards():
        try:
            pod.up()
        except Refused as refused:  # it was complete, only the answer was not given
            assert "has a network already" in str(refused), refused
            pod.answer = pod.ask("check")
        with Server(pod.netns, "web", 80):
            assert asks(None, "127.0.0.1", 8080).startswith("web ")
        pod.down()
        must_be_empty()
    at_each_call(lambda: pod.request("up"), afterwards, 3)
    pod.down()


def up_makes_nothing_for_a_caller_that_has_died():
    pod = Pod("web", ports=["8080:80"])
    reader, writer = os.pipe()
    os.close(reader)  # who has asked, and nobody else, would read the answer
    subprocess.run([NET], input=pod.request("up").encode(), stdout=writer, stderr=writer, check=False)
    os.close(writer)
    must_be_empty()
    pod.down()


def nothing_is_left_when_down_is_killed_and_another_follows():
    pod = Pod("web", ports=["8080:80"])

    def request():
        pod.up()
        return pod.request("down")

    def afterwards():
        pod.down()
        must_be_empty()
    at_each_call(request, afterwards, 2)


def other_pods_do_not_notice():
    kept = Pod("kept", ports=["81:80"]).up()
    pod = Pod("web", ports=["8080:80"])

    def afterwards():
        pod.down()
        assert set(kept.names()) == {"localhost", "kept"}, kept.names()
        kept.ask("check")
        with Server(kept.netns, "kept", 80):
            assert asks(None, "127.0.0.1", 81).startswith("kept ")
    at_each_call(lambda: pod.request("up"), afterwards, 4)
    pod.down()

    def request():
        pod.up()
        assert pod.ip != kept.ip
        return pod.request("down")
    at_each_call(request, afterwards, 5)
    kept.down()


def pods_do_not_notice_one_that_was_killed_out_of_their_sight():
    service = Service()
    mounts = f"/proc/{service.process.pid}/ns/mnt"
    away = Pod("away", ports=["8080:80"])

    def afterwards():
        near = Pod("near", ports=["81:80"]).up()
        with Server(near.netns, "near", 80):
            assert asks(None, "127.0.0.1", 81).startswith("near ")
        away.down(prefix=service.prefix)
        near.ask("check")
        near.down()
        must_be_empty()
    calls = at_each_call(lambda: away.request("up"), afterwards, step=3 * STEP, mounts=mounts)
    assert calls > 100, calls
    away.down(prefix=service.prefix)

    def request():
        away.up(prefix=service.prefix)
        return away.request("down")
    at_each_call(request, afterwards, 2, 3 * STEP, mounts)
    service.close()


if __name__ == "__main__":
    enter_private_host()
    raise SystemExit(main([
        nothing_is_left_when_up_is_killed_and_down_follows, up_succeeds_after_an_up_that_was_killed,
        nothing_is_left_when_down_is_killed_and_another_follows, other_pods_do_not_notice,
        up_makes_nothing_for_a_caller_that_has_died,
        pods_do_not_notice_one_that_was_killed_out_of_their_sight]))
