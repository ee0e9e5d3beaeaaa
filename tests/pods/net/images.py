#!/usr/bin/env python3
"""Images of umoci and skopeo in pods: as root, and as an ordinary user with granted ids and without.

The image has three layers, which replace, remove and cover what those before have. Prints TAP.
"""

import json
import os
import shutil
import subprocess
import sys

import ordinary
from harness import LIBC, enter_private_host, main, run
from ordinary import HOME, PROGRAMS, cover, grant, make_user

LAYOUT = "/run/images/made"
COPY = "/run/images/copied"


def umoci(*words):
    return run("umoci", *words)


def layer(work):
    """One more layer: what `work` does to the unpacked image."""
    bundle = "/run/images/bundle"
    umoci("unpack", "--image", f"{LAYOUT}:latest", bundle)
    work(f"{bundle}/rootfs")
    umoci("repack", "--image", f"{LAYOUT}:latest", bundle)
    shutil.rmtree(bundle)


def write(path, text, owner=0, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(path, owner, owner)
    os.chmod(path, mode)


def first(root):
    shutil.copytree(ordinary.IMAGE + "/bin", root + "/bin", symlinks=True)
    write(root + "/etc/passwd", "root:x:0:0::/:/bin/sh\nann:x:1000:2000::/home:/bin/sh\n")
    write(root + "/etc/group", "root:x:0:\nstaff:x:2000:\nextra:x:3000:ann\n")
    write(root + "/data/gone", "first\n")
    write(root + "/data/changed", "first\n")
    write(root + "/opaque/old", "first\n")
    os.mkdir(root + "/home")
    write(root + "/home/own", "ann's\n", 1000, 0o600)
    os.chown(root + "/home", 1000, 2000)
    os.link(root + "/data/changed", root + "/data/link")
    os.symlink("changed", root + "/data/symlink")


def second(root):
    os.unlink(root + "/data/gone")
    os.unlink(root + "/data/changed")
    write(root + "/data/changed", "second\n")
    shutil.rmtree(root + "/opaque")


def third(root):
    write(root + "/opaque/new", "third\n")


def make_image():
    os.makedirs("/run/images")
    umoci("init", "--layout", LAYOUT)
    umoci("new", "--image", f"{LAYOUT}:latest")
    for work in (first, second, third):
        layer(work)
    umoci("config", "--image", f"{LAYOUT}:latest", "--tag", "ann",
          "--config.user", "ann", "--config.workingdir", "/data", "--config.env", "FROM=image",
          "--config.entrypoint", "sh", "--config.entrypoint", "-c",
          "--config.cmd", "id; pwd; echo $FROM; cat changed link symlink; ls /data /opaque; cat /home/own")
    run("skopeo", "copy", "--quiet", f"oci:{LAYOUT}:ann", f"oci:{COPY}:v1.0")
    run("chmod", "-R", "a+rX", "/run/images")


def pod(who, *words):
    command = [f"{PROGRAMS}/ocirt-pod", *words]
    if who != "root":
        return ordinary.as_user(*command)
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def manifest(image, **more):
    path = "/run/image.yaml"
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "a", "image": image, **more}]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": "image", "annotations": {"ocirt.pod/network": "none"}},
                   "spec": spec}, file)
    return path


def output(who, image, **more):
    done = pod(who, "run", manifest(image, **more))
    assert done.returncode == 0, done.stderr
    waited = pod(who, "wait", "image")
    log = pod(who, "logs", "image").stdout
    done = pod(who, "rm", "--force", "image")
    assert done.returncode == 0, done.stderr
    return waited.stdout, log.splitlines()


EXPECTED = ["/data", "image", "second", "first", "second", "/data:", "changed", "link", "symlink", "",
            "/opaque:", "new", "ann's"]


def cache(who):
    return "/var/lib/ocirt/images" if who == "root" else f"{HOME}/.local/share/ocirt/images"


def is_as_the_image_says(who, image):
    for _ in range(2):
        waited, log = output(who, image)
        assert "Succeeded" in waited, (waited, log)
        assert log[0].startswith("uid=1000") and "gid=2000" in log[0] and "3000" in log[0], log
        assert log[1:] == EXPECTED, log
        # The second time from what is there.
        unpacked = [n for n in os.listdir(cache(who)) if n.startswith("sha256-")]
        assert len(unpacked) == 1, unpacked
    found = os.stat(f"{cache(who)}/{unpacked[0]}/rootfs/home/own")
    assert found.st_uid == (1000 if who == "root" else ordinary.GRANTED + 999), found
    run("rm", "-r", cache(who))


def root_runs_an_image_of_umoci_and_a_copy_of_skopeo():
    is_as_the_image_says("root", f"oci:{LAYOUT}:ann")
    is_as_the_image_says("root", f"oci:{COPY}:v1.0")


def an_image_is_on_the_disk_before_it_is_taken_for_whole():
    done = run("strace", "-qq", "-e", "trace=syncfs,rename,renameat,renameat2", "-o", "/run/calls",
               f"{PROGRAMS}/ocirt-pod", "run", manifest(f"oci:{LAYOUT}:ann"))
    pod("root", "rm", "--force", "image")
    with open("/run/calls", encoding="utf-8") as file:
        calls = [line.partition("(")[0] for line in file if "= 0" in line and ("syncfs" in line or "sha256-" in line)]
    assert calls and calls[0] == "syncfs" and calls[1].startswith("rename"), (calls, done)
    run("rm", "-r", cache("root"))


def an_ordinary_user_with_granted_ids_runs_it_with_its_owners():
    grant(65536)
    is_as_the_image_says("ordinary", f"oci:{COPY}:v1.0")
    run("umount", "/etc/subuid")
    run("umount", "/etc/subgid")


def an_ordinary_user_alone_runs_it_as_root_only():
    grant(0)
    done = pod("ordinary", "run", manifest(f"oci:{COPY}:v1.0"))
    assert "runAsUser: 1000 is none of the 1 ids" in done.stderr, done.stderr
    waited, log = output("ordinary", f"oci:{COPY}:v1.0", securityContext={"runAsUser": 0})
    assert "Succeeded" in waited and log[0].startswith("uid=0") and log[1:] == EXPECTED, log
    run("umount", "/etc/subuid")
    run("umount", "/etc/subgid")
    run("rm", "-r", cache("ordinary"))


def what_is_no_such_image_is_refused_and_leaves_nothing():
    done = pod("root", "run", manifest(f"oci:{COPY}:v2"))
    assert f'there is no tag "v2" in {COPY}; it has v1.0' in done.stderr, done.stderr
    done = pod("root", "run", manifest("oci:/run/nowhere:v1"))
    assert "/run/nowhere is no OCI image layout: there is no index.json" in done.stderr, done.stderr
    broken = "/run/images/broken"
    shutil.copytree(COPY, broken)
    with open(f"{broken}/index.json", encoding="utf-8") as file:
        digest = json.load(file)["manifests"][0]["digest"].partition(":")[2]
    with open(f"{broken}/blobs/sha256/{digest}", encoding="utf-8") as file:
        layers = json.load(file)["layers"]
    write(f"{broken}/blobs/sha256/{layers[1]['digest'].partition(':')[2]}", "no archive")
    done = pod("root", "run", manifest(f"oci:{broken}:v1.0"))
    assert done.returncode == 1 and "image: umoci ended with status 1" in done.stderr, done.stderr
    index = json.load(open(f"{broken}/index.json", encoding="utf-8"))
    several = {"schemaVersion": 2, "manifests": index["manifests"]}
    write(f"{broken}/blobs/sha256/{'0' * 64}", json.dumps(several))
    index["manifests"][0]["digest"] = "sha256:" + "0" * 64
    write(f"{broken}/index.json", json.dumps(index))
    done = pod("root", "run", manifest(f"oci:{broken}:v1.0"))
    assert "names images for several platforms" in done.stderr, done.stderr
    os.environ["PATH"], path = "/run/programs", os.environ["PATH"]
    done = pod("root", "run", manifest(f"oci:{COPY}:v1.0"))
    os.environ["PATH"] = path
    assert "not supported without the program umoci" in done.stderr, done.stderr


def a_tag_that_moves_meanwhile_is_never_another_image_in_the_cache():
    moving = "/run/images/moving"
    shutil.copytree(LAYOUT, moving)
    with open(f"{moving}/index.json", encoding="utf-8") as file:
        digests = {m["annotations"]["org.opencontainers.image.ref.name"]: m["digest"]
                   for m in json.load(file)["manifests"]}
    write("/run/moving/umoci", f"#!/bin/sh\nsed -i s/{digests['ann']}/{digests['latest']}/ {moving}/index.json\n"
          f'exec {shutil.which("umoci")} "$@"\n', mode=0o755)
    os.environ["PATH"], path = "/run/moving:" + os.environ["PATH"], os.environ["PATH"]
    done = pod("root", "run", manifest(f"oci:{moving}:ann"))
    os.environ["PATH"] = path
    assert done.returncode == 1 and 'the tag "ann" in /run/images/moving has been moved' in done.stderr, done.stderr
    assert os.listdir(cache("root")) == ["lock"], os.listdir(cache("root"))


def killed_while_it_unpacks_it_takes_umoci_along(who):
    """Whose half of an image goes with the next one that is unpacked, whichever that is."""
    write("/run/slow/umoci", '#!/bin/sh\nfor last; do :; done\nmkdir -p $last/rootfs/x\n'
          'readlink /proc/self/ns/user >$last/rootfs/x/ns\nsleep 1000\n', mode=0o755)
    program = [f"{PROGRAMS}/ocirt-pod", "run", manifest(f"oci:{LAYOUT}:latest")]
    env = {**os.environ, "PATH": "/run/slow:" + os.environ["PATH"]}
    if who != "root":
        env |= {"HOME": HOME, "XDG_RUNTIME_DIR": ordinary.RUNTIME}
        program = ["setpriv", "--reuid", str(ordinary.USER), "--regid", str(ordinary.USER), "--clear-groups", *program]
    making = subprocess.Popen(program, env=env, stderr=subprocess.DEVNULL)
    def begun():
        names = os.listdir(cache(who)) if os.path.isdir(cache(who)) else []
        return [n for n in names if n.endswith(".tmp") and os.path.exists(f"{cache(who)}/{n}/rootfs/x/ns")]
    left = ordinary.until(begun)
    making.kill()
    making.wait()
    ordinary.until(lambda: not ordinary.children(), 10)
    assert os.listdir(f"{cache(who)}/{left[0]}/rootfs") == ["x"]
    output(who, f"oci:{LAYOUT}:ann", securityContext={"runAsUser": 0})
    names = os.listdir(cache(who))
    assert len(names) == 2 and left[0] not in names, names
    run("rm", "-r", cache(who))


def killed_as_root_while_it_unpacks_it_takes_umoci_along():
    killed_while_it_unpacks_it_takes_umoci_along("root")


def killed_as_somebody_else_while_it_unpacks_it_takes_umoci_along():
    for ids in (65536, 0):
        grant(ids)
        killed_while_it_unpacks_it_takes_umoci_along("ordinary")
        run("umount", "/etc/subuid")
        run("umount", "/etc/subgid")


def leftovers():
    left = ordinary.leftovers()
    if os.path.isdir("/var/lib/ocirt"):
        left += [os.path.join(base, n) for base, _, names in os.walk("/var/lib/ocirt") for n in names
                 if n != "lock"]
    if os.path.isdir("/run/ocirt/pods"):
        left += [n for n in os.listdir("/run/ocirt/pods") if n != ".lock"]
    return left


def clean_up():
    subprocess.run([f"{PROGRAMS}/ocirt-pod", "rm", "--force", "image"], check=False)
    ordinary.clean_up()
    run("sh", "-c", f"rm -rf /var/lib/ocirt/* {cache('ordinary')}; umount /etc/subuid /etc/subgid", check=False)


if __name__ == "__main__":
    enter_private_host()
    os.environ["PRIVATE_HOST"] = ""
    LIBC.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    os.mkdir("/run/var")
    os.mkdir("/run/var/ocirt")
    run("mount", "--bind", "/run/var", "/var/lib")
    make_user()
    make_image()
    try:
        code = main([root_runs_an_image_of_umoci_and_a_copy_of_skopeo,
                     an_image_is_on_the_disk_before_it_is_taken_for_whole,
                     an_ordinary_user_with_granted_ids_runs_it_with_its_owners,
                     an_ordinary_user_alone_runs_it_as_root_only,
                     what_is_no_such_image_is_refused_and_leaves_nothing,
                     a_tag_that_moves_meanwhile_is_never_another_image_in_the_cache,
                     killed_as_root_while_it_unpacks_it_takes_umoci_along,
                     killed_as_somebody_else_while_it_unpacks_it_takes_umoci_along], leftovers, clean_up)
    finally:
        clean_up()
    sys.exit(code)
