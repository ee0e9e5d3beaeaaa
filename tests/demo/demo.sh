#!/bin/sh
# The life of a container, shown: every command is printed as it is typed, run, and its answer printed
# and checked, so that this is a test as well. Usage: demo.sh [/path/to/ocirt], as root.
# Everything is made in a temporary directory, with a state root and a cgroup of its own, and removed
# at the end, also when a step fails.
set -u
ocirt=${1:-build/ocirt}
here=$(cd "$(dirname "$0")" && pwd)
top=
cgroup=ocirt-demo-$$

die() {
  echo "demo: $*" >&2
  exit 1
}

case $ocirt in
  /*) ;;
  *) ocirt=$PWD/$ocirt ;;
esac
[ "${ocirt##*/}" = ocirt ] && [ -x "$ocirt" ] || die "$ocirt is not there: build it with make"
[ "$(id -u)" = 0 ] || die "making containers needs root: sudo make demo"
[ -x /bin/busybox ] || die "/bin/busybox is missing: install busybox-static"

cgroups_left() {
  find /sys/fs/cgroup -maxdepth 3 -type d -name "$cgroup" 2>/dev/null
}

clean_up() {
  [ -n "$top" ] || return 0
  for id in web job; do "$ocirt" --root "$top/state" delete --force "$id"; done
  cgroups_left | while read -r left; do rmdir "$left"; done
  cd /
  rm -rf "$top"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
top=$(mktemp -d /tmp/ocirt-demo.XXXXXX) || die "no temporary directory"
cd "$top" || exit 1
PATH=${ocirt%/*}:$PATH

# The containers write into this pipe. Held open here, it neither blocks its writers nor ends.
mkfifo log
exec 9<>log

. "$here/telling.sh"

# Waits until the container has ended, by asking. A signal has been sent, so it is a matter of milliseconds.
await_end() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      for _ in 1 2 3 4 5 6 7 8 9 10; do
        "$ocirt" --root state state "$1" | grep -q '"status": "stopped"' && return
      done
    done
  done
  die "the container did not stop"
}

echo "ocirt runs containers: isolated processes, described by a directory called a bundle."

say "A bundle is a root filesystem (here: one static busybox, a page and two scripts),"
run 0 'mkdir -p web/rootfs/bin && cp /bin/busybox web/rootfs/bin'
run 0 'for name in sh httpd wget hostname tail; do ln -s busybox web/rootfs/bin/$name; done'
run 0 'echo "hello from the container" >web/rootfs/index.html'
cat >web/rootfs/serve <<'SCRIPT'
trap 'echo bye; exit 0' TERM
httpd -p 80 -h /
tail -f /dev/null &
echo "serving as process $$ of host $(hostname)"
wait
SCRIPT
cat >web/rootfs/job <<'SCRIPT'
echo "this job fails on purpose"
exit 7
SCRIPT
run 0 'cat web/rootfs/serve'

say "and a config.json. \`ocirt spec\` writes one; told here: what to run, without a terminal, in which cgroup."
run 0 'ocirt spec --bundle web'
silent
run 0 "sed -i -e 's/\"sh\"/\"sh\", \"serve\"/' -e 's/\"terminal\": true/\"terminal\": false/' \\
    -e 's|\"linux\": {|&\"cgroupsPath\": \"/$cgroup\",|' web/config.json"

say "create: its namespaces, mounts and cgroup are there, but the program does not run yet."
run 0 'ocirt --root state create --bundle web web >log'
silent
run 0 'ocirt --root state state web'
answers '"status": "created"'
answers '"pid": [1-9]'

say "start: now it runs. What it says comes out where \`create\` was told to write (a pipe named log)."
run 0 'ocirt --root state start web'
silent
run 0 'head -n 1 log'
answers '^serving as process 1 of host ocirt$'

say "exec: one more process inside. It shares the container's network, which the host does not see."
run 0 'ocirt --root state exec web wget -q -O - http://127.0.0.1/'
answers '^hello from the container$'

say "ps: the container's processes, by their pids on the host."
run 0 'ocirt --root state ps --format json web'
answers '^\[[0-9]+(,[0-9]+){2,}\]$'  # shell, tail and httpd; the httpd that answered may be about to end
run 0 'ocirt --root state list'
answers '^web .* running '

say "pause: all of them stop where they are, until resume."
run 0 'ocirt --root state pause web'
silent
run 0 'ocirt --root state list'
answers '^web .* paused '
run 0 'ocirt --root state resume web'
silent

say "kill: sends a signal. This program takes TERM as the request to end."
run 0 'ocirt --root state kill web TERM'
silent
run 0 'head -n 1 log'
answers '^bye$'
await_end web
run 0 'ocirt --root state list'
answers '^web  *0  *stopped '

say "delete: takes away what is left, its cgroup and its state."
run 0 'ocirt --root state delete web'
silent
run 0 'ocirt --root state list --quiet'
silent
[ -z "$(cgroups_left)" ] || die "a cgroup is left: $(cgroups_left)"

say "run: all of it in one command, which ends as the program does."
run 0 "sed 's/\"serve\"/\"job\"/' web/config.json >job.json"
run 0 'ocirt --root state run --bundle web --config job.json job; echo "exit status: $?"'
answers '^this job fails on purpose$'
answers '^exit status: 7$'
[ -z "$(ls state)" ] || die "the state of $(ls state) is left"
[ -z "$(cgroups_left)" ] || die "a cgroup is left: $(cgroups_left)"
