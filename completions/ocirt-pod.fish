# fish completion for ocirt-pod. `make completions` compares the options with those of --help.

set -l commands run create start stop restart rm scale ps inspect logs events exec attach kill wait port top stats
set -l none "not __fish_seen_subcommand_from $commands"
set -l of "__fish_seen_subcommand_from"

function __ocirt_pod_pods
    ocirt-pod ps --all --quiet 2>/dev/null
end

complete -c ocirt-pod -f
complete -c ocirt-pod -n $none -a run -d 'make a pod from a file and start it'
complete -c ocirt-pod -n $none -a create -d 'make a pod, but start nothing yet'
complete -c ocirt-pod -n $none -a start -d 'start pods that were created or have ended'
complete -c ocirt-pod -n $none -a stop -d 'end the containers of pods'
complete -c ocirt-pod -n $none -a restart -d 'stop pods and make them anew'
complete -c ocirt-pod -n $none -a rm -d 'remove pods'
complete -c ocirt-pod -n $none -a scale -d 'have so many pods of one file'
complete -c ocirt-pod -n $none -a ps -d 'list pods'
complete -c ocirt-pod -n $none -a inspect -d 'show everything that is known about pods'
complete -c ocirt-pod -n $none -a logs -d 'show what containers have said'
complete -c ocirt-pod -n $none -a events -d 'show what has happened in pods'
complete -c ocirt-pod -n $none -a exec -d 'run a program in a container'
complete -c ocirt-pod -n $none -a attach -d 'show what a container says from now on'
complete -c ocirt-pod -n $none -a kill -d 'send a signal to a container'
complete -c ocirt-pod -n $none -a wait -d 'wait until pods have ended'
complete -c ocirt-pod -n $none -a port -d 'list the ports of a pod'
complete -c ocirt-pod -n $none -a top -d 'list the processes of a pod'
complete -c ocirt-pod -n $none -a stats -d 'show what containers use'

complete -c ocirt-pod -n $none -l root -r -F -d 'where the pods are'
complete -c ocirt-pod -n $none -l state-dir -r -F -d 'where their files are kept'
complete -c ocirt-pod -n $none -l images -r -F -d 'where images are unpacked'
complete -c ocirt-pod -n $none -s v -l version -d 'print the version'
complete -c ocirt-pod -s h -l help -d 'show the options'

complete -c ocirt-pod -n "$of run create scale" -F
complete -c ocirt-pod -n "$of run create" -l name -x -d 'another name than that of the file'
complete -c ocirt-pod -n "$of run create scale" -l ignore-unknown -d 'leave out what cannot be honoured'
complete -c ocirt-pod -n "$of run create" -l dry-run -d 'check and print, make nothing'
complete -c ocirt-pod -n "$of start stop restart rm inspect logs events exec attach kill wait port top stats" -a '(__ocirt_pod_pods)'
complete -c ocirt-pod -n "$of start stop restart rm ps" -s a -l all -d 'every pod'
complete -c ocirt-pod -n "$of stop restart rm" -s t -l time -x -d 'from asking to killing'
complete -c ocirt-pod -n "$of rm" -s f -l force -d 'stop pods that run'
complete -c ocirt-pod -n "$of ps" -s q -l quiet -d 'names only'
complete -c ocirt-pod -n "$of ps inspect port top events stats" -s f -l format -x -a 'json table' -d 'how to print'
complete -c ocirt-pod -n "$of logs" -s f -l follow -d 'go on until the pod has ended'
complete -c ocirt-pod -n "$of logs" -s n -l tail -x -d 'only the last lines'
complete -c ocirt-pod -n "$of logs exec attach" -s c -l container -x -d 'which container'
complete -c ocirt-pod -n "$of logs" -s t -l timestamps -d 'when each line was written'
complete -c ocirt-pod -n "$of events" -l follow -d 'go on'
complete -c ocirt-pod -n "$of exec attach" -s i -l interactive -d 'give it our input'
complete -c ocirt-pod -n "$of exec" -s t -l tty -d 'give it a terminal'
complete -c ocirt-pod -n "$of exec" -s e -l env -x -d 'a variable'
complete -c ocirt-pod -n "$of exec" -s w -l workdir -x -d 'its working directory'
complete -c ocirt-pod -n "$of kill" -s s -l signal -x -a 'HUP INT TERM KILL USR1 USR2 STOP CONT' -d 'which signal'
complete -c ocirt-pod -n "$of stats" -l no-stream -d once
