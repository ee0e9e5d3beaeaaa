// Verbs for several pods: they go on side by side, and one that fails does not keep the others.
// Whether pods are asked to end beside each other is told without a clock: a pod here ends only
// when all of them have been asked.
#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

using ocirt::cat;

class PodBatch : public PodCli {
 protected:
  PodBatch() { make_directories(shared_); }

  // Pods NAME-0, ... that end by themselves when all have been asked, and are killed else.
  void run_united(int count) { ASSERT_OK(pod({"scale", united(count), cat(count)})); }
  std::string united(int count) {
    return file(
        cat("  - name: a\n    IMAGE\n    env: [{name: ME, valueFrom: {fieldRef: {fieldPath: "
            "metadata.name}}}]\n    volumeMounts: [{name: v, mountPath: /v}]\n    command:\n    - "
            "sh\n    - -c\n    - |\n      trap 'touch /v/asked.$ME; until [ $(ls /v | grep -c "
            "asked) = ",
            count,
            " ]; do sleep 0.01; done; touch /v/done.$ME; exit 0' TERM\n"
            "      touch /v/up.$ME; while :; do sleep 0.01; done\n"),
        cat("  restartPolicy: Never\n  volumes: [{name: v, hostPath: {path: ", shared_, "}}]\n"),
        {}, 40);
  }
  size_t count_of(const std::string& word) {
    size_t count = 0;
    for (const std::string& name : names_in(shared_)) count += name.starts_with(word) ? 1 : 0;
    return count;
  }
  // Runs three such pods, ends them by the verb, and looks whether they ended by themselves.
  void expect_beside_each_other(const Args& verb) {
    run_united(3);
    ASSERT_TRUE(eventually([&] { return count_of("up") == 3; }));
    EXPECT_OK(pod(verb));
    EXPECT_EQ(count_of("done"), 3u);
  }

  const std::string shared_ = scratch() + "/shared";
};

TEST_F(PodBatch, StopAsksAllPodsAtOnce) {
  expect_beside_each_other({"stop", "--all"});
  EXPECT_SAYS(pod({"ps", "--all", "-f", "json"}).out, "Succeeded");
}

TEST_F(PodBatch, RmAsksAllPodsAtOnce) {
  expect_beside_each_other({"rm", "--force", name_ + "-0", name_ + "-1", name_ + "-2"});
  EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
}

TEST_F(PodBatch, RestartAsksAllPodsAtOnce) {
  expect_beside_each_other({"restart", "--time", "40", "--all"});
  EXPECT_EQ(pod({"ps", "-q"}).out, cat(name_, "-0\n", name_, "-1\n", name_, "-2\n"));
}

TEST_F(PodBatch, ScalingDownAsksAllPodsAtOnce) {
  expect_beside_each_other({"scale", united(3), "0"});
  EXPECT_EQ(entries(pods_root()), std::vector<std::string>{});
}

TEST_F(PodBatch, ScalingUpMakesPodsBesideEachOther) {
  // Each init container waits for the others'.
  const std::string path = file(
      "  - {name: a, IMAGE, command: [sleep, '1000']}\n",
      cat("  activeDeadlineSeconds: 40\n  initContainers:\n  - name: i\n    image: 'rootfs:",
          rootfs_,
          "'\n    command: [sh, -c, 'touch /v/$ME; until [ $(ls /v | wc -l) = 3 ]; do sleep 0.01; "
          "done']\n    env: [{name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n"
          "    volumeMounts: [{name: v, mountPath: /v}]\n"
          "  volumes: [{name: v, hostPath: {path: ",
          shared_, "}}]\n"));
  ASSERT_OK(pod({"scale", path, "3"}));
  EXPECT_EQ(pod({"ps", "-q"}).out, cat(name_, "-0\n", name_, "-1\n", name_, "-2\n"));
}

TEST_F(PodBatch, WaitTellsOfEachPodWhenItEnds) {
  const std::string path = file(
      "  - {name: a, IMAGE, command: [sh, -c, 'trap \"exit 0\" USR1; trap \"exit 3\" USR2; "
      "echo up; while :; do sleep 0.01; done']}\n",
      "  restartPolicy: Never\n");
  const std::string one = name_ + "-one", two = name_ + "-two";
  for (const std::string& name : {one, two}) {
    ASSERT_OK(pod({"run", "--name", name, path}));
    ASSERT_TRUE(eventually([&] { return pod({"logs", name}).out == "up\n"; }));
  }
  Process waiting(command({"wait", one, two}));
  ASSERT_OK(pod({"kill", "-s", "USR2", two}));
  EXPECT_TRUE(eventually([&] { return waiting.output() == two + "\tFailed\n"; }));
  ASSERT_OK(pod({"kill", "-s", "USR1", one}));
  const Outcome outcome = waiting.wait();
  EXPECT_EQ(outcome.out, cat(two, "\tFailed\n", one, "\tSucceeded\n"));
  EXPECT_EQ(outcome.code, 1) << "the status is that of all, not of the last one";
}

TEST_F(PodBatch, APodThatFailsKeepsNoOtherOne) {
  const std::string path = sleeper(), first = name_ + "-first", second = name_ + "-second";
  for (const std::string& name : {first, second}) ASSERT_OK(pod({"run", "--name", name, path}));
  const Outcome stopped = pod({"stop", "-t", "0", "nobody", second});
  EXPECT_FAILS(stopped, 1, "ocirt-pod: stop: there is no pod \"nobody\"");
  EXPECT_EQ(stopped.out, second + "\n");
  const Outcome killed = pod({"kill", "-s", "CONT", "nobody", second, first});
  EXPECT_EQ(killed.code, 1);
  EXPECT_EQ(killed.err, cat("ocirt-pod: kill: there is no pod \"nobody\"\n"
                            "ocirt-pod: kill: no container of pod ",
                            second, " is running\n"));
  const Outcome removed = pod({"rm", first, second});
  EXPECT_FAILS(removed, 1,
               cat("pod ", first, ": container a is running; stop the pod, or use --force"));
  EXPECT_EQ(removed.out, second + "\n");
}

}  // namespace
}  // namespace harness
