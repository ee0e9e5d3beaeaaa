# relink OUT extra...
out=$1; shift
g++ -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -static-pie "$@" -o $out $(find $B/obj/src/cli -name '*.o') $B/libocirt.a $B/liboci-spec.a -lseccomp -lyajl_s -lcap
bash /tmp/wt/rss.sh $PWD/$out
