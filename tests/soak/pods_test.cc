// Pods by ocirt-pod, each with a shim, a network on a bridge and an address of the pool. A fortieth
// of the rounds of the others: each starts a dozen processes. The network is one of the test's own.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/pods/cli_fixture.h"
#include "tests/soak/counts.h"

namespace harness {
namespace {

using ocirt::cat;

class SoakOfPods : public PodCli {
 protected:
  static void SetUpTestSuite() {
    // What pods share on a host is in /run and in its network.
    if (::unshare(CLONE_NEWNET) != 0 || ::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0)
      throw std::runtime_error("cannot make a host for the pods");
    // As PodTest makes it, which may have done so in the /run of before.
    make_directories("/run/netns");
    if (::mount("tmpfs", "/run/netns", "tmpfs", 0, "mode=755") != 0 ||
        ::mount(nullptr, "/run/netns", nullptr, MS_SHARED, nullptr) != 0)
      throw std::runtime_error("cannot mount /run/netns");
    run_command({.argv = {"ip", "link", "set", "lo", "up"}});
  }

  std::string asked(const Args& args) {
    const Outcome outcome = pod(args);
    return outcome.ok() ? "" : cat(join(args, " "), ": ", outcome.code, " ", outcome.err);
  }

  // Half of them hold a container that ends by itself, half one in which a program ends.
  std::string life(int round) {
    const std::string name = cat(prefix_, round);
    const int code = soak_code(round);
    const bool ends = round % 2 == 0;
    const std::string path = scratch() + "/pod.yaml";
    write_file(path, cat("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ", name,
                         "\nspec:\n  restartPolicy: Never\n  terminationGracePeriodSeconds: 0\n",
                         "  volumes: [{name: v, emptyDir: {medium: Memory}}]\n  containers:\n",
                         "  - {name: a, image: 'rootfs:", rootfs_, "', command: [sh, -c, '",
                         ends ? cat("exit ", code) : std::string("exec sleep 1000"),
                         "'],\n     volumeMounts: [{name: v, mountPath: /v}],\n",
                         "     ports: [{containerPort: 80, hostPort: 8080}]}\n"));
    std::string wrong = asked({"run", path});
    if (ends) {
      pod({"wait", name});
      const std::string all = pod({"inspect", name}).out;
      const size_t at = all.find("\"exitCode\":");
      const int found = at == std::string::npos ? -1 : std::atoi(all.c_str() + at + 11);
      if (found != code) wrong += cat("its code is ", found, " instead of ", code, " ");
    } else {
      const Outcome outcome = pod({"exec", name, "sh", "-c", cat("exit ", code)});
      if (outcome.code != code)
        wrong += cat("exec ended with ", outcome.code, " instead of ", code, " ", outcome.err);
    }
    return wrong + asked({"rm", "--force", "--time", "0", name});
  }

  const std::string prefix_ = cat("soak-", ::getpid(), "-");
};

TEST_F(SoakOfPods, LivesLeaveNothingAndNoCodeIsLost) {
  OwnMemory memory;
  Ledger ledger("Pods by ocirt-pod", std::max(10, soak_rounds(800) / 40));
  watch_host(ledger, memory, prefix_);
  watch_directory(ledger, "pods", pods_root());
  watch_directory(ledger, "entries of the pods' state", workspace() + "/pod-state");
  watch_directory(ledger, "names in /run/ocirt/network", "/run/ocirt/network");
  watch_directory(ledger, "network devices", "/proc/self/net/dev_snmp6");
  ledger.watch("lines of packet filter rules", [] {
    return static_cast<long>(lines(run_command({.argv = {"nft", "list", "ruleset"}}).out).size());
  });
  ledger.go([this](int round) { return life(round); });
}

}  // namespace
}  // namespace harness
