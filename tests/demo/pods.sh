#!/bin/sh
# Pods, shown: a front end (a web server, and a helper that fills it over localhost) and a back end (a
# database server), both from Debian's packages. Usage: pods.sh [/path/to/ocirt-pod], as root.
# The host of this demo is a network namespace of its own, so that your machine's network is left as it is:
# the bridge, the addresses and the published port are made there and end with it.
set -u
pod=${1:-build/ocirt-pod}
here=$(cd "$(dirname "$0")" && pwd)
top=
port=8080

die() {
  echo "demo: $*" >&2
  exit 1
}

case $pod in
  /*) ;;
  *) pod=$PWD/$pod ;;
esac
[ "${pod##*/}" = ocirt-pod ] && [ -x "$pod" ] || die "$pod is not there: build it with make"
[ "$(id -u)" = 0 ] || die "making pods needs root: sudo make demo"
[ -x /bin/busybox ] || die "/bin/busybox is missing: install busybox-static"

# Downloading takes the machine's own network, so that comes before the demo's.
if [ -z "${OCIRT_DEMO:-}" ]; then
  top=$(mktemp -d /tmp/ocirt-demo.XXXXXX) || die "no temporary directory"
  trap 'rm -rf "$top"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  export OCIRT_PACKAGES="${OCIRT_PACKAGES:-$PWD/build/packages}"
  back="libc6 redis-server redis-tools libatomic1 libjemalloc2 liblzf1 libssl3 libsystemd0 libcap2 libgcrypt20
    libgpg-error0 liblz4-1 liblzma5 libzstd1 liblua5.1-0 libhiredis0.14 lua-cjson lua-bitop libstdc++6 libgcc-s1"
  front="libc6 nginx nginx-common libcrypt1 libpcre2-8-0 libssl3 zlib1g"
  # shellcheck disable=SC2086  # words are wanted
  "$here/make-rootfs" "$top/back" $back busybox-static && "$here/make-rootfs" "$top/front" $front busybox-static ||
    die "the root filesystems could not be made"
  OCIRT_DEMO=$top unshare --net "$here/pods.sh" "$pod"
  exit $?
fi
top=$OCIRT_DEMO
ip link set lo up || die "ip is missing: install iproute2"

clean_up() {
  ocirt-pod rm --force --all >/dev/null
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$top" || exit 1

# What is typed as `ocirt-pod` keeps its files below this demo's directory.
mkdir bin
cat >bin/ocirt-pod <<WRAPPER
#!/bin/sh
exec $pod --root $top/pods --state-dir $top/state "\$@"
WRAPPER
chmod +x bin/ocirt-pod
PATH=$top/bin:$PATH

. "$here/telling.sh"

# A page may take a moment: the helper works once a second. Not by busybox's wget: linked statically, it
# cannot use the libraries that the host's name service brings.
get() {
  printf 'GET / HTTP/1.0\r\n\r\n' | busybox nc -w 2 "$1" "$2" | tail -n 1
}
fetches() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    page=$(get "$1" "$2")
    echo "$page" | grep -q "^$3" && break
    sleep 1
  done
  printf '$ wget -O - http://%s:%s/\n%s\n' "$1" "$2" "$page"
  echo "$page" | grep -q "^$3" || die "expected the page to have: $3"
}
# A restarted container is there again after its back-off, which is short for the first time.
comes() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    sh -c "$1" >answer 2>&1
    grep -Eq -- "$2" answer && break
    sleep 1
  done
  printf '$ %s\n' "$1"
  cat answer
  answers "$2"
}

echo
echo "A pod is a group of containers that share one network: one address, one localhost, one range of ports."
say "Two root filesystems, made from Debian's packages: nginx and busybox; redis and busybox."
cp -r "$here/settings" settings
cp "$here/back.yaml" .
run 0 'ls back/usr/bin/redis-server front/usr/sbin/nginx'

say "The back end is one container. \`run\` prints the pod's address."
run 0 "sed '/^#/d' back.yaml"
run 0 'ocirt-pod run back.yaml'
answers '^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$'
back_ip=$(cat answer)

say "The front end is two containers: web serves, helper asks the back end by its address and fills web."
sed -e "s|@BACK@|$back_ip|" -e "s|@SETTINGS@|$top/settings|" "$here/front.yaml" >front.yaml
run 0 "sed '/^#/d' front.yaml"
run 0 'cat settings/fill'
run 0 'ocirt-pod scale front.yaml 1'
answers '^front-0'
front_ip=$(awk '{ print $2 }' answer)
comes 'ocirt-pod ps' '^front-0 +2/2 +Running'
fetches "$front_ip" 80 "page [0-9]*, made by front-0, counted by redis at $back_ip"

say "They share their network and nothing else: the helper does not see the server's processes or files."
run 0 'ocirt-pod exec front-0/helper busybox wget -q -O - http://127.0.0.1/'
answers '^page [0-9]+, made by front-0'
run 0 'ocirt-pod exec front-0/helper busybox ps -o pid,args'
! grep -q nginx answer || die "the helper sees the server's processes"
run 1 'ocirt-pod exec front-0/helper busybox ls /content'

say "scale: three front ends, and still one back end. The pod is what is scaled, with all that is in it."
run 0 'ocirt-pod scale front.yaml 3'
answers '^front-2'
last_ip=$(awk '$1 == "front-2" { print $2 }' answer)
comes 'ocirt-pod ps' '^front-2 +2/2 +Running'
answers '^back +1/1 +Running'
fetches "$last_ip" 80 "page [0-9]*, made by front-2, counted by redis at $back_ip"

say "One process is killed. Only its container is started again, its neighbour and the other pods go on."
run 0 'ocirt-pod kill front-0/web'
comes 'ocirt-pod ps' '^front-0 +2/2 +Running +1 '
answers '^front-1 +2/2 +Running +0 '
fetches "$front_ip" 80 "page [0-9]*, made by front-0, counted by redis at $back_ip"
run 0 'ocirt-pod events front-0 | grep web'
run 0 'ocirt-pod logs --tail 3 front-0/web'

say "Published: another front end, whose port 80 is the host's $port. (This demo's host, that is.)"
run 0 "sed 's/containerPort: 80/containerPort: 80, hostPort: $port/' front.yaml >door.yaml"
run 0 'ocirt-pod run --name door door.yaml'
run 0 'ocirt-pod port door'
answers "$port"
fetches 127.0.0.1 "$port" "page [0-9]*, made by door, counted by redis at $back_ip"

say "A second pod with that port is refused, before anything of it is made."
run 1 'ocirt-pod run --name other door.yaml'
answers "$port"
answers 'door'
run 0 'ocirt-pod ps --all'
! grep -q '^other' answer || die "a part of the refused pod is left"

say "The end: everything that was made is gone."
run 0 'ocirt-pod rm --force --all'
run 0 'ocirt-pod ps --all --quiet'
silent
run 0 'ip -brief link'
[ "$(grep -vc '^lo ' answer)" = 0 ] || die "links are left"
left=$(find pods state -mindepth 1 ! -name .lock 2>/dev/null | head -n 5)
[ -z "$left" ] || die "files are left: $left"
