// ocirt-pod as people use it: pod files and verbs, what they print, what the containers see, and
// that nothing is left.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

using ocirt::cat;

TEST_F(PodCli, ContainersShareNetworkIpcAndHostNameAndNothingElse) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, command: [sleep, '1000']}\n"
                             "  - {name: b, IMAGE, command: [sleep, '1000']}\n")}));
  for (const char* ns : {"net", "ipc", "uts"}) {
    const std::string link = cat("readlink /proc/self/ns/", ns);
    EXPECT_EQ(inside("a", link), inside("b", link)) << ns;
    EXPECT_NE(inside("a", link), link_target(cat("/proc/self/ns/", ns))) << ns;
  }
  for (const char* ns : {"pid", "mnt"}) {
    const std::string link = cat("readlink /proc/self/ns/", ns);
    EXPECT_NE(inside("a", link), inside("b", link)) << ns;
  }
  EXPECT_EQ(inside("a", "hostname"), name_);
  inside("a", "echo shared > /dev/shm/x; echo own > /tmp/x || mkdir /tmp");
  EXPECT_EQ(inside("b", "cat /dev/shm/x"), "shared");
  EXPECT_EQ(inside("b", "test -e /tmp/x && echo yes || echo no"), "no");
}

TEST_F(PodCli, VolumesAreFilledByInitContainersAndTheFile) {
  ASSERT_OK(pod(
      {"run",
       file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
            "    - {name: www, mountPath: /www, readOnly: true}\n"
            "    - {name: settings, mountPath: /settings}\n"
            "    - {name: keys, mountPath: /keys}\n",
            "  initContainers:\n  - name: i\n    image: 'rootfs:" + rootfs_ +
                "'\n    command: [sh, -c, 'echo $(ME) > /www/index']\n"
                "    env: [{name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n"
                "    volumeMounts: [{name: www, mountPath: /www}]\n"
                "  volumes:\n  - {name: www, emptyDir: {medium: Memory, sizeLimit: 64Ki}}\n"
                "  - {name: settings, configMap: {name: c, items: [{key: a, path: d/e}]}}\n"
                "  - {name: keys, secret: {secretName: s, defaultMode: 0400}}\n",
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'x=1', b: no}\n"
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {t: c2VjcmV0}\n")}));
  EXPECT_EQ(inside("a", "cat /www/index"), name_);
  EXPECT_EQ(inside("a", "echo x > /www/y 2>/dev/null && echo yes || echo no"), "no");
  EXPECT_EQ(inside("a", "cat /settings/d/e; ls /settings"), "x=1d");
  EXPECT_EQ(inside("a", "cat /keys/t; stat -c %a /keys/t"), "secret400");
  EXPECT_EQ(inside("a", "echo x > /settings/new 2>/dev/null && echo yes || echo no"), "no");
  EXPECT_EQ(inside("a", "df -k /www | tail -n 1 | awk '{print $2}'"), "64");
}

TEST_F(PodCli, ASubPathIsNeverFollowedOverASymbolicLink) {
  const std::string host = scratch() + "/host";
  make_directories(host + "/good");
  write_file(host + "/good/x", "good");
  ASSERT_EQ(::symlink("/etc", (host + "/evil").c_str()), 0);
  const auto with = [&](const std::string& path) {
    return file(
        "  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    volumeMounts:\n"
        "    - {name: v, mountPath: /v, subPath: " +
            path + "}\n",
        "  volumes: [{name: v, hostPath: {path: " + host + "}}]\n");
  };
  const Outcome refused = pod({"run", with("evil")});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
  ASSERT_OK(pod({"run", with("./good/")}));
  EXPECT_EQ(inside("a", "cat /v/x"), "good");
}

TEST_F(PodCli, AnEmptyDirIsOnTheDiskForAllContainersAndGoesWithItsPod) {
  const std::string containers =
      "  - {name: a, IMAGE, command: [sleep, '1000'], volumeMounts: [{name: v, mountPath: /v}]}\n"
      "  - {name: b, IMAGE, command: [sleep, '1000'], volumeMounts: [{name: v, mountPath: /v}]}\n";
  ASSERT_OK(pod({"run", file(containers, "  volumes: [{name: v, emptyDir: {}}]\n")}));
  EXPECT_EQ(inside("a", "stat -c %a /v; echo said >/v/x"), "777");
  EXPECT_EQ(inside("b", "cat /v/x"), "said");
  const std::string place = workspace() + "/pod-state/" + name_;
  EXPECT_EQ(read_file(place + "/.volumes/v/x"), "said\n");
  ASSERT_OK(pod({"rm", "--force", name_}));
  EXPECT_FALSE(exists(place));
}

TEST_F(PodCli, AMissingDirectoryOfASubPathIsAsOpenAsItsVolume) {
  ASSERT_OK(pod({"run", file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n"
                             "    securityContext: {runAsUser: 1000}\n    volumeMounts:\n"
                             "    - {name: v, mountPath: /v, subPath: x/y}\n",
                             "  securityContext: {fsGroup: 2000}\n"
                             "  volumes: [{name: v, emptyDir: {}}]\n")}));
  EXPECT_EQ(inside("a", "touch /v/new && stat -c '%a %g' /v && stat -c %g /v/new"),
            "2777 2000\n2000");
}

TEST_F(PodCli, SecurityIsWhatTheFileSays) {
  ASSERT_OK(pod(
      {"run", file("  - name: a\n    IMAGE\n    command: [sleep, '1000']\n    securityContext:\n"
                   "      {runAsUser: 1234, runAsGroup: 5, readOnlyRootFilesystem: true, "
                   "allowPrivilegeEscalation: false,\n"
                   "       capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}\n",
                   "  securityContext: {supplementalGroups: [77], fsGroup: 88}\n"
                   "  hostAliases: [{ip: 192.0.2.1, hostnames: [db]}]\n")}));
  EXPECT_EQ(inside("a", "id -u; id -g; id -G"), "1234\n5\n5 77 88");
  EXPECT_EQ(inside("a", "touch /x 2>/dev/null && echo yes || echo no"), "no");
  EXPECT_SAYS(inside("a", "cat /proc/self/status"), "CapBnd:\t0000000000000400");
  EXPECT_SAYS(inside("a", "cat /proc/self/status"), "Groups:\t5 77 88");
  EXPECT_SAYS(inside("a", "cat /proc/self/status"), "NoNewPrivs:\t1");
  EXPECT_SAYS(inside("a", "cat /proc/self/status"), "Seccomp:\t2");
  EXPECT_SAYS(inside("a", "cat /etc/hosts"), "192.0.2.1\tdb");
}

TEST_F(PodCli, ExecHandsOverInputOutputAndStatus) {
  ASSERT_OK(pod({"run", sleeper()}));
  const std::string much(300'000, 'x');
  const Outcome copied = pod({"exec", "-i", name_, "cat"}, much);
  EXPECT_OK(copied);
  EXPECT_EQ(copied.out.size(), much.size());
  const Outcome both = pod(
      {"exec", "-e", "A=1", "-w", "/bin", name_, "sh", "-c", "echo $A; pwd; echo bad >&2; exit 7"});
  EXPECT_EQ(both.code, 7);
  EXPECT_EQ(both.out, "1\n/bin\n");
  EXPECT_EQ(both.err, "bad\n");
  EXPECT_EQ(pod({"exec", name_, "/no/such"}).code, 127);
  EXPECT_EQ(pod({"exec", name_, "no-such"}).code, 127);
  EXPECT_EQ(pod({"exec", name_, "/bin"}).code, 126);
  EXPECT_EQ(pod({"exec", name_, "sh", "-c", "kill -9 $$"}).code, 137);
  EXPECT_FAILS(pod({"exec", name_ + "/nobody", "true"}), 125, "there is no container \"nobody\"");
  EXPECT_EQ(names_in(cat(pods_root(), "/", name_, "/exec")), std::vector<std::string>{});
}

TEST_F(PodCli, ExecLosesNothingOfAProgramThatEndsBeforeItsOutputIsRead) {
  ASSERT_OK(pod({"run", sleeper()}));
  // More than the fifo of a client takes: the rest waits with the shim.
  Process exec(command({"exec", name_, "sh", "-c",
                        "touch /begun; while ! test -e /go; do sleep 0.01; done; "
                        "head -c 120000 /dev/zero; touch /done"}));
  inside("a", "while ! test -e /begun; do sleep 0.01; done");
  exec.signal(SIGSTOP);
  inside("a", "touch /go; while ! test -e /done; do sleep 0.01; done");
  exec.signal(SIGCONT);
  const Outcome outcome = exec.wait();
  EXPECT_OK(outcome);
  EXPECT_EQ(outcome.out.size(), 120000u);
}

TEST_F(PodCli, ExecEndsWithItsProgramThoughThatLeftADaemonWithItsOutput) {
  ASSERT_OK(pod({"run", sleeper()}));
  Command leaves = command({"exec", name_, "sh", "-c", "sleep 1000 & echo started"});
  leaves.time_limit_ms = 9000;  // the shim waits for 10 s
  EXPECT_EQ(run_command(leaves).out, "started\n");
  leaves.argv.back() = "yes & echo started";
  const Outcome chatty = run_command(leaves);
  EXPECT_OK(chatty);
  EXPECT_SAYS(chatty.out, "started\n");
}

TEST_F(PodCli, EventsAreShownOverTheRotationOfTheirFile) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, command: [sleep, '1000']}\n",
                             "  restartPolicy: Never\n")}));
  const std::string path = cat(pods_root(), "/", name_, "/events.jsonl");
  Process following(command({"events", "--follow", name_}));
  ASSERT_TRUE(eventually([&] { return following.output().find("Started") != std::string::npos; }));
  following.signal(SIGSTOP);
  // As the shim does it with a file that is large enough, while nobody looks.
  ASSERT_EQ(rename(path.c_str(), (path + ".1").c_str()), 0);
  ASSERT_OK(pod({"kill", "--signal", "KILL", name_}));
  ASSERT_TRUE(eventually(
      [&] { return exists(path) && read_file(path).find("Exited") != std::string::npos; }));
  const std::string all = pod({"events", name_}).out;
  EXPECT_SAYS(all, "Started");
  EXPECT_SAYS(all, "Exited");
  following.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return following.output().find("Exited") != std::string::npos; }));
  EXPECT_EQ(following.output().find("Started"), following.output().rfind("Started"));
}

TEST_F(PodCli, WhatCannotBeMadeLeavesNothing) {
  const auto refused = [&](const std::string& path, std::string_view part) {
    EXPECT_FAILS(pod({"run", path}), 1, part);
    EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
  };
  refused(scratch() + "/none.yaml", "No such file or directory");
  refused(file("  - {name: a, image: 'rootfs:/no/such', command: [x]}\n"),
          "spec.containers[0].image: the directory /no/such is missing");
  refused(file("  - {name: a, image: 'bundle:" + rootfs_ + "', command: [x]}\n"),
          "config.json is missing");
  refused(file("  - {name: a, IMAGE}\n"), "command: missing, and the image has none");
  refused(file("  - {name: a, IMAGE, command: [/no/such]}\n"), "no such file or directory");
  refused(file("  - {name: a, IMAGE, command: [x], volumeMounts: [{name: v, mountPath: /v}]}\n",
               "  volumes: [{name: v, hostPath: {path: /no/such}}]\n"),
          "/no/such does not exist");
  refused(file("  - {name: a, IMAGE, colour: red}\n"), "pod.yaml:9:");
  refused(file("  - {name: a, IMAGE, command: [sleep, '9'], env: "
               "[{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}\n"),
          "gives the pod no address");
}

TEST_F(PodCli, DryRunPrintsThePodAndMakesNothing) {
  const Outcome outcome = pod({"run", "--dry-run", sleeper()});
  ASSERT_OK(outcome);
  const Json document = Json::parse(outcome.out);
  EXPECT_EQ(document["pod"]["name"].text(), name_);
  EXPECT_EQ(document["configs"]["a"]["process"]["args"].strings(),
            (std::vector<std::string>{"sleep", "1000"}));
  EXPECT_FALSE(exists(pods_root() + "/" + name_));
}

TEST_F(PodCli, APodIsCreatedStartedStoppedStartedAnewAndRemoved) {
  EXPECT_EQ(pod({"create", sleeper()}).out, name_ + "\n");
  EXPECT_SAYS(pod({"ps"}).out, "Pending");
  ASSERT_OK(pod({"start", name_}));
  EXPECT_SAYS(pod({"ps"}).out, "Running");
  EXPECT_FAILS(pod({"rm", name_}), 1, "container a is running; stop the pod, or use --force");
  EXPECT_FAILS(pod({"run", sleeper()}), 1, "there is a pod " + name_ + " already");
  ASSERT_OK(pod({"stop", name_}));
  EXPECT_EQ(pod({"ps", "--quiet"}).out, "");
  EXPECT_SAYS(pod({"ps", "--all"}).out, "Stopped");
  ASSERT_OK(pod({"start", name_}));
  EXPECT_EQ(inside("a", "echo runs"), "runs");
  ASSERT_OK(pod({"restart", name_}));
  EXPECT_EQ(inside("a", "echo again"), "again");
  ASSERT_OK(pod({"rm", "--force", name_}));
  EXPECT_FAILS(pod({"rm", name_}), 1, "there is no pod");
  EXPECT_OK(pod({"rm", "--force", name_}));
}

TEST_F(PodCli, NamesMayBeAbbreviatedWhereThatIsUnique) {
  const std::string one = name_ + "-one", two = name_ + "-two";
  ASSERT_OK(pod({"run", "--name", one, sleeper()}));
  ASSERT_OK(pod({"run", "--name", two, sleeper()}));
  EXPECT_OK(pod({"exec", name_ + "-o/a", "true"}));
  EXPECT_FAILS(pod({"exec", name_, "true"}), 125, one + ", " + two);
}

TEST_F(PodCli, LogsFollowUntilThePodHasEnded) {
  ASSERT_OK(pod(
      {"run",
       file(
           "  - {name: a, IMAGE, command: [sh, -c, 'echo one; echo bad >&2; sleep 1; echo two']}\n",
           "  restartPolicy: Never\n")}));
  const Outcome followed = pod({"logs", "--follow", name_});
  ASSERT_OK(followed);
  EXPECT_SAYS(followed.out, "one\n");
  EXPECT_SAYS(followed.out, "bad\n");
  EXPECT_TRUE(followed.out.ends_with("two\n")) << followed.out;
  EXPECT_EQ(pod({"logs", "--tail", "1", name_ + "/a"}).out, "two\n");
  EXPECT_EQ(pod({"wait", name_}).out, name_ + "\tSucceeded\n");
  EXPECT_SAYS(pod({"events", name_}).out, "Exited");
}

TEST_F(PodCli, LinesOfSeveralContainersHaveTheirNames) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, command: [sh, -c, 'echo x; sleep 1000']}\n"
                             "  - {name: b, IMAGE, command: [sh, -c, 'echo y; sleep 1000']}\n")}));
  ASSERT_TRUE(eventually([&] {
    const std::string text = pod({"logs", name_}).out;
    return text.find("[a] x\n") != std::string::npos && text.find("[b] y\n") != std::string::npos;
  }));
  EXPECT_EQ(pod({"logs", "-c", "b", name_}).out, "y\n");
}

TEST_F(PodCli, ScaleMakesAndRemovesPodsOfOneFile) {
  const std::string path = sleeper();
  ASSERT_OK(pod({"scale", path, "3"}));
  EXPECT_EQ(pod({"ps", "-q"}).out, cat(name_, "-0\n", name_, "-1\n", name_, "-2\n"));
  ASSERT_OK(pod({"scale", path, "1"}));
  EXPECT_EQ(pod({"ps", "-q"}).out, name_ + "-0\n");
  ASSERT_OK(pod({"scale", path, "0"}));
  EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
}

TEST_F(PodCli, KillEndsOneContainerWhichIsRestarted) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, command: [sleep, '1000']}\n"
                             "  - {name: b, IMAGE, command: [sleep, '1000']}\n")}));
  ASSERT_OK(pod({"kill", name_ + "/a"}));
  const auto restarts = [&](size_t index) {
    const Json all = Json::parse(pod({"inspect", name_}).out);
    return all.items()[0]["status"]["containers"].items()[index]["restartCount"].print();
  };
  EXPECT_TRUE(eventually([&] { return restarts(0) == "1"; }));
  EXPECT_EQ(restarts(1), "0");
}

TEST_F(PodCli, AShimThatWasKilledIsReplacedByTheNextCommand) {
  ASSERT_OK(pod({"run", sleeper()}));
  TestPod view(pods_root(), name_);
  const std::string before = inside("a", "cat /proc/1/stat | cut -d' ' -f22");
  view.kill_shim();
  EXPECT_SAYS(pod({"ps"}).out, "Running");
  EXPECT_EQ(inside("a", "cat /proc/1/stat | cut -d' ' -f22"), before);
}

// The kernel throws the status of children away for who ignores their end, and so do its children.
TEST_F(PodCli, ExitCodesAreKnownThoughTheCallerIgnoresTheEndOfChildren) {
  Command run = command({"run", file("  - {name: a, IMAGE, command: [sh, -c, exit 3]}\n",
                                     "  restartPolicy: Never\n")});
  run.argv.insert(run.argv.begin(), {"env", "--ignore-signal=CHLD"});
  ASSERT_OK(run_command(std::move(run)));
  TestPod view(pods_root(), name_);
  EXPECT_TRUE(view.becomes([](const ocirt::pod::PodStatus& status) {
    return status.phase == ocirt::pod::Phase::kFailed;
  }));
  EXPECT_EQ(view.container("a").state.terminated->exit_code, 3);
}

TEST_F(PodCli, WhatAKilledMakingHasLeftIsSweptByTheNextCommand) {
  make_directories(pods_root() + "/half/containers/a");
  write_file(pods_root() + "/half/hosts", "");
  // And one whose shim was killed while it took the pod away.
  make_directories(pods_root() + "/.removed-other/containers/a");
  write_file(pods_root() + "/.removed-other/lock", "");
  ASSERT_OK(pod({"run", sleeper()}));
  EXPECT_FALSE(exists(pods_root() + "/half"));
  EXPECT_FALSE(exists(pods_root() + "/.removed-other"));
  EXPECT_TRUE(exists(pods_root() + "/" + name_));
}

// Its shim could not remove a file, has said so, and ends in this moment.
TEST_F(PodCli, WhatAShimHasNotRemovedToTheEndIsTakenAwayByRmForceOnceThatShimHasEnded) {
  const std::string remains = pods_root() + "/.removed-" + name_;
  make_directories(remains);
  write_file(remains + "/lock", "");
  write_file(remains + "/events.jsonl", "");
  const int lock = ::open((remains + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  if (::fork() == 0) {
    ::usleep(300'000);
    ::_exit(0);
  }
  ::close(lock);
  EXPECT_OK(pod({"rm", "--force", name_}));
  EXPECT_FALSE(exists(remains));
}

TEST_F(PodCli, SaysThatMemoryIsUsedUpWhereverThatHappens) {
  const std::string path = sleeper();
  for (int from = 3;; ++from) {
    Command command = this->command({"run", path});
    const std::string fault = ocirt::cat("inject=mmap:error=ENOMEM:when=", from, "+");
    command.argv.insert(command.argv.begin(),
                        {"strace", "-o", "/dev/null", "-e", "trace=mmap", "-e", fault});
    const Outcome outcome = run_command(std::move(command));
    if (outcome.ok()) break;
    EXPECT_EQ(outcome.code, 1) << fault << "\n" << outcome.err;
    EXPECT_TRUE(says(outcome.err, "out of memory") || says(outcome.err, "memory is used up"))
        << fault << "\n"
        << outcome.err;
    ASSERT_LT(from, 500);
    ASSERT_OK(pod({"rm", "--force", name_}));
  }
}

TEST_F(PodCli, KilledWhileItMakesAPodItLeavesNothingThatTheNextCommandDoesNotTakeAway) {
  const std::string path = sleeper();
  for (int milliseconds = 0; milliseconds < 60; milliseconds += 4) {
    Process making(command({"run", path}));
    sleep_ms(milliseconds);
    making.signal(SIGKILL);
    making.wait();
    // What the shim had begun it undoes by itself, which may take a moment.
    EXPECT_TRUE(eventually([&] {
      pod({"rm", "--force", "--time", "0", name_});
      return entries(pods_root()).empty();
    })) << milliseconds;
    for (const std::string& root : cgroups::roots())
      EXPECT_FALSE(exists(cat(root, "/ocirt/", name_)));
  }
}

TEST_F(PodCli, TablesAndJsonTellTheSame) {
  ASSERT_OK(pod(
      {"run",
       file("  - {name: a, IMAGE, command: [sleep, '1000'], ports: [{containerPort: 80}]}\n")}));
  EXPECT_SAYS(pod({"port", name_}).out, "80");
  EXPECT_EQ(Json::parse(pod({"port", "-f", "json", name_}).out).items()[0]["containerPort"].print(),
            "80");
  EXPECT_SAYS(pod({"top", name_}).out, "sleep 1000");
  EXPECT_SAYS(pod({"inspect", "-f", "table", name_}).out, "Running since");
  EXPECT_EQ(Json::parse(pod({"ps", "-f", "json"}).out).items()[0]["phase"].text(), "Running");
  EXPECT_SAYS(pod({"stats", "--no-stream", name_}).out, "PIDS");
}

TEST_F(PodCli, CommandLinesThatAreWrongHaveAStatusOfTheirOwn) {
  EXPECT_FAILS(pod({"fly"}), 2, "unknown command \"fly\"");
  EXPECT_FAILS(pod({"run"}), 2, "an argument is missing");
  EXPECT_FAILS(pod({"stop", "--time", "soon", "x"}), 2, "invalid value");
  EXPECT_FAILS(pod({"scale", "x", "many"}), 2, "expected a number of pods");
}

}  // namespace
}  // namespace harness
