# For the demos: commands are printed as they are typed, run, and their answers printed and checked, so that
# a demo is a test as well. Sourced; the caller has die() and stands in a directory of its own.

say() {
  printf '\n# %s\n' "$*"
}

# run STATUS COMMAND: prints and runs COMMAND, which has to end with STATUS. The answer goes to a file and
# not through $(), which would wait for the container that `create` leaves behind.
run() {
  printf '$ %s\n' "$2"
  timeout 20 sh -c "$2" >answer 2>&1 </dev/null 9>&-
  status=$?
  cat answer
  [ "$status" = "$1" ] || die "that command ended with status $status, expected $1"
}

# The answer has to have a line that matches; `silent`: it has none at all.
answers() {
  grep -Eq -- "$1" answer || die "expected the answer to have: $1"
}
silent() {
  [ ! -s answer ] || die "expected no answer"
}
