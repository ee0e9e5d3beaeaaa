// What a process has in a container of the configuration that `spec` writes, fact by fact, beside
// what it has there under runc: nothing more. What it should have is tested by the conformance
// suite; here is what nobody asked for.
#include <algorithm>
#include <set>

#include "tests/support/fixture.h"

namespace harness {
namespace {

constexpr char kPeer[] = "/usr/sbin/runc";

// Prints "topic: fact" lines. Whatever differs between two runs of one runtime (ids, numbers of
// devices and descriptors) is left out.
constexpr char kProbe[] = R"probe(
for line in Cap Groups NoNewPrivs Seccomp: Sig[BCI] Uid Gid Umask Speculation untag; do
  sed -n "s/^\($line.*\)/status: \1/p" /proc/self/status
done
for kind in cgroup ipc mnt net pid pid_for_children time user uts; do
  echo "namespace: $kind $(readlink /proc/self/ns/$kind)"
done
for fd in /proc/1/fd/*; do echo "descriptor: ${fd##*/}"; done
env | sed 's/^/environment: /'
sed 's/^/limit: /' /proc/1/limits
for file in oom_score_adj coredump_filter personality timerslack_ns sessionid loginuid attr/current; do
  echo "process: $file $(cat /proc/1/$file 2>/dev/null)"
done
echo "process: cwd $(readlink /proc/1/cwd) root $(readlink /proc/1/root)"
awk '{ for (i = 7; $i != "-"; i++) tags = tags " " $i;
       print "mount: " $5 " " $6 " " $(i + 1) " " $(i + 2) " " $(i + 3) tags; tags = "" }' /proc/self/mountinfo
for path in /proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list \
  /proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware; do
  [ ! -d $path ] || echo "hidden: $path $(ls -A $path | wc -l) names"
  [ ! -c $path ] || echo "hidden: $path $(wc -c <$path) bytes"
  [ ! -f $path ] || echo "open: $path"
done
find /dev ! -type l -exec stat -c 'device: %n %F %a %u:%g %t:%T' {} +
find /dev -type l -exec sh -c 'echo "link: $1 $(readlink $1)"' sh {} \;
awk '{ print "key: " $5, $8, $9 }' /proc/keys 2>/dev/null
# What can be opened for writing. Nothing is written.
find /proc /sys -path '/proc/[0-9]*' -prune -o -path /proc/self -prune -o -path /proc/thread-self -prune -o \
  -type f -perm -200 -print 2>/dev/null | while read file; do (exec 3>>"$file") 2>/dev/null && echo "writable: $file"; done
# And what can be read there that root alone may read.
find /proc -path '/proc/[0-9]*' -prune -o -type f -perm 400 -print 2>/dev/null | while read file; do
  [ -n "$(timeout 1 head -c 1 "$file" 2>/dev/null | tr -d '\0')" ] && echo "readable: $file"; done
for call in "mknod /tmp/disk b 8 0" "mount -t tmpfs none /tmp" "chroot / true" "unshare -m true" \
  "unshare -U true" "hostname other" "ifconfig lo mtu 1000" "ip link add type veth"; do
  $call 2>/dev/null >&2 && echo "may: $call"
done
echo "end: end"
)probe";

class DefaultContainer : public ContainerTest {
 protected:
  std::set<std::string> facts(const Runtime& of) {
    const std::string directory = scratch() + "/" + of.name();
    make_directories(directory);
    EXPECT_OK(runtime.run({"spec", "--bundle", directory}));
    Json document = Json::parse(read_file(directory + "/config.json"));
    document.set("ociVersion", Json::string("1.0.2"));
    document.set("process.terminal", Json::parse("false"));
    document.set("process.args", Json::array({"sh", "-c", kProbe}));
    Container container(of, bundle);
    document.set("linux.cgroupsPath", Json::string(cgroups::cgroups_path(container.id())));
    bundle.raw(document.print());
    const Outcome outcome = container.run();
    EXPECT_OK(outcome);
    const std::vector<std::string> masked = document["linux"]["maskedPaths"].strings();
    std::set<std::string> all;
    for (const std::string& line : lines(outcome.out)) {
      // Each has its own way to hide a path; what the probe finds there counts.
      if (line.starts_with("mount: ") && contains(masked, words(line).at(1))) continue;
      all.insert(without_own(line, container));
    }
    EXPECT_TRUE(all.contains("end: end")) << outcome;
    return all;
  }

  // Whose namespace it is, instead of its number, and no names of this run.
  static std::string without_own(std::string line, const Container& container) {
    if (line.starts_with("namespace: ")) {
      const std::vector<std::string> words = harness::words(line);
      const bool host = words.at(2) == link_target("/proc/self/ns/" + words.at(1));
      line = "namespace: " + words.at(1) + (host ? " of the host" : " of its own");
    }
    for (const std::string& name : {container.id(), cgroups::test_parent()})
      for (size_t at; (at = line.find(name)) != std::string::npos;)
        line.replace(at, name.size(), "*");
    return line;
  }
  static std::string link_target(const std::string& path) {
    char text[256];
    const ssize_t size = readlink(path.c_str(), text, sizeof text);
    return size < 0 ? std::string() : std::string(text, static_cast<size_t>(size));
  }
};

TEST_F(DefaultContainer, HasNothingThatItHasNotUnderRunc) {
  if (!exists(kPeer)) GTEST_SKIP() << "runc is not installed (make deps)";
  const Runtime peer(scratch() + "/peer-state", kPeer);
  make_directories(peer.root());
  const std::set<std::string> ours = facts(runtime), theirs = facts(peer);
  EXPECT_GT(ours.size(), 80u);
  // What is ignored is no right; runc hands on what its caller had.
  EXPECT_TRUE(ours.contains("status: SigIgn:\t0000000000000000"));
  std::vector<std::string> more, less;
  for (const std::string& fact : ours) {
    if (fact.starts_with("status: SigIgn:")) continue;
    // A mount that may be read only is less than one that may be written.
    std::string writable = fact;
    if (const size_t at = fact.find(" ro,"); at != std::string::npos)
      writable.replace(at, 4, " rw,");
    if (!theirs.contains(fact) && !theirs.contains(writable)) more.push_back(fact);
  }
  std::ranges::set_difference(theirs, ours, std::back_inserter(less));
  EXPECT_EQ("", join(more, "\n")) << "and runc has instead:\n" << join(less, "\n");
}

}  // namespace
}  // namespace harness
