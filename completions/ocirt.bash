# bash completion for ocirt.
# The options of each command stand in one place, _ocirt_options; `make completions` compares them
# with what `ocirt COMMAND --help` prints.

_ocirt_commands="create start run exec state list ps kill delete pause resume update events mounts spec features"

_ocirt_options() {
  case $1 in
    "") echo "--root --log --log-format --log-level --trace --debug --systemd-cgroup
              --cgroup-manager --rootless --help --version" ;;
    create) echo "--bundle --config --console-socket --pidfd-socket --pid-file --no-pivot
              --no-new-keyring --preserve-fds --help" ;;
    run) echo "--bundle --config --console-socket --pidfd-socket --pid-file --no-pivot
              --no-new-keyring --preserve-fds --no-subreaper --detach --keep --help" ;;
    exec) echo "--process --cwd --env --tty --user --additional-gids --cap --no-new-privs --apparmor
              --process-label --cgroup --ignore-paused --detach --pid-file --console-socket
              --pidfd-socket --preserve-fds --help" ;;
    list) echo "--format --quiet --help" ;;
    ps) echo "--format --help" ;;
    kill) echo "--all --regex --help" ;;
    delete) echo "--force --regex --help" ;;
    update) echo "--resources --memory --memory-reservation --memory-swap --cpu-period --cpu-quota
              --cpu-share --cpu-rt-period --cpu-rt-runtime --cpu-burst --cpu-idle --cpuset-cpus
              --cpuset-mems --blkio-weight --pids-limit --l3-cache-schema
              --mem-bw-schema --help" ;;
    events) echo "--interval --stats --help" ;;
    spec) echo "--bundle --file --rootless --help" ;;
    start | state | pause | resume | mounts | features) echo "--help" ;;
  esac
}

# Options that stand alone; every other one takes a value.
_ocirt_is_switch() {
  case $1 in
    --debug | --systemd-cgroup | --help | --version | --no-pivot | --no-new-keyring | --no-subreaper \
      | --stats | --detach | --keep | --tty | --no-new-privs | --ignore-paused | --quiet | --all | --force \
      | -h | -v | -d | -t | -q | -a) return 0 ;;
    --rootless) [ "$2" = spec ] ;;
    --regex | -r) [ "$2" = kill ] || [ "$2" = delete ] ;;
    -f) [ "$2" = delete ] ;;
    *) return 1 ;;
  esac
}

_ocirt() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev="" command="" root=() positional=0 i word
  COMPREPLY=()
  [ "$COMP_CWORD" -gt 0 ] && prev=${COMP_WORDS[COMP_CWORD - 1]}

  # bash hands `--x=v` over as three words.
  if [ "$cur" = "=" ]; then
    cur=""
  elif [ "$prev" = "=" ]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  # Which command, and how many words that are not options stand before the cursor.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --root)
        [ "${COMP_WORDS[i + 1]}" = "=" ] && i=$((i + 1))
        i=$((i + 1))
        [ "$i" -lt "$COMP_CWORD" ] && root=(--root "${COMP_WORDS[i]}")
        ;;
      -*)
        if [ "${COMP_WORDS[i + 1]}" = "=" ]; then
          i=$((i + 2))
        elif ! _ocirt_is_switch "$word" "$command"; then
          i=$((i + 1))
        fi
        ;;
      *)
        if [ -z "$command" ]; then command=$word; else positional=$((positional + 1)); fi
        ;;
    esac
  done

  if [[ $prev == -* ]] && ! _ocirt_is_switch "$prev" "$command"; then
    case $prev in
      --root | --bundle | -b | --cwd) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
      --log-format) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur") ;;
      --log-level) mapfile -t COMPREPLY < <(compgen -W "error warning debug" -- "$cur") ;;
      --cgroup-manager)
        mapfile -t COMPREPLY < <(compgen -W "cgroupfs disabled systemd" -- "$cur") ;;
      --rootless) mapfile -t COMPREPLY < <(compgen -W "auto false true" -- "$cur") ;;
      --format) mapfile -t COMPREPLY < <(compgen -W "table json" -- "$cur") ;;
      -f)
        if [ "$command" = list ] || [ "$command" = ps ]; then
          mapfile -t COMPREPLY < <(compgen -W "table json" -- "$cur")
        else
          mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi ;;
      --log | --file | --config | --console-socket | --pidfd-socket | --pid-file | --process | -p \
        | --resources | -r) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
    return
  fi

  if [[ $cur == -* ]]; then
    # The words after the container's id belong to the container's command.
    [ "$command" = exec ] && [ "$positional" -gt 0 ] && return
    mapfile -t COMPREPLY < <(compgen -W "$(_ocirt_options "$command")" -- "$cur")
    return
  fi

  # The word after `mounts` says what to do; the id follows.
  if [ "$command" = mounts ]; then
    positional=$((positional - 1))
    case $positional in
      -1) mapfile -t COMPREPLY < <(compgen -W "add remove" -- "$cur") ;;
      1) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
  fi

  case $command in
    "") mapfile -t COMPREPLY < <(compgen -W "$_ocirt_commands" -- "$cur") ;;
    start | state | exec | ps | kill | delete | pause | resume | update | events | mounts)
      if [ "$positional" = 0 ]; then
        mapfile -t COMPREPLY < <(
          compgen -W "$("${COMP_WORDS[0]}" "${root[@]}" list --quiet 2>/dev/null)" -- "$cur")
      elif [ "$command" = kill ] && [ "$positional" = 1 ]; then
        mapfile -t COMPREPLY < <(
          compgen -W "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP TSTP WINCH" -- "$cur")
      fi ;;
  esac
}

complete -F _ocirt ocirt
