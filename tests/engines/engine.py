"""What the tests of all engines share: TAP, a place of one's own, an image, and a runtime that records.

The recording runtime is a script that stands where the engine expects its runtime: it keeps a copy of the
config.json (or of the process document of an exec) that the engine wrote, and then becomes ocirt with the
same arguments. So the documents are those of the engine that is installed, and the engine works with
ocirt: what a check looks at is what the user of the engine sees.
"""

import ctypes
import hashlib
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tarfile
import time

from manager import PATIENCE

SECONDS = 60 * PATIENCE
PR_SET_CHILD_SUBREAPER = 36


class Outcome:
    def __init__(self, status, output, errors):
        self.status, self.output, self.errors = status, output, errors


class Tap:
    def __init__(self):
        self.count = self.failures = 0

    def ok(self, name, passed, detail=""):
        self.count += 1
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed:
            self.failures += 1
            for line in detail.splitlines():
                print(f"# {line}", flush=True)

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failures else 0


class Engine:
    """One engine with a recording runtime. A check is one command line of the engine."""

    def __init__(self, name, tap, top, ocirt):
        self.name, self.tap = name, tap
        self.top = os.path.join(top, name)
        self.records = os.path.join(self.top, "records")
        os.makedirs(self.records)
        self.runtime = os.path.join(self.top, "ocirt")
        with open(self.runtime, "w", encoding="utf-8") as file:
            file.write(RECORDING_RUNTIME.replace("@RECORDS@", self.records).replace("@OCIRT@", ocirt))
        os.chmod(self.runtime, 0o755)
        self.environment = dict(os.environ, TMPDIR=self.top)

    def command(self, arguments):
        raise NotImplementedError

    def run(self, arguments, text="", seconds=SECONDS):
        process = subprocess.Popen(self.command(arguments), stdin=subprocess.PIPE, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.top)
        try:
            output, errors = process.communicate(text.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += f"\nstopped after {seconds} seconds".encode()
        return Outcome(process.returncode, output.decode(errors="replace"), errors.decode(errors="replace"))

    def run_on_terminal(self, arguments, seconds=SECONDS):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(self.command(arguments), stdin=theirs, stdout=theirs, stderr=theirs,
                                   env=self.environment, cwd=self.top, start_new_session=True)
        os.close(theirs)
        seen, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(ours, 65536)
                except OSError:  # EIO: nobody has the other end any more
                    break
            elif process.poll() is not None:
                break
        if process.poll() is None:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        os.close(ours)
        return Outcome(process.wait(), seen.decode(errors="replace").replace("\r", ""), "")

    def calls(self):
        """The command lines with which the engine called the runtime so far."""
        path = os.path.join(self.records, "calls")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def documents(self):
        return sorted(name for name in os.listdir(self.records) if name.endswith(".json"))

    def document(self, name):
        with open(os.path.join(self.records, name), encoding="utf-8") as file:
            return json.load(file)

    def check(self, name, arguments, output="", status=0, errors="", text="", terminal=False,
              called="create", unsupported=False):
        """`output` and `errors` are patterns that must be found; an `output` of plain text without any
        special character says so by being equal as well. `called` is the command of the runtime that
        the engine must have used, or None. `unsupported`: ocirt may refuse with "not supported:"."""
        before, known = len(self.calls()), set(self.documents())
        outcome = self.run_on_terminal(arguments) if terminal else self.run(arguments, text)
        new_calls = self.calls()[before:]
        name = f"{self.name}: {name}"
        everything = outcome.output + outcome.errors
        if unsupported and (refused := re.search(r"not supported: [^\n\"]*", everything)):
            self.tap.skip(name, refused.group(0).strip())
            return outcome
        wrong = []
        if outcome.status != status:
            wrong.append(f"status {outcome.status}, wanted {status}")
        if not re.search(output, outcome.output, re.M):
            wrong.append(f"the output does not match {output!r}")
        if not re.search(errors, everything, re.M):
            wrong.append(f"the messages do not match {errors!r}")
        if called and not any(called in call.split() for call in new_calls):
            wrong.append(f"the runtime was not called to {called}")
        self.tap.ok(name, not wrong, "" if not wrong else self.detail(wrong, arguments, outcome, new_calls,
                                                                      set(self.documents()) - known))
        return outcome

    def detail(self, wrong, arguments, outcome, calls, documents):
        lines = [*wrong, f"command: {' '.join(arguments)}", f"status: {outcome.status}"]
        lines += [f"stdout: {line}" for line in outcome.output.splitlines()[:40]]
        lines += [f"stderr: {line}" for line in outcome.errors.splitlines()[:20]]
        lines += [f"runtime: {call}" for call in calls]
        for name in sorted(documents):
            document = self.document(name)
            document.get("linux", {}).pop("seccomp", None)
            lines.append(f"{name}: {json.dumps(document)[:4000]}")
        return "\n".join(lines)


RECORDING_RUNTIME = """#!/bin/sh
# Keeps what the engine wrote, then is ocirt.
printf '%s ' "$@" >>@RECORDS@/calls
echo >>@RECORDS@/calls
before=
for argument; do
  case $before in
    --bundle|-b) cp "$argument/config.json" "@RECORDS@/$(date +%s%N)-config.json" ;;
    --process|-p) cp "$argument" "@RECORDS@/$(date +%s%N)-process.json" ;;
  esac
  before=$argument
done
exec @OCIRT@ "$@"
"""


# ---- an image, made on the spot ---------------------------------------------------------------------
def make_rootfs(top):
    rootfs = os.path.join(top, "rootfs")
    for directory in ("bin", "etc", "tmp", "root", "var", "dev", "proc", "sys", "run", "home/guest"):
        os.makedirs(os.path.join(rootfs, directory))
    os.chmod(os.path.join(rootfs, "tmp"), 0o1777)
    busybox = os.path.join(rootfs, "bin", "busybox")
    shutil.copy(shutil.which("busybox"), busybox)
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(rootfs, "bin", applet))
    # Places for mounts, as images have them: containerd 1.7 hands files of the host's root to a user namespace.
    for name in ("hostname", "hosts", "resolv.conf"):
        with open(os.path.join(rootfs, "etc", name), "w", encoding="utf-8"):
            pass
    with open(os.path.join(rootfs, "etc/passwd"), "w", encoding="utf-8") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\nguest:x:405:100:guest:/home/guest:/bin/sh\n")
    with open(os.path.join(rootfs, "etc/group"), "w", encoding="utf-8") as file:
        file.write("root:x:0:\nusers:x:100:guest\naudio:x:29:guest\n")
    archive = os.path.join(top, "rootfs.tar")
    with tarfile.open(archive, "w") as tar:
        tar.add(rootfs, ".")
    return rootfs, archive


def make_image(layer, path, reference, command=("sh",)):
    """An archive of an OCI image layout with one layer, for engines that import images only."""
    with open(layer, "rb") as file:
        content = file.read()
    blobs = {}

    def add(kind, data, **more):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}",
                "size": len(data), **more}

    layer_blob = add("layer.v1.tar", content)
    config = {"architecture": os.uname().machine.replace("x86_64", "amd64").replace("aarch64", "arm64"),
              "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": list(command)},
              "rootfs": {"type": "layers", "diff_ids": [layer_blob["digest"]]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": add("config.v1+json", json.dumps(config).encode()), "layers": [layer_blob]}
    index = {"schemaVersion": 2, "manifests": [add(
        "manifest.v1+json", json.dumps(manifest).encode(),
        annotations={"io.containerd.image.name": reference})]}
    blobs["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    blobs["index.json"] = json.dumps(index).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in blobs.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


# ---- leaving nothing behind -------------------------------------------------------------------------
def adopt_orphans():
    """Monitors and shims outlive the command that started them: they become our children."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            children = [int(word) for word in file.read().split()]
    except OSError:
        return []
    return [p for child in children for p in [*descendants(child), child]]


def end_descendants():
    for _ in range(20):
        left = descendants(os.getpid())
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(0.1)


def unmount_below(top):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file]
    for point in reversed(points):
        if point.startswith(top + "/"):
            subprocess.run(["umount", "-l", point], stderr=subprocess.DEVNULL)


def cgroups():
    """The directories of all hierarchies, the deepest first."""
    return [base for base, _, _ in os.walk("/sys/fs/cgroup", topdown=False)]


def remove_cgroups(names, known):
    """Removes the groups of these names, and what is below them, unless they were `known` before."""
    for group in cgroups():
        if group not in known and any(f"/{name}/" in group + "/" for name in names):
            try:
                os.rmdir(group)
            except OSError:
                pass
