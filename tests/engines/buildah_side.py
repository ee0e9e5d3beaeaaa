"""buildah: containers that are worked in, with --isolation oci. See table.py."""

import os
import shutil

from podman import STATUS, has_controller
from podman_side import Podman
from table import scenario

BUILDAH = ("buildah",)


def missing():
    return [p for p in ("buildah", "runc") if not shutil.which(p)]


class Buildah(Podman):
    def __init__(self, column, top, ocirt, archive):
        self.archive = archive
        super().__init__(column, top, ocirt, archive, "buildah")

    def command(self, arguments):
        return ["buildah", "--root", f"{self.top}/root", "--runroot", self.runroot, "--storage-driver",
                self.driver, *arguments]

    def do(self, *arguments, text=""):
        if arguments[0] == "import":  # which it has not
            self.do("from", "--name", "empty", "scratch")
            self.do("add", "empty", self.archive, "/")
            self.do("commit", "--rm", "empty", self.image)
            return ""
        return super().do(*arguments, text=text)

    def prepare(self):
        super().prepare()
        self.environment["BUILDAH_ISOLATION"] = "oci"
        if self.column == "ocirt":
            self.environment["BUILDAH_RUNTIME"] = self.ocirt

    def stop_engine(self):
        self.run(["rm", "--all"])

    def worker(self):
        return self.do("from", "--pull-never", self.image)


def work(side, *options, program, **more):
    name = side.worker()
    words = program if isinstance(program, list) else ["sh", "-c", program]
    said = side.say("run", *options, name, "--", *words, **more)
    side.do("rm", name)
    return said


@scenario("run: output", r"\A0 hello\n\Z", engines=BUILDAH, sample=True)
def _(side):
    return work(side, program=["echo", "hello"])


@scenario("run: exit codes", r"\A0 3\Z", engines=BUILDAH, sample=True)
def _(side):
    return " ".join(work(side, program=program).split()[0] for program in ("true", "exit 3"))


@scenario("run: the message about a program that is not there", r"\A[1-9]\d* .*nosuch.*executable file not found in \$PATH",
          engines=BUILDAH)
def _(side):
    return work(side, program=["nosuch"])


@scenario("run: standard input", r"\A0 words\Z", engines=BUILDAH)
def _(side):
    return work(side, program=["cat"], text="words")


@scenario("run: a terminal", r"\A0 /dev/pts/0\n", engines=BUILDAH)
def _(side):
    name = side.worker()
    outcome = side.run_on_terminal(["run", "-t", name, "--", "tty"])
    side.do("rm", name)
    return f"{outcome.status} {outcome.output}"


@scenario("run: user, directory, environment, host name", r"\A0 405\n/tmp\nb\nbox\n", engines=BUILDAH, sample=True)
def _(side):
    name = side.worker()
    side.do("config", "--env", "A=b", name)
    said = side.say("run", "--user", "guest", "--workingdir", "/tmp", "--hostname", "box", name, "--", "sh", "-c",
                    "id -u; pwd; echo $A; hostname")
    side.do("rm", name)
    return said


@scenario("run: capabilities", r"CapEff:\t0+a82425fa\n", engines=BUILDAH)
def _(side):
    return work(side, "--cap-drop", "cap_chown", "--cap-add", "cap_sys_admin", program=STATUS)


@scenario("run: volumes and mounts", r"\A1 here\n.*Read-only", engines=BUILDAH, sample=True)
def _(side):
    volume = os.path.join(side.top, side.fresh())
    os.mkdir(volume)
    with open(f"{volume}/file", "w", encoding="utf-8") as file:
        file.write("here\n")
    return work(side, "-v", f"{volume}:/vol:ro", "--mount", "type=tmpfs,dst=/scratch",
                program="cat /vol/file; touch /scratch/yes || exit 2; touch /vol/no")


@scenario("run: namespaces of the host", r"\A0 same\n", engines=BUILDAH)
def _(side):
    link = os.readlink("/proc/self/ns/net")
    return work(side, "--network", "host", "--pid", "host",
                program=f"test \"$(readlink /proc/self/ns/net)\" = '{link}' && echo same")


@scenario("copy, run, commit, and a container of the new image", r"\A0 made\n", engines=BUILDAH)
def _(side):
    name = side.worker()
    source = os.path.join(side.top, side.fresh())
    with open(source, "w", encoding="utf-8") as file:
        file.write("made\n")
    side.do("copy", name, source, "/source")
    side.do("run", name, "--", "cp", "/source", "/copied")
    side.do("commit", "--rm", name, "localhost/made")
    second = side.do("from", "--pull-never", "localhost/made")
    said = side.say("run", second, "--", "cat", "/copied")
    side.do("rm", second)
    return said


@scenario("build: every instruction, with a limit and a secret", r"\A0 .*^hidden$.*^guest$", engines=BUILDAH, sample=True)
def _(side):
    folder = os.path.join(side.top, side.fresh())
    os.mkdir(folder)
    with open(f"{folder}/word", "w", encoding="utf-8") as file:
        file.write("hidden\n")
    with open(f"{folder}/Containerfile", "w", encoding="utf-8") as file:
        file.write(f"FROM {side.image}\nARG A=b\nWORKDIR /work\nCOPY word there\n"
                   "RUN --mount=type=secret,id=w cat /run/secrets/w\nRUN test $A = b && test -e there\n"
                   "USER guest\nRUN id -un\n")
    limits = ["--memory", "64m"] if has_controller("memory") else []
    return side.say("bud", "--isolation", "oci", *limits, "--secret", f"id=w,src={folder}/word", "-t", "localhost/b", folder)


@scenario("build: a step that fails is its end", r"\A[1-9]\d* .*exit status 3", engines=BUILDAH)
def _(side):
    folder = os.path.join(side.top, side.fresh())
    os.mkdir(folder)
    with open(f"{folder}/Containerfile", "w", encoding="utf-8") as file:
        file.write(f"FROM {side.image}\nRUN exit 3\n")
    return side.say("bud", "--isolation", "oci", folder)
