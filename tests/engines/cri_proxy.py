"""Calls of CRI for cri.py, in a process of its own: the interpreter that has grpc (python3-grpcio of Debian) need
not be the one that runs the tests. Reads lines "METHOD HEX" and answers "ok HEX" or "error TEXT".
"""

import sys

import grpc

channel = grpc.insecure_channel(f"unix://{sys.argv[1]}")
for line in sys.stdin:
    method, _, payload = line.strip().partition(" ")
    call = channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=bytes,
                               response_deserializer=bytes)
    try:
        print("ok", call(bytes.fromhex(payload), timeout=60).hex(), flush=True)
    except grpc.RpcError as error:
        print("error", error.code().name, " ".join(error.details().split()), flush=True)
