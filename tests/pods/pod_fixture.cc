#include "tests/pods/pod_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "src/base/text.h"
#include "src/wire/any.h"
#include "src/wire/service.h"
#include "tests/support/workspace.h"

namespace harness {

namespace pod = ocirt::pod;
namespace wire = ocirt::wire;
using ocirt::cat;

std::string shim_program() {
  const char* build = std::getenv("BUILD");
  const std::string path = cat(build && *build ? build : "build", "/ocirt-shim");
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) throw std::runtime_error(path + " is missing");
  return resolved;
}

TestPod::TestPod(std::string root, std::string name)
    : root_(std::move(root)), layout_(root_, name, workspace() + "/pod-state") {
  pod.name = std::move(name);
  pod.uid = cat("uid-", pod.name);
  pod.hostname = "pod-host";
  pod.cgroup = cat(cgroups::test_parent(), "/", pod.name);
  pod.network.mode = pod::NetworkMode::kNone;
  pod.restart_backoff_ms = 100;
  pod.restart_backoff_max_ms = 400;
  pod.grace_seconds = 5;
  make_directories(layout_.directory());
}

TestPod::~TestPod() {
  if (!exists(layout_.directory())) return;
  if (shim_pid() == 0) shim({"--remove"});
  if (exists(layout_.socket())) {
    stop(0);
    shutdown();
  }
  if (exists(layout_.pod_json())) shim({"--remove"});
}

pod::Container& TestPod::add(const std::string& container, std::string_view script,
                             pod::Role role) {
  pod::Container value;
  value.name = container;
  value.role = role;
  value.bundle = layout_.container(container);
  value.restart =
      role == pod::Role::kSidecar ? pod::RestartPolicy::kAlways : pod::RestartPolicy::kNever;
  auto made = std::make_unique<Bundle>(value.bundle);
  made->shell(script).keep_cgroups_path();
  bundles_.emplace_back(container, std::move(made));
  pod.containers.reserve(16);
  pod.containers.push_back(std::move(value));
  return pod.containers.back();
}

Bundle& TestPod::bundle(const std::string& container) {
  for (auto& [name, bundle] : bundles_)
    if (name == container) return *bundle;
  throw std::runtime_error("no container " + container);
}

void TestPod::save() {
  for (auto& [name, bundle] : bundles_) {
    bundle->remove("hostname");
    bundle->with_namespace("uts", layout_.namespace_pin("uts"));
    if (!pod.host_ipc) bundle->with_namespace("ipc", layout_.namespace_pin("ipc"));
    if (pod.network.mode == pod::NetworkMode::kHost) {
      bundle->without_namespace("network");
    } else {
      bundle->with_namespace("network", pod::network_pin(pod.name));
    }
    if (pod.share_pid) bundle->with_namespace("pid", layout_.namespace_pin("pid"));
    bundle->set("linux.cgroupsPath", cat("\"", pod.cgroup, "/", name, "\""));
    bundle->save(name);
  }
  write_file(layout_.hosts(), "127.0.0.1 localhost\n");
  write_file(layout_.pod_json(), pod::write_pod(pod));
}

Outcome TestPod::shim(const Args& flags) {
  Command command;
  command.argv = {shim_program(), "--pod", layout_.directory(), "--state-dir",
                  workspace() + "/pod-state"};
  command.argv.insert(command.argv.end(), flags.begin(), flags.end());
  return run_command(command);
}

wire::Client TestPod::client() {
  ocirt::Result<wire::Client> made = wire::Client::connect(layout_.socket());
  if (!made) throw std::runtime_error(made.error().text);
  return std::move(*made);
}

std::string TestPod::create() {
  save();
  const Outcome started = shim();
  EXPECT_OK(started);
  EXPECT_EQ(started.out + started.err, "");
  const std::string json = pod::write_pod(pod);
  const wire::AnyValue value{std::string(wire::kPodUrl), json};
  wire::Any any = value.lend();
  auto request = wire::blank<wire::CreateSandboxRequest>();
  request.sandbox_id = wire::lend(pod.name);
  request.bundle_path = wire::lend(layout_.directory());
  request.options = &any;
  auto answer = call<wire::CreateSandboxResponse>(wire::kSandboxV1, "CreateSandbox", request);
  return answer ? "" : answer.error().text;
}

std::string TestPod::start() {
  auto request = wire::blank<wire::StartSandboxRequest>();
  request.sandbox_id = wire::lend(pod.name);
  auto answer = call<wire::StartSandboxResponse>(wire::kSandboxV1, "StartSandbox", request);
  return answer ? "" : answer.error().text;
}

void TestPod::launch() {
  ASSERT_EQ(create(), "");
  ASSERT_EQ(start(), "");
}

std::string TestPod::stop(uint32_t seconds) {
  auto request = wire::blank<wire::StopSandboxRequest>();
  request.sandbox_id = wire::lend(pod.name);
  request.timeout_secs = seconds;
  auto answer = call<wire::StopSandboxResponse>(wire::kSandboxV1, "StopSandbox", request);
  return answer ? "" : answer.error().text;
}

std::string TestPod::shutdown() {
  auto request = wire::blank<wire::ShutdownSandboxRequest>();
  request.sandbox_id = wire::lend(pod.name);
  auto answer = call<wire::ShutdownSandboxResponse>(wire::kSandboxV1, "ShutdownSandbox", request);
  return answer ? "" : answer.error().text;
}

pod::PodStatus TestPod::status() {
  auto request = wire::blank<wire::SandboxStatusRequest>();
  request.sandbox_id = wire::lend(pod.name);
  request.verbose = 1;
  auto answer = call<wire::SandboxStatusResponse>(wire::kSandboxV1, "SandboxStatus", request);
  if (!answer) throw std::runtime_error(answer.error().text);
  for (size_t i = 0; i < (*answer)->n_info; ++i) {
    if (std::string_view((*answer)->info[i]->key) != "pod") continue;
    ocirt::Result<pod::PodStatus> status = pod::read_status((*answer)->info[i]->value);
    if (!status) throw std::runtime_error(status.error().text);
    return *status;
  }
  throw std::runtime_error("no info[pod]");
}

const pod::ContainerStatus TestPod::container(const std::string& name) {
  const pod::PodStatus all = status();
  const pod::ContainerStatus* found = all.find(name);
  if (found == nullptr) throw std::runtime_error("no container " + name);
  return *found;
}

bool TestPod::becomes(bool (*holds)(const pod::PodStatus&), int milliseconds) {
  return eventually([&] { return holds(status()); }, milliseconds);
}

bool TestPod::container_runs(const std::string& name, int milliseconds) {
  return eventually([&] { return container(name).state.running.has_value(); }, milliseconds);
}

std::string TestPod::log(const std::string& name) const {
  std::string text;
  if (!exists(layout_.log(name))) return text;
  for (const std::string& line : lines(read_file(layout_.log(name)))) {
    const size_t stream = line.find(' '), tag = line.find(' ', stream + 1);
    text += line.substr(tag + 3);
    if (line.substr(tag + 1, 1) == "F") text += "\n";
  }
  return text;
}

bool TestPod::log_has(const std::string& name, std::string_view part, int milliseconds) const {
  return eventually([&] { return log(name).find(part) != std::string::npos; }, milliseconds);
}

Outcome TestPod::exec(const std::string& container, const std::vector<std::string>& args) {
  const std::string id = cat("e", ++execs_), directory = cat(root_, "/", id);
  make_directories(directory);
  const std::string out = directory + "/out", err = directory + "/err";
  ::mkfifo(out.c_str(), 0600);
  ::mkfifo(err.c_str(), 0600);
  const int readers[2] = {::open(out.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC),
                          ::open(err.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  Json process = bundle(container).document()["process"];
  process.set("args", Json::array(args));
  const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
  wire::Any any = value.lend();
  Outcome outcome;
  outcome.argv = args;
  auto fail = [&](const std::string& text) { outcome.err = text; };
  wire::Client to = client();
  const auto limit = std::chrono::seconds(60);
  auto request = wire::blank<wire::ExecProcessRequest>();
  request.id = wire::lend(container);
  request.exec_id = wire::lend(id);
  request.stdout = wire::lend(out);
  request.stderr = wire::lend(err);
  request.spec = &any;
  auto start = wire::blank<wire::StartRequest>();
  auto wait = wire::blank<wire::WaitRequest>();
  auto remove = wire::blank<wire::DeleteRequest>();
  start.id = wait.id = remove.id = wire::lend(container);
  start.exec_id = wait.exec_id = remove.exec_id = wire::lend(id);
  if (auto added = to.call<wire::Empty>(wire::kTaskV3, "Exec", request, limit); !added) {
    fail(added.error().text);
  } else if (auto started = to.call<wire::StartResponse>(wire::kTaskV3, "Start", start, limit);
             !started) {
    fail(started.error().text);
  } else if (auto ended = to.call<wire::WaitResponse>(wire::kTaskV3, "Wait", wait, limit); !ended) {
    fail(ended.error().text);
  } else {
    outcome.code = static_cast<int>((*ended)->exit_status);
    char room[4096];
    for (int i = 0; i < 2; ++i) {
      for (ssize_t got; (got = ::read(readers[i], room, sizeof room)) > 0;)
        (i == 0 ? outcome.out : outcome.err).append(room, static_cast<size_t>(got));
    }
    auto removed = to.call<wire::DeleteResponse>(wire::kTaskV3, "Delete", remove, limit);
    EXPECT_TRUE(removed) << removed.error().text;
  }
  ::close(readers[0]);
  ::close(readers[1]);
  return outcome;
}

std::string TestPod::exec_shell(const std::string& container, const std::string& script) {
  const Outcome outcome = exec(container, {"sh", "-c", script});
  EXPECT_OK(outcome);
  return trim(outcome.out);
}

// Its workers look the same, and may have smaller numbers; but their parent is the shim.
pid_t TestPod::shim_pid() const {
  std::vector<std::pair<pid_t, pid_t>> found;  // and their parents
  for (const std::string& entry : names_in("/proc")) {
    if (entry.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string line;
    try {
      line = read_file("/proc/" + entry + "/cmdline");
    } catch (const std::exception&) {
      continue;
    }
    for (char& c : line)
      if (c == '\0') c = ' ';
    if (line.find(cat("--pod ", layout_.directory(), " ")) == std::string::npos) continue;
    std::string stat;
    try {
      stat = read_file("/proc/" + entry + "/stat");
    } catch (const std::exception&) {
      continue;  // a worker that has ended
    }
    const size_t name_end = stat.rfind(") ");
    if (name_end == std::string::npos || stat.compare(name_end, 4, ") Z ") == 0) continue;
    found.emplace_back(std::stoi(entry), std::stoi(stat.substr(name_end + 4)));
  }
  for (const auto& [pid, parent] : found) {
    const auto is_parent = [&](const auto& other) { return other.first == parent; };
    if (std::ranges::none_of(found, is_parent)) return pid;
  }
  return 0;
}

void TestPod::kill_shim() {
  const pid_t pid = shim_pid();
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(wait_for_end(pid));
}

std::string TestPod::events() const { return read_file(layout_.events()); }

PodTest::PodTest() {
  make_directories(pods_root());
  // Namespaces are pinned in a mount of our own; what ocirt-net makes of the host's stays there.
  static const bool mounted = [] {
    make_directories("/run/netns");
    return ::mount("tmpfs", "/run/netns", "tmpfs", 0, "mode=755") == 0 &&
           ::mount(nullptr, "/run/netns", nullptr, MS_SHARED, nullptr) == 0;
  }();
  if (!mounted) throw std::runtime_error("cannot mount /run/netns");
}

std::string PodTest::new_name() {
  static int count = 0;
  return cat("shimtest-", ::getpid(), "-", ++count);
}

}  // namespace harness
