"""Calls of CRI for cri.py, in a process of its own: the interpreter that has grpc (python3-grpcio of Debian) need
not be the one that runs the tests. Reads lines "METHOD HEX" and answers "ok HEX" or "error TEXT". A METHOD with a
"/" is one of containerd's own services.
"""

import os
import sys

import grpc

channel = grpc.insecure_channel(f"unix://{sys.argv[1]}")
for line in sys.stdin:
    method, _, payload = line.strip().partition(" ")
    path = f"/{method}" if "/" in method else f"/runtime.v1.RuntimeService/{method}"
    call = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    try:
        answer = call(bytes.fromhex(payload), timeout=60 * int(os.environ.get("TEST_PATIENCE", "1")), metadata=(("containerd-namespace", "k8s.io"),))
        print("ok", answer.hex(), flush=True)
    except grpc.RpcError as error:
        print("error", error.code().name, " ".join(error.details().split()), flush=True)
