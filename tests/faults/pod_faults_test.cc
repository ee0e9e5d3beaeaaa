// The same for pods: every system call of every process that `ocirt-pod run` and `ocirt-pod rm` set
// to work (ocirt-pod, the shim, its workers, ocirt-net and the containers' init) fails once, and
// once the process is killed there. Whatever happens: it ends in time, says why in a line or has
// done what it was told, and after one `ocirt-pod rm --force` there is no process, mount, cgroup,
// namespace, link, rule, address, state or file that was not there before.
//
// The pods have a network of their own on a bridge, inside a network namespace and a /run that are
// the test's.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <sstream>

#include "tests/faults/driver.h"
#include "tests/pods/cli_fixture.h"

namespace harness {
namespace {

using ocirt::cat;

constexpr const char* kForwarding[] = {"/proc/sys/net/ipv4/ip_forward",
                                       "/proc/sys/net/ipv6/conf/all/forwarding"};

class PodFaults : public PodCli {
 protected:
  struct Scenario {
    Args words;              // of ocirt-pod
    bool with_shim = false;  // the pod runs already, and its shim is followed as process 1
    std::function<std::string()> done;  // "" or what is wrong
  };

  static void SetUpTestSuite() {
    // What pods share on a host is in /run and in its network.
    if (::unshare(CLONE_NEWNET) != 0 || ::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0)
      throw std::runtime_error("cannot make a host for the pods");
    run_command({.argv = {"ip", "link", "set", "lo", "up"}});
    for (const char* path : kForwarding) write_file(path, "0");  // inherited from the machine
  }

  void SetUp() override {
    PodCli::SetUp();
#ifndef __x86_64__
    GTEST_SKIP() << "fault-run knows the registers of x86-64 only";
#endif
    path_ = scratch() + "/pod.yaml";
    write_file(path_,
               cat("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ", name_,
                   "\n  annotations: {ocirt.pod/network: ", network_, "}\n",
                   "spec:\n  terminationGracePeriodSeconds: 0\n  shareProcessNamespace: true\n",
                   "  volumes: [{name: v, emptyDir: {medium: Memory}}]\n  containers:\n",
                   "  - {name: a, image: 'rootfs:", rootfs_,
                   "', command: [sleep, '1000'], volumeMounts: [{name: v, mountPath: /v}],\n",
                   "     ports: [{containerPort: 80, hostPort: 8080}]}\n"));
  }

  void go_through(const Scenario& scenario) {
    attempt(scenario, std::nullopt);
    const std::vector<Call> calls = attempt(scenario, std::nullopt);
    ASSERT_GT(calls.size(), 100u);
    int cases = 0, failed = 0, missed = 0;
    for (const Fault& fault : faults_in(calls)) {
      ++cases;
      problems_.clear();
      attempt(scenario, fault);
      missed += has_hit(log()) ? 0 : 1;
      if (problems_.empty()) continue;
      if (++failed <= 10) ADD_FAILURE() << problems_;
    }
    EXPECT_EQ(0, failed) << "of " << cases << " cases";
    std::printf("%zu calls, %d cases, %d failed, %d did not come to pass\n", calls.size(), cases,
                failed, missed);
  }

  std::string log() const { return scratch() + "/calls"; }
  std::string running() {
    const Outcome listed = pod({"ps", "--quiet"});
    return listed.ok() && listed.out == name_ + "\n" ? "" : cat("ps says ", listed.out, listed.err);
  }

  std::string path_, network_ = "bridge";

 private:
  std::vector<Call> attempt(const Scenario& scenario, const std::optional<Fault>& fault) {
    pid_t shim = 0;
    if (scenario.with_shim) {
      const Outcome made = pod({"run", path_});
      if (!made.ok()) complain(fault, made, "the pod that is to be there cannot be made");
      shim = shim_pid();
    }
    Command traced = command(scenario.words);
    const Args wrapped = fault_run(log(), fault, shim);
    traced.argv.insert(traced.argv.begin(), wrapped.begin(), wrapped.end());
    traced.time_limit_ms = 8000;
    const Outcome outcome = run_command(traced);
    judge(scenario, fault, outcome);
    const Outcome removed = pod({"rm", "--force", "--time", "0", name_});
    if (!removed.ok()) complain(fault, removed, "rm --force fails");
    look_for_remains(fault, outcome);
    return read_calls(log());
  }

  void judge(const Scenario& scenario, const std::optional<Fault>& fault, const Outcome& outcome) {
    if (outcome.timed_out) return complain(fault, outcome, "it hangs");
    if (outcome.ok()) {
      const std::string wrong = scenario.done();
      // What is killed after it has been started is not what was asked for any more.
      if (!wrong.empty() && !(fault && fault->error == 0 && fault->call.process != 0))
        complain(fault, outcome, "it says that it worked, but: " + wrong);
      return;
    }
    if (!fault) return complain(fault, outcome, "it does not work");
    const bool is_own = fault->call.process == 0;
    const bool cannot_speak = is_own && fault->call.number == SYS_write;
    if (is_own && fault->error == 0) {
      if (outcome.code != 128 + SIGKILL) complain(fault, outcome, "it outlived SIGKILL");
    } else if (outcome.code > 128 && outcome.code <= 128 + SIGRTMAX) {
      complain(fault, outcome, "it was ended by a signal");
    } else if (!cannot_speak && !outcome.err.starts_with("ocirt-pod: ")) {
      complain(fault, outcome, "it does not say why");
    }
  }

  // Everything that pods make, one line each.
  std::string remains() {
    std::ostringstream all;
    for (const auto& [pid, line] : living_orphans())
      all << "process " << pid << ' ' << line << '\n';
    for (const std::string& name : entries(pods_root())) all << "pod " << name << '\n';
    for (const std::string& directory : {std::string("/run/netns"), workspace() + "/pod-state"})
      for (const std::string& name : names_in(directory)) all << directory << '/' << name << '\n';
    for (const std::string& root : cgroups::roots())
      if (exists(cat(root, "/ocirt/", name_))) all << root << "/ocirt/" << name_ << '\n';
    for (const std::string& name : names_in("/run/ocirt/network")) all << "pool " << name << '\n';
    for (const std::string& line : lines(read_file("/proc/self/net/dev")))
      if (line.find(':') != std::string::npos && !trim(line).starts_with("lo:"))
        all << "link " << line << '\n';
    for (const char* path : kForwarding)
      if (trim(read_file(path)) != "0") all << path << " is " << read_file(path);
    return all.str();
  }

  void look_for_remains(const std::optional<Fault>& fault, const Outcome& outcome) {
    std::string left;
    if (!eventually([&] { return (left = remains()).empty(); }, 3000))
      complain(fault, outcome, "left behind:\n" + left);
    const std::string mounts = own_mounts();
    if (mounts_.empty()) mounts_ = mounts;
    const std::string changed = changed_mounts(mounts_, mounts);
    if (!changed.empty()) complain(fault, outcome, "other mounts than before: " + changed);
    // Rules are one program to look at: only where something may have gone wrong.
    const Outcome rules = run_command({.argv = {"nft", "list", "ruleset"}});
    if (!rules.out.empty()) complain(fault, outcome, "left behind rules: " + rules.out);
    const std::string files = join(names_in(scratch()), " ");
    if (files_.empty()) files_ = files;
    if (files != files_) complain(fault, outcome, "other files than before: " + files);
    if (!left.empty()) clean();
  }

  // After a case that failed, so that the next one begins as this one did.
  void clean() {
    for (const auto& [pid, line] : living_orphans()) ::kill(pid, SIGKILL);
    eventually([] { return living_orphans().empty(); }, 2000);
    pod({"rm", "--force", "--time", "0", name_});
    run_command({.argv = {"nft", "flush", "ruleset"}});
    for (const char* path : kForwarding) write_file(path, "0");
  }

  pid_t shim_pid() {
    for (const auto& [pid, line] : living_orphans())
      if (line.find("ocirt-shim --pod") != std::string::npos) return pid;
    throw std::runtime_error("the pod has no shim");
  }

  void complain(const std::optional<Fault>& fault, const Outcome& outcome,
                const std::string& what) {
    problems_ += complaint(fault, outcome, what);
  }

  std::string problems_, files_, mounts_;
};

TEST_F(PodFaults, OfRun) {
  go_through({.words = {"run", path_}, .done = [this] { return running(); }});
}

TEST_F(PodFaults, OfRm) {
  go_through(
      {.words = {"rm", "--force", name_}, .with_shim = true, .done = [this]() -> std::string {
         return entries(pods_root()).empty() ? "" : "the pod is there";
       }});
}

}  // namespace
}  // namespace harness
