# fish completion for ocirt.

function __ocirt_ids
    set -l words (commandline -opc)
    set -l root
    for i in (seq (count $words))
        if test "$words[$i]" = --root; and test $i -lt (count $words)
            set root --root $words[(math $i + 1)]
        else if string match -q -- '--root=*' $words[$i]
            set root $words[$i]
        end
    end
    ocirt $root list --quiet 2>/dev/null
end

set -l commands create start run exec state list ps kill delete pause resume update events mounts spec features
set -l none "not __fish_seen_subcommand_from $commands"

complete -c ocirt -f
complete -c ocirt -n $none -a create -d 'create a container'
complete -c ocirt -n $none -a start -d 'start a created container'
complete -c ocirt -n $none -a run -d 'create and start a container'
complete -c ocirt -n $none -a exec -d 'run a command in a container'
complete -c ocirt -n $none -a state -d 'print the state of a container'
complete -c ocirt -n $none -a list -d 'list containers'
complete -c ocirt -n $none -a ps -d 'list the processes of a container'
complete -c ocirt -n $none -a kill -d 'send a signal to a container'
complete -c ocirt -n $none -a delete -d 'delete a container'
complete -c ocirt -n $none -a pause -d 'freeze a container'
complete -c ocirt -n $none -a resume -d 'thaw a container'
complete -c ocirt -n $none -a update -d 'change the resource limits of a container'
complete -c ocirt -n $none -a events -d 'print what a container uses and when memory runs out'
complete -c ocirt -n $none -a mounts -d 'add or remove mounts of a running container'
complete -c ocirt -n $none -a spec -d 'write a default config.json'
complete -c ocirt -n $none -a features -d 'print what this runtime supports'

complete -c ocirt -s h -l help -d 'show help'
complete -c ocirt -n $none -s v -l version -d 'show the version'
complete -c ocirt -n $none -l root -r -a '(__fish_complete_directories)' -d 'directory of the state'
complete -c ocirt -n $none -l log -r -F -d 'file for messages'
complete -c ocirt -n $none -l log-format -x -a 'text json' -d 'form of messages'
complete -c ocirt -n $none -l log-level -x -a 'error warning debug' -d 'how much'
complete -c ocirt -n $none -l trace -r -F -d 'file for a timeline'
complete -c ocirt -n $none -l debug -d 'log more'
complete -c ocirt -n $none -l systemd-cgroup -d 'let systemd make the cgroup'
complete -c ocirt -n $none -l cgroup-manager -x -a 'cgroupfs disabled systemd' -d 'who makes the cgroup'
complete -c ocirt -n $none -l rootless -x -a 'auto false true' -d 'act as without root'

set -l make '__fish_seen_subcommand_from create run'
complete -c ocirt -n $make -s b -l bundle -r -a '(__fish_complete_directories)' -d 'bundle directory'
complete -c ocirt -n $make -s f -l config -r -F -d 'configuration instead of config.json'
complete -c ocirt -n $make -l no-pivot -d 'use MS_MOVE instead of pivot_root'
complete -c ocirt -n $make -l no-new-keyring -d 'keep the session keyring'
set -l run '__fish_seen_subcommand_from run'
complete -c ocirt -n $run -l no-subreaper -d 'do not become subreaper'
complete -c ocirt -n $run -l keep -d 'keep the state at the end'

set -l process '__fish_seen_subcommand_from create run exec'
complete -c ocirt -n $process -l console-socket -r -F -d 'socket that receives the terminal'
complete -c ocirt -n $process -l pidfd-socket -r -F -d 'socket that receives the pidfd'
complete -c ocirt -n $process -l pid-file -r -F -d 'file for the pid'
complete -c ocirt -n $process -l preserve-fds -x -d 'how many descriptors after 2 to pass'
complete -c ocirt -n '__fish_seen_subcommand_from run exec' -s d -l detach -d 'do not wait'

set -l exec '__fish_seen_subcommand_from exec'
complete -c ocirt -n $exec -s p -l process -r -F -d 'process document'
complete -c ocirt -n $exec -l cwd -x -d 'working directory'
complete -c ocirt -n $exec -s e -l env -x -d 'NAME=VALUE'
complete -c ocirt -n $exec -s t -l tty -d 'give it a terminal'
complete -c ocirt -n $exec -s u -l user -x -d 'UID[:GID]'
complete -c ocirt -n $exec -s g -l additional-gids -x -d 'more groups'
complete -c ocirt -n $exec -s c -l cap -x -d 'capability'
complete -c ocirt -n $exec -l no-new-privs -d 'set no_new_privs'
complete -c ocirt -n $exec -l apparmor -x -d 'AppArmor profile'
complete -c ocirt -n $exec -l process-label -x -d 'SELinux label'
complete -c ocirt -n $exec -l cgroup -x -d 'cgroup below that of the container'
complete -c ocirt -n $exec -l ignore-paused -d 'also when it is paused'

complete -c ocirt -n '__fish_seen_subcommand_from list ps' -s f -l format -x -a 'table json' -d 'form'
complete -c ocirt -n '__fish_seen_subcommand_from list' -s q -l quiet -d 'ids only'
complete -c ocirt -n '__fish_seen_subcommand_from kill' -s a -l all -d 'every process'
complete -c ocirt -n '__fish_seen_subcommand_from delete' -s f -l force -d 'kill it first'
complete -c ocirt -n '__fish_seen_subcommand_from kill delete' -s r -l regex -d 'the id is a regular expression'
complete -c ocirt -n '__fish_seen_subcommand_from spec' -s b -l bundle -r -a '(__fish_complete_directories)' -d 'bundle directory'
complete -c ocirt -n '__fish_seen_subcommand_from spec' -s f -l file -r -F -d 'write to this file'
complete -c ocirt -n '__fish_seen_subcommand_from spec' -l rootless -d 'for a user without root'

complete -c ocirt -n '__fish_seen_subcommand_from events' -l interval -x -d 'between two statistics'
complete -c ocirt -n '__fish_seen_subcommand_from events' -l stats -d 'print the statistics once'

set -l update '__fish_seen_subcommand_from update'
complete -c ocirt -n $update -s r -l resources -r -F -d 'document, - for standard input'
for limit in memory memory-reservation memory-swap cpu-period cpu-quota cpu-share cpu-rt-period \
        cpu-rt-runtime cpu-burst cpu-idle cpuset-cpus cpuset-mems blkio-weight pids-limit l3-cache-schema \
        mem-bw-schema
    complete -c ocirt -n $update -l $limit -x -d 'limit'
end

complete -c ocirt -n '__fish_seen_subcommand_from start state exec ps kill delete pause resume update events' \
    -a '(__ocirt_ids)' -d container
set -l mounts '__fish_seen_subcommand_from mounts'
complete -c ocirt -n "$mounts; and not __fish_seen_subcommand_from add remove" -a 'add remove'
complete -c ocirt -n "$mounts; and __fish_seen_subcommand_from add remove" -F -a '(__ocirt_ids)' -d container
