"""What containerd says to a shim, by hand: the same few messages for every shim that is measured.

The fields are those of src/wire/task.proto, frames those of src/wire/frame.h.
"""

import os
import signal
import socket
import struct
import threading

TASK = "containerd.task.v2.Task"
KILL = 9


class Refused(Exception):
    pass


def number(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(**fields):
    """f3="text" or bytes, f4=7."""
    out = b""
    for name, value in fields.items():
        field = int(name[1:])
        if isinstance(value, int):
            out += number(field << 3) + number(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += number(field << 3 | 2) + number(len(value)) + value
    return out


def fields_of(data):
    found, at = {}, 0

    def read():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = read()
        value = read()
        if key & 7 == 2:
            found[key >> 3] = data[at:at + value]
            at += value
        else:
            found[key >> 3] = value
    return found


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise Refused("the connection has ended")
        data += more
    return data


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.stream = 1

    def call(self, method, request):
        payload = message(f1=TASK, f2=method, f3=request)
        self.socket.sendall(struct.pack(">IIBB", len(payload), self.stream, 1, 0) + payload)
        self.stream += 2
        size, _, _, _ = struct.unpack(">IIBB", exactly(self.socket, 10))
        answer = fields_of(exactly(self.socket, size))
        status = fields_of(answer.get(1, b""))
        if status.get(1):
            raise Refused(f"{method}: {status.get(2, b'').decode()}")
        return fields_of(answer.get(2, b""))

    def create(self, name, bundle, options):
        return self.call("Create", message(f1=name, f2=bundle, f10=options))

    def start(self, name, execution=""):
        return self.call("Start", message(f1=name, f2=execution))

    def execute(self, name, execution, process):
        spec = message(f1="types.containerd.io/opencontainers/runtime-spec/1/Process", f2=process)
        return self.call("Exec", message(f1=name, f2=execution, f7=spec))

    def kill(self, name):
        return self.call("Kill", message(f1=name, f3=KILL))

    def wait(self, name, execution=""):
        return self.call("Wait", message(f1=name, f2=execution)).get(1, 0)

    def delete(self, name, execution=""):
        return self.call("Delete", message(f1=name, f2=execution)).get(2, 0)

    def state(self, name):
        return self.call("State", message(f1=name))

    def shim_pid(self, name):
        return self.call("Connect", message(f1=name))[1]

    def shutdown(self, name):
        try:
            self.call("Shutdown", message(f1=name))
        except (Refused, OSError):  # it may end before it answers
            pass


def run_options(binary, root):
    """google.protobuf.Any of containerd.runc.v1.Options."""
    return message(f1="containerd.runc.v1.Options", f2=message(f6=binary, f7=root))


class EventReceiver:
    """A process at whose socket the shims' events arrive, and which answers each."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        try:
            while True:
                size, stream, _, _ = struct.unpack(">IIBB", exactly(connection, 10))
                exactly(connection, size)
                connection.sendall(struct.pack(">IIBB", 0, stream, 2, 0))
        except (Refused, OSError):
            connection.close()

    def end(self):
        self.listener.close()
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
