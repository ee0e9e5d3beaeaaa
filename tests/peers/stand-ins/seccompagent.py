#!/usr/bin/env python3
"""Decides about system calls for runc's tests, which want an agent of theirs that is written in Go.

Called by seccompagent, which has written the pid file: seccompagent.py -socketfile=PATH -pid-file FILE. It makes
the directory of a mkdir under another name, that with "-METADATA" after it, fails chmod and its like with
ENOMEDIUM, and lets all else go on.
x86_64 only, as these tests are.
"""

import array
import errno
import fcntl
import json
import os
import selectors
import socket
import struct
import sys

RECV, SEND, ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
CONTINUE = 1
MKDIR, CHMOD = 83, (90, 91, 268)
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
RESPONSE = struct.Struct("=QqiI")


def string_at(pid, address):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), 4096, address).split(b"\0", 1)[0].decode()


def make_directory(pid, path, mode, metadata):
    top = f"/proc/{pid}/root" if path.startswith("/") else f"/proc/{pid}/cwd"
    os.mkdir(f"{top}/{path}-{metadata}", mode)


def answer(listener, metadata):
    request = bytearray(NOTIFICATION.size)
    fcntl.ioctl(listener, RECV, request)
    cookie, pid, _, number, _, _, *arguments = NOTIFICATION.unpack(request)
    error, flags = 0, 0
    if number == MKDIR:
        try:
            path = string_at(pid, arguments[0])
            fcntl.ioctl(listener, ID_VALID, struct.pack("=Q", cookie))
            make_directory(pid, path, arguments[1], metadata)
        except OSError:
            error = -errno.ENOSYS
    elif number in CHMOD:
        error = -errno.ENOMEDIUM
    else:
        flags = CONTINUE
    response = bytearray(RESPONSE.pack(cookie, -1 if error else 0, error, flags))
    fcntl.ioctl(listener, SEND, response)


def take(connection):
    """The listener and the metadata of the container that the runtime reports."""
    text, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(array.array("i").itemsize))
    descriptor = array.array("i", ancillary[0][2])[0]
    return descriptor, json.loads(text).get("metadata", "")


def main(arguments):
    # A test that is over before this has begun does not find the pid file, and bats would wait for the
    # descriptor that it gave us.
    os.closerange(3, 256)
    path = pid_file = None
    while arguments:
        word = arguments.pop(0)
        if word.startswith("-socketfile="):
            path = word.partition("=")[2]
        elif word == "-pid-file":
            pid_file = arguments.pop(0)
    if os.path.exists(path):
        os.unlink(path)
    # Whoever has ended the test meanwhile has taken the pid file away: nobody is to find an agent then.
    if not os.path.exists(pid_file):
        return
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(16)
    waiting = selectors.DefaultSelector()
    waiting.register(server, selectors.EVENT_READ)
    while True:
        for key, events in waiting.select():
            if key.fileobj is server:
                connection, _ = server.accept()
                listener, metadata = take(connection)
                connection.close()
                waiting.register(listener, selectors.EVENT_READ, metadata)
                continue
            try:
                answer(key.fd, key.data)
            except OSError as failure:
                # ENOENT: the caller is gone. Readable without a notification: all callers are.
                if failure.errno == errno.ENOENT and events:
                    waiting.unregister(key.fd)
                    os.close(key.fd)


main(sys.argv[1:])
