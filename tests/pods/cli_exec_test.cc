// What `ocirt-pod exec` hands over, and what is left of one that ends before its time.
#include <signal.h>

#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

using ocirt::cat;

class PodCliExec : public PodCli {
 protected:
  void TearDown() override {
    view_.reset();  // ends the pod
    PodCli::TearDown();
  }
  pid_t shim() {
    if (!view_) view_ = std::make_unique<TestPod>(pods_root(), name_);
    return view_->shim_pid();
  }
  // Of the shim: what nobody has taken away is seen here.
  size_t descriptors() { return names_in(cat("/proc/", shim(), "/fd")).size(); }

 private:
  std::unique_ptr<TestPod> view_;
};

TEST_F(PodCliExec, AProgramThatEndsAtOnceHasItsStatusThoughItHadAnInput) {
  ASSERT_OK(pod({"run", sleeper()}));
  for (int i = 0; i < 20; ++i) {
    const Outcome outcome = pod({"exec", "-i", name_, "sh", "-c", "echo out; exit 7"}, "x");
    ASSERT_EQ(outcome.code, 7) << outcome;
    ASSERT_EQ(outcome.out, "out\n");
  }
}

TEST_F(PodCliExec, AProgramThatIsMissingLeavesNothingInTheShim) {
  ASSERT_OK(pod({"run", sleeper()}));
  ASSERT_OK(pod({"exec", name_, "true"}));
  ASSERT_TRUE(eventually([&, last = size_t{0}]() mutable {
    return std::exchange(last, descriptors()) == descriptors();
  }));
  const size_t before = descriptors();
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = pod({"exec", name_, "there-is-none"});
    EXPECT_EQ(outcome.code, 127) << outcome;
  }
  EXPECT_TRUE(eventually([&] { return descriptors() == before; })) << descriptors();
}

TEST_F(PodCliExec, OneWhoseClientWasKilledIsGoneWhenItsProgramHasEnded) {
  ASSERT_OK(pod({"run", sleeper()}));
  ASSERT_OK(pod({"exec", name_, "true"}));
  const size_t before = descriptors();
  for (int i = 0; i < 3; ++i) {
    Process client(command(
        {"exec", name_, "sh", "-c", "touch /begun; while ! test -e /end; do sleep 0.01; done"}));
    inside("a", "while ! test -e /begun; do sleep 0.01; done");
    client.signal(SIGKILL);
    EXPECT_EQ(client.wait().code, 128 + SIGKILL);
    EXPECT_GT(descriptors(), before) << "the program goes on";
    inside("a", "touch /end");
    EXPECT_TRUE(eventually([&] { return descriptors() <= before; })) << descriptors();
    inside("a", "rm /end /begun");
  }
}

TEST_F(PodCliExec, EndsWithItsProgramWhenNobodyReadsItsOutputAnyMore) {
  ASSERT_OK(pod({"run", sleeper()}));
  const std::string status = scratch() + "/status";
  Command piped = command({"exec", name_, "yes"});
  piped.argv.insert(piped.argv.begin(),
                    {"sh", "-c", "{ \"$@\"; echo $? > " + status + "; } | head -n 1", "sh"});
  const Outcome outcome = run_command(std::move(piped));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.out, "y\n");
  EXPECT_EQ(read_file(status), "141\n");
  EXPECT_EQ(inside("a", "ps | grep -c '[y]es$' || true"), "0");
}

TEST_F(PodCliExec, OutputThatCannotBeWrittenIsAnErrorAndEndsTheProgram) {
  ASSERT_OK(pod({"run", sleeper()}));
  Command full = command({"exec", name_, "yes"});
  full.argv.insert(full.argv.begin(), {"sh", "-c", "exec \"$@\" > /dev/full", "sh"});
  EXPECT_FAILS(run_command(std::move(full)), 125,
               "standard output: write: No space left on device");
  EXPECT_EQ(inside("a", "ps | grep -c '[y]es$' || true"), "0");
}

// A server that answers the first call, and takes the next one and says nothing; the container ends
// before that postStart does.
TEST_F(PodCliExec, AHandlerThatGetsNoAnswerEndsWithItsContainer) {
  write_file(rootfs_ + "/serve",
             "#!/bin/sh\nprintf 'HTTP/1.0 200 OK\\r\\n\\r\\n' | busybox nc -l -p 9999 >/dev/null\n"
             "exec busybox nc -ll -p 9999 -e sleep 1000\n",
             0755);
  ASSERT_OK(
      pod({"run", file("  - name: a\n    IMAGE\n"
                       "    command: [sh, -c, 'echo x >> /v/runs; sleep 1; exit 1']\n"
                       "    volumeMounts: [{name: v, mountPath: /v}]\n"
                       "    lifecycle: {postStart: {httpGet: {port: 9999, host: 127.0.0.1}}}\n",
                       "  volumes: [{name: v, emptyDir: {}}]\n"
                       "  initContainers:\n  - name: server\n    image: 'rootfs:" +
                           rootfs_ +
                           "'\n    restartPolicy: Always\n    command: [/serve]\n"
                           "    startupProbe: {exec: {command: [grep, -q, ':270F', "
                           "/proc/net/tcp, /proc/net/tcp6]}, periodSeconds: 1}\n")}));
  const std::string runs = cat(workspace(), "/pod-state/", name_, "/.volumes/v/runs");
  ASSERT_TRUE(eventually([&] { return exists(runs) && read_file(runs) == "x\nx\n"; }));
  EXPECT_TRUE(eventually([&] {
    return words(read_file(cat("/proc/", shim(), "/task/", shim(), "/children"))).size() == 1;
  })) << "more than the server, while the other one waits for its restart";
}

}  // namespace
}  // namespace harness
