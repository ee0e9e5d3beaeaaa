# bash completion for ocirt-pod.
# The options of each command stand in one place, _ocirt_pod_options; `make completions` compares them
# with what `ocirt-pod COMMAND --help` prints.

_ocirt_pod_commands="run create start stop restart rm scale ps inspect logs events exec attach kill wait port top stats"

_ocirt_pod_options() {
  case $1 in
    "") echo "--root --state-dir --images --version --help" ;;
    run | create) echo "--name --ignore-unknown --dry-run --help" ;;
    start) echo "--all --help" ;;
    stop | restart) echo "--time --all --help" ;;
    rm) echo "--force --time --all --help" ;;
    scale) echo "--ignore-unknown --help" ;;
    ps) echo "--all --quiet --format --help" ;;
    inspect | port | top) echo "--format --help" ;;
    logs) echo "--follow --tail --container --timestamps --help" ;;
    events) echo "--follow --format --help" ;;
    exec) echo "--interactive --tty --container --env --workdir --help" ;;
    kill) echo "--signal --help" ;;
    stats) echo "--no-stream --format --help" ;;
    attach) echo "--interactive --container --help" ;;
    wait) echo "--help" ;;
  esac
}

# Options that stand alone; every other one takes a value.
_ocirt_pod_is_switch() {
  case $1 in
    --version | --help | --ignore-unknown | --dry-run | --all | --force | --quiet | --follow | --timestamps \
      | --interactive | --tty | --no-stream | -h | -v | -a | -q | -i) return 0 ;;
    -f) [ "$2" = rm ] || [ "$2" = logs ] ;;
    -t) [ "$2" = logs ] || [ "$2" = exec ] ;;
    -*) [[ $1 != --* && $2 = exec && $1 =~ ^-[it]+$ ]] ;;
    *) return 1 ;;
  esac
}

_ocirt_pod() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev="" command="" globals=() positional=0 i word
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
      =) i=$((i + 1)) ;;
      -*)
        if ! _ocirt_pod_is_switch "$word" "$command" && [ "${COMP_WORDS[i + 1]}" != "=" ]; then
          i=$((i + 1))
          case $word in --root | --state-dir) globals+=("$word" "${COMP_WORDS[i]}") ;; esac
        elif [ "${COMP_WORDS[i + 1]}" = "=" ]; then
          case $word in --root | --state-dir) globals+=("$word" "${COMP_WORDS[i + 2]}") ;; esac
        fi
        ;;
      *)
        if [ -z "$command" ]; then command=$word; else positional=$((positional + 1)); fi
        ;;
    esac
  done

  if [[ $prev == -* ]] && ! _ocirt_pod_is_switch "$prev" "$command"; then
    case $prev in
      --format | -f) COMPREPLY=($(compgen -W "json table" -- "$cur")) ;;
      --root | --state-dir | --images | --workdir) COMPREPLY=($(compgen -d -- "$cur")) ;;
      --signal | -s) COMPREPLY=($(compgen -W "HUP INT TERM KILL USR1 USR2 STOP CONT" -- "$cur")) ;;
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    [ "$command" = exec ] && [ "$positional" -gt 0 ] && return
    COMPREPLY=($(compgen -W "$(_ocirt_pod_options "$command")" -- "$cur"))
    return
  fi
  case $command in
    "") COMPREPLY=($(compgen -W "$_ocirt_pod_commands" -- "$cur")) ;;
    run | create | scale) [ "$positional" -eq 0 ] && COMPREPLY=($(compgen -f -- "$cur")) ;;
    ps) ;;
    exec | attach | logs | top | port)
      [ "$positional" -eq 0 ] &&
        COMPREPLY=($(compgen -W "$(ocirt-pod "${globals[@]}" ps --all --quiet 2>/dev/null)" -- "$cur"))
      ;;
    *) COMPREPLY=($(compgen -W "$(ocirt-pod "${globals[@]}" ps --all --quiet 2>/dev/null)" -- "$cur")) ;;
  esac
}

complete -o filenames -F _ocirt_pod ocirt-pod
