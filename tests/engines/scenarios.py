"""What podman and docker do alike: the scenarios of both. See table.py."""

import hashlib
import os
import re
import signal
import subprocess
import threading

from manager import PATIENCE
from podman import REFUSED, STATUS, V1
from table import scenario, until

INPUT = "x" * 300000
FOR_EVER = ["sleep", "1000"]
MANY = 50 if PATIENCE == 1 else 8  # an emulated processor would need minutes for the engine alone
TRAP = "trap 'echo usr1' USR1; trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"


def run(side, *options, program, **more):
    words = program if isinstance(program, list) else ["sh", "-c", program]
    return side.say("run", "--rm", "--network", "none", *options, side.image, *words, **more)


def start(side, *options, program=None, network="none"):
    name = side.fresh()
    words = program if isinstance(program, list) else ["sh", "-c", program] if program else FOR_EVER
    side.do("run", "-d", "--network", network, "--name", name, *options, side.image, *words)
    return name


def remove(side, *names):
    side.run(["rm", "-f", *side.at_once, *names])


def ask(side, name, form):
    return side.do("inspect", "--format", "{{" + form + "}}", name)


def group_file(v1, v2):
    return "/sys/fs/cgroup/" + (v1 if V1 else v2)


# ---- run --------------------------------------------------------------------------------------------
@scenario("run: output", r"\A0 hello\n\Z", sample=True)
def _(side):
    return run(side, program=["echo", "hello"])


@scenario("run: exit codes 0, 1, 126, 127", r"\A0 1 126 127\Z", sample=True)
def _(side):
    programs = (["true"], ["false"], ["/etc/passwd"], ["nosuch"])
    return " ".join(run(side, program=program).split()[0] for program in programs)


@scenario("run: the message about a program that is not there", r'^127 .*nosuch.*executable file not found in \$PATH')
def _(side):
    return run(side, program=["nosuch"])


@scenario("run: the message about a program that is not executable", r"^126 .*/etc/passwd.*(?i:permission denied)")
def _(side):
    return run(side, program=["/etc/passwd"])


@scenario("run: a working directory that is not there is made", r"\A0 /new/place\n", engines=("docker",))
def _(side):
    return run(side, "-w", "/new/place", program=["pwd"])


@scenario("run: standard input to its end", rf"\A0 {hashlib.md5(INPUT.encode()).hexdigest()}  -\nend\n\Z", sample=True)
def _(side):
    return run(side, "-i", program="md5sum; echo end", text=INPUT)


@scenario("run: 100 MB through standard output", r"\A0 104857600\Z", needs=["real processor"])
def _(side):
    process = subprocess.Popen(side.command(["run", "--rm", "--network", "none", "--log-driver", "none", side.image,
                                             "head", "-c", "104857600", "/dev/zero"]), env=side.environment,
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=side.top)
    count = 0
    while data := process.stdout.read(1 << 20):
        count += len(data)
    return f"{process.wait()} {count}"


@scenario("run: a terminal", r"\A0 /dev/pts/0\n.*136, +0 .*/dev/console\n")
def _(side):
    outcome = side.run_on_terminal(["run", "--rm", "-t", "--network", "none", side.image, "sh", "-c",
                                    "tty; ls -l /dev/console"])
    return f"{outcome.status} {outcome.output}"


@scenario("run: detached, its end is waited for, and its words are in the log", r"\A7 out\n(\| )?err")
def _(side):
    name = start(side, program="echo out; echo err >&2; exit 7")
    code = side.do("wait", name)
    said = side.say("logs", name)
    remove(side, name)
    return f"{code} {said[2:]}"


@scenario("logs --follow sees the end", r"\A0 1\n2\n3\n\Z")
def _(side):
    name = start(side, program="for i in 1 2 3; do echo $i; sleep 0.1; done")
    said = side.say("logs", "--follow", name)
    remove(side, name)
    return said


# ---- rights -----------------------------------------------------------------------------------------
@scenario("user and groups", r"^0 uid=405\(guest\) gid=100\(users\) groups=.*99")
def _(side):
    return run(side, "--user", "guest", "--group-add", "99", program=["id"])


@scenario("capabilities: none, and one more", r"\A0 CapInh:\t0+.*CapEff:\t0+400\nCapBnd:\t0+400\n")
def _(side):
    return run(side, "--cap-drop", "all", "--cap-add", "net_bind_service", program=STATUS)


@scenario("seccomp: the default profile", r"Seccomp:\t2\n.*not permitted", sample=True)
def _(side):
    return run(side, "--cap-add", "sys_admin", program=f"{STATUS}; {REFUSED}")


@scenario("seccomp: unconfined", r"Seccomp:\t0\n.*Invalid argument", needs=["root"])
def _(side):
    return run(side, "--cap-add", "sys_admin", "--security-opt", "seccomp=unconfined", program=f"{STATUS}; {REFUSED}")


@scenario("no new privileges", r"NoNewPrivs:\t1\n")
def _(side):
    return run(side, "--security-opt", "no-new-privileges", program=STATUS)


# Each has those that it knows, of those that this process has.
@scenario("privileged", r"CapEff:\t0*[1-9a-f][0-9a-f]{9,}\n.*Seccomp:\t0\n.*devices")
def _(side):
    return run(side, "--privileged", program=f"{STATUS}; test -c /dev/kmsg && echo devices")


@scenario("limits of resources (ulimit)", r"\A0 0\n100\n200\n\Z")
def _(side):
    return run(side, "--ulimit", "core=0", "--ulimit", "nofile=100:200", "--ulimit", "nproc=300:300",
               program="ulimit -c; ulimit -n; ulimit -Hn")


@scenario("the score of the out-of-memory killer", r"\A0 200\n")
def _(side):
    return run(side, "--oom-score-adj", "200", program=["cat", "/proc/self/oom_score_adj"])


# ---- files ------------------------------------------------------------------------------------------
@scenario("a read-only root with a tmpfs", r"\A1 written\n.*Read-only file system", sample=True)
def _(side):
    return run(side, "--read-only", "--tmpfs", "/scratch:size=1m", program="touch /scratch/a && echo written; touch /no")


@scenario("a volume, written by the container and read on the host", r"\A0 there\nback\n\Z", sample=True)
def _(side):
    volume = side.folder()
    with open(f"{volume}/file", "w", encoding="utf-8") as file:
        file.write("there\n")
    said = run(side, "-v", f"{volume}:/vol", program="cat /vol/file; echo back >/vol/back")
    with open(f"{volume}/back", encoding="utf-8") as file:
        return said + file.read()


@scenario("a read-only volume", r"\A1 .*Read-only file system")
def _(side):
    return run(side, "-v", f"{side.top}:/vol:ro", program=["touch", "/vol/no"])


@scenario("a volume of the engine's own has what the image has there", r"\A0 guest\nkept\n")
def _(side):
    run(side, "-v", "own:/home", program="ls /home; echo kept >/home/file")
    said = run(side, "-v", "own:/home", program="ls -d /home/guest | cut -d/ -f3; cat /home/file")
    side.run(["volume", "rm", "-f", "own"])
    return said


@scenario("a device for reading only", r"\A1 .*10, 229 .*read\n.*not permitted", needs=["fuse"])
def _(side):
    return run(side, "--device", "/dev/fuse:/dev/other:r", program="ls -l /dev/other; : </dev/other && echo read; "
               ": >/dev/other")


@scenario("the size of /dev/shm", r" 1024 .*/dev/shm\n")
def _(side):
    return run(side, "--shm-size", "1m", program="df -k /dev/shm")


@scenario("cp into a container that runs, and out of it", r"\A0 from the host\nfrom the host\n")
def _(side):
    name = start(side)
    source = os.path.join(side.top, side.fresh())
    with open(source, "w", encoding="utf-8") as file:
        file.write("from the host\n")
    side.do("cp", source, f"{name}:/tmp/in")
    said = side.say("exec", name, "cat", "/tmp/in")
    side.do("cp", f"{name}:/tmp/in", f"{source}.back")
    remove(side, name)
    with open(f"{source}.back", encoding="utf-8") as file:
        return said + file.read()


# ---- namespaces -------------------------------------------------------------------------------------
@scenario("the namespaces of another container", r"\A0 same ipc\nsame net\nsame pid\n\Z")
def _(side):
    name = start(side, "--ipc", "shareable")
    theirs = {kind: side.do("exec", name, "readlink", f"/proc/self/ns/{kind}") for kind in ("ipc", "net", "pid")}
    program = "".join(f"test \"$(readlink /proc/self/ns/{kind})\" = '{link}' && echo same {kind};"
                      for kind, link in theirs.items())
    shared = [word for kind in ("ipc", "network", "pid") for word in (f"--{kind}", f"container:{name}")]
    said = side.say("run", "--rm", *shared, side.image, "sh", "-c", program)
    remove(side, name)
    return said


@scenario("host name, sysctl, environment", r"\A0 box\n1\nb c\n\Z")
def _(side):
    return run(side, "--hostname", "box", "--sysctl", "net.ipv4.ip_forward=1", "-e", "A=b c",
               program="hostname; cat /proc/sys/net/ipv4/ip_forward; echo $A")


@scenario("the host's network, pids and names", r"\A0 many\n(.*)\n\1\n\Z", needs=["root"])
def _(side):
    said = side.say("run", "--rm", "--network", "host", "--pid", "host", "--uts", "host", side.image, "sh", "-c",
                    "test $(ls -d /proc/[0-9]* | wc -l) -gt 5 && echo many; readlink /proc/self/ns/net")
    return said + os.readlink("/proc/self/ns/net") + "\n"


# ---- exec -------------------------------------------------------------------------------------------
# docker 20.10 takes a program that is not there for one that is not executable.
@scenario("exec: output, codes 0, 1, 126, 127, 137", r"\A0 in\n 1 126 12[67] 137\Z", sample=True)
def _(side):
    name = start(side)
    said = [side.say("exec", name, "echo", "in")]
    for program in (["false"], ["/etc/passwd"], ["nosuch"], ["sh", "-c", "kill -9 $$"]):
        said.append(side.say("exec", name, *program).split()[0])
    remove(side, name)
    return " ".join(said)


@scenario("exec: input, user, directory, environment", r"\A0 405\n/tmp\nb\nwords\Z")
def _(side):
    name = start(side)
    said = side.say("exec", "-i", "-u", "405", "-w", "/tmp", "-e", "A=b", name, "sh", "-c", "id -u; pwd; echo $A; cat",
                    text="words")
    remove(side, name)
    return said


@scenario("exec: a terminal", r"\A0 /dev/pts/\d\n")
def _(side):
    name = start(side)
    outcome = side.run_on_terminal(["exec", "-t", name, "tty"])
    remove(side, name)
    return f"{outcome.status} {outcome.output}"


@scenario("exec: 20 at once", r"\Anothing wrong\Z")
def _(side):
    name, wrong = start(side), []

    def execute(number):
        said = side.say("exec", name, "sh", "-c", f"echo {number}; exit {number}")
        if said != f"{number} {number}\n":
            wrong.append(said)
    threads = [threading.Thread(target=execute, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remove(side, name)
    return "\n".join(wrong) or "nothing wrong"


@scenario("exec: 100 MB through standard output", r"\A0 104857600\Z", needs=["real processor"])
def _(side):
    name = start(side)
    process = subprocess.Popen(side.command(["exec", name, "head", "-c", "104857600", "/dev/zero"]), env=side.environment,
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=side.top)
    count = 0
    while data := process.stdout.read(1 << 20):
        count += len(data)
    remove(side, name)
    return f"{process.wait()} {count}"


@scenario("exec into one that has ended is refused", r"\A[1-9]\d* .*not running|\A[1-9]\d* .*state improper")
def _(side):
    name = start(side, program=["true"])
    side.do("wait", name)
    said = side.say("exec", name, "true")
    remove(side, name)
    return said


# ---- life -------------------------------------------------------------------------------------------
@scenario("signals: kill, then stop", r"\Aready\nusr1\n9\Z", sample=True)
def _(side):
    name = start(side, program=TRAP)
    until(lambda: "ready" in side.say("logs", name))
    side.do("kill", "-s", "USR1", name)
    until(lambda: "usr1" in side.say("logs", name))
    side.do("stop", "-t", "10", name)
    said = f"{side.do('logs', name)}\n{ask(side, name, '.State.ExitCode')}"
    remove(side, name)
    return said


@scenario("stop: killed when it does not end in time", r"\A137\Z")
def _(side):
    name = start(side, program="trap '' TERM; while :; do sleep 0.1; done")
    side.do("stop", "-t", "1", name)
    said = ask(side, name, ".State.ExitCode")
    remove(side, name)
    return said


@scenario("restart: another process, the same files", r"\Atrue 2\Z")
def _(side):
    name = start(side, program="echo x >>/count; exec sleep 1000")
    until(lambda: side.say("exec", name, "cat", "/count").startswith("0 x"))
    before = ask(side, name, ".State.Pid")
    side.do("restart", "-t", "0", name)
    until(lambda: side.say("exec", name, "cat", "/count").count("x") == 2)
    said = f"{str(ask(side, name, '.State.Pid') != before).lower()} {side.say('exec', name, 'cat', '/count').count('x')}"
    remove(side, name)
    return said


@scenario("pause stops it, unpause lets it go on", r"\Astill paused on\Z", needs=["freezer"])
def _(side):
    name = start(side, program="i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")

    def lines():
        return side.run(["logs", name]).output.count("\n")
    until(lambda: lines() > 2)
    side.do("pause", name)
    state = ask(side, name, ".State.Status")
    until(lambda: lines() == lines(), 3)
    first = lines()
    still = "still" if not until(lambda: lines() != first, 0.5) else "moving"
    side.do("unpause", name)
    on = "on" if until(lambda: lines() > first + 3) else "stuck"
    remove(side, name)
    return f"{still} {state} {on}"


@scenario("a paused container can be killed and removed", r"\A0 ", needs=["freezer"])
def _(side):
    name = start(side)
    side.do("pause", name)
    return side.say("rm", "-f", *side.at_once, name)


@scenario("top", r"\A0 .*sleep 1000")
def _(side):
    name = start(side)
    said = side.say("top", name)
    remove(side, name)
    return said


@scenario("create, start and attach", r"\A0 made\n")
def _(side):
    name = side.fresh()
    side.do("create", "--network", "none", "--name", name, side.image, "echo", "made")
    said = side.say("start", "-a", name)
    remove(side, name)
    return said


@scenario("the engine's own init reaps", r"\A0 /(dev|sbin|run).*init.*\nnone\n", needs=["init"])
def _(side):
    return run(side, "--init", program="sh -c 'sleep 0.05 & exit' ; sleep 0.2; tr '\\0' '\\n' </proc/1/cmdline | head -n 1; "
               "grep -l 'State:.Z' /proc/[0-9]*/status || echo none")


# ---- limits -----------------------------------------------------------------------------------------
# conmon 2.1.6 reports it neither on cgroup v1 nor of a scope of systemd, of no runtime.
@scenario("memory: a kill is 137 and is reported as one for want of memory", r"\A137 true\Z",
          needs=["memory", "report of a kill for want of memory"])
def _(side):
    name = start(side, "--memory", "16m", "--memory-swap", "16m", program="sleep 0.1; tail /dev/zero")
    code = side.do("wait", name)
    until(lambda: ask(side, name, ".State.OOMKilled") == "true", 3)
    said = f"{code} {ask(side, name, '.State.OOMKilled')}"
    remove(side, name)
    return said


@scenario("memory: a kill is 137", r"\A137 grown\n", needs=["memory"])
def _(side):
    return run(side, "--memory", "16m", "--memory-swap", "16m", program="echo grown; exec tail /dev/zero")


@scenario("pids: no more than so many", r"\A\d+ .*(?i:can't fork|resource temporarily unavailable)", needs=["pids"])
def _(side):
    return run(side, "--pids-limit", "10", program="for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait")


@scenario("cpu: a busy program is held back", r"nr_throttled [1-9]", needs=["cpu"])
def _(side):
    return run(side, "--cpus", "0.2", program="timeout 1 sh -c 'while :; do :; done'; grep nr_throttled " +
               group_file("cpu/cpu.stat", "cpu.stat"))


@scenario("cpuset", r"Cpus_allowed_list:\t0\n", needs=["cpuset"])
def _(side):
    return run(side, "--cpuset-cpus", "0", program=["grep", "Cpus_allowed_list", "/proc/self/status"])


@scenario("update of one that runs", r"\A0 134217728\n", needs=["memory"])
def _(side):
    name = start(side, "--memory", "64m", "--memory-swap", "64m")
    side.do("update", "--memory", "128m", "--memory-swap", "128m", name)
    said = side.say("exec", name, "cat", group_file("memory/memory.limit_in_bytes", "memory.max"))
    remove(side, name)
    return said


@scenario("stats", r"\A0 [^|]*[1-9]", needs=["memory"])
def _(side):
    name = start(side)
    said = side.say("stats", "--no-stream", "--format", "{{.MemUsage}}", name)
    remove(side, name)
    return said


# ---- what the engine does by itself -----------------------------------------------------------------
@scenario("restart policy: as often as it says", r"\A2 7\Z")
def _(side):
    name = start(side, "--restart", "on-failure:2", program="exit 7")
    until(lambda: ask(side, name, ".RestartCount") == "2" and ask(side, name, ".State.Status") == "exited")
    said = f"{ask(side, name, '.RestartCount')} {ask(side, name, '.State.ExitCode')}"
    remove(side, name)
    return said


@scenario("many containers at once", rf"\A{MANY} right, 0 left\Z")
def _(side):
    right, wrong = [], []

    def one(number):
        said = run(side, "--name", f"many{number}", program=f"echo {number}; exit {number}", seconds=240 * PATIENCE)
        (right if said == f"{number} {number}\n" else wrong).append(said)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # --rm of podman is carried out by a process of its own.
    until(lambda: "many" not in side.do("ps", "-a", "--format", "{{.Names}}"))
    return f"{len(right)} right, {side.do('ps', '-a', '--format', '{{.Names}}').count('many')} left" + "\n".join(["", *wrong]).rstrip()


@scenario("build runs its steps", r"\A0 0\nguest\n")
def _(side):
    folder = os.path.join(side.top, side.fresh())
    os.mkdir(folder)
    with open(f"{folder}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(f"FROM {side.image}\nRUN id -u >/made\nUSER guest\nRUN id -un >/tmp/who\n")
    side.do("build", *side.build_options, "-t", "localhost/built", folder)
    return side.say("run", "--rm", "--network", "none", "localhost/built", "cat", "/made", "/tmp/who")


@scenario("build: a step that fails is its end", r"\A[1-9]\d* .*returned a non-zero code: 3|\A[1-9]\d* .*exit status 3")
def _(side):
    folder = os.path.join(side.top, side.fresh())
    os.mkdir(folder)
    with open(f"{folder}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(f"FROM {side.image}\nRUN exit 3\n")
    return side.say("build", *side.build_options, "-t", "localhost/not-built", folder)


@scenario("a container whose first process is killed from outside has 137", r"\A137\Z")
def _(side):
    name = start(side)
    os.kill(int(ask(side, name, ".State.Pid")), signal.SIGKILL)
    said = side.do("wait", name)
    remove(side, name)
    return said


def table_of_processes(words):
    """The processes in whose command line all the words are."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(re.search(word, line) for word in words):
            found.append(int(pid))
    return found


def reaper_of(pid):
    """Takes the end of a process that becomes our child when its monitor is killed."""
    def reaped():
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:  # not yet ours
            return False
    thread = threading.Thread(target=lambda: until(reaped))
    thread.start()
    return thread
