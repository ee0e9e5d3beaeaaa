#include "tests/pods/task_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "src/base/text.h"

namespace harness {

namespace wire = ocirt::wire;
using ocirt::cat;

Fifo::Fifo(const std::string& path) : path_(path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + path);
  open_reader();
}

void Fifo::open_reader() {
  reader_ = ocirt::UniqueFd(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

void Fifo::open_waiting_reader() {
  reader_ = ocirt::UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
}

std::string Fifo::read_until(std::string_view part) {
  std::string all;
  for (;;) {
    pollfd wait{reader_.raw(), POLLIN, 0};
    if (::poll(&wait, 1, 60000) != 1) {
      ADD_FAILURE() << path_ << ": neither its end nor " << part << " in a minute after "
                    << all.size() << " bytes";
      return all;
    }
    char room[65536];
    const ssize_t got = ::read(reader_.raw(), room, sizeof room);
    if (got <= 0) return all;
    all.append(room, static_cast<size_t>(got));
    if (!part.empty() && all.find(part) != std::string::npos) return all;
  }
}

std::string Fifo::read_to_end() { return read_until(""); }

void TaskTest::SetUp() {
  PodTest::SetUp();
  pod_ = std::make_unique<TestPod>(pods_root(), new_name());
  pod_->save();
  ASSERT_OK(pod_->shim());
  bundle.set("linux.cgroupsPath", cat("\"", cgroups::test_parent(), "/task\"")).keep_cgroups_path();
}

void TaskTest::TearDown() {
  auto request = wire::blank<wire::ShutdownRequest>();
  request.id = wire::lend("c");
  (void)call("Shutdown", request);
  EXPECT_TRUE(eventually([&] { return shim() == 0; }));
  remove_tree(pod_->layout().directory());
  pod_.reset();
  PodTest::TearDown();
}

wire::Answer TaskTest::create(const Creation& creation) {
  const std::string directory = creation.bundle.empty() ? bundle.path() : creation.bundle;
  if (creation.bundle.empty()) bundle.save(creation.id);
  wire::Rows<wire::Mount> rows;
  std::vector<std::vector<char*>> options(creation.rootfs.size());
  for (size_t i = 0; i < creation.rootfs.size(); ++i) {
    const ocirt::shim::RootfsMount& mount = creation.rootfs[i];
    wire::Mount& row = rows.add();
    row.type = wire::lend(mount.type);
    row.source = wire::lend(mount.source);
    row.target = wire::lend(mount.target);
    for (const std::string& option : mount.options) options[i].push_back(wire::lend(option));
    row.n_options = options[i].size();
    row.options = options[i].data();
  }
  wire::Any any = creation.options.lend();
  auto request = wire::blank<wire::CreateTaskRequest>();
  request.id = wire::lend(creation.id);
  request.bundle = wire::lend(directory);
  request.terminal = creation.terminal ? 1 : 0;
  request.stdin = wire::lend(creation.in);
  request.stdout = wire::lend(creation.out);
  request.stderr = wire::lend(creation.err);
  request.n_rootfs = rows.size();
  request.rootfs = rows.lend();
  if (!creation.options.type_url.empty()) request.options = &any;
  RawClient client(socket());
  EXPECT_TRUE(
      client.send(RawClient::request(1, wire::kTaskV2, "Create", request, creation.timeout)));
  return client.next().answer;
}

wire::Answer TaskTest::exec(const Exec& exec) {
  Json process = bundle.document()["process"];
  process.set("args", Json::array(exec.args));
  process.set("terminal", Json::parse(exec.terminal ? "true" : "false"));
  const wire::AnyValue value{std::string(wire::kProcessUrl), process.print()};
  wire::Any spec = value.lend();
  auto request = wire::blank<wire::ExecProcessRequest>();
  request.id = wire::lend("c");
  request.exec_id = wire::lend(exec.id);
  request.terminal = exec.terminal ? 1 : 0;
  request.stdin = wire::lend(exec.in);
  request.stdout = wire::lend(exec.out);
  request.stderr = wire::lend(exec.err);
  request.spec = &spec;
  return call("Exec", request);
}

std::string TaskTest::state_request(const std::string& id, const std::string& exec_id) {
  auto request = wire::blank<wire::StateRequest>();
  request.id = wire::lend(id);
  request.exec_id = wire::lend(exec_id);
  return wire::pack(request);
}

wire::Answer TaskTest::ask(std::string_view method, const std::string& exec_id,
                           const std::string& id) {
  RawClient client(socket());
  return client.call(wire::kTaskV2, method, std::string_view(state_request(id, exec_id)));
}

wire::Answer TaskTest::kill(int signal, const std::string& exec_id, bool all) {
  auto request = wire::blank<wire::KillRequest>();
  request.id = wire::lend("c");
  request.exec_id = wire::lend(exec_id);
  request.signal = static_cast<uint32_t>(signal);
  request.all = all ? 1 : 0;
  return call("Kill", request);
}

wire::Answer TaskTest::update(const std::string& json) {
  const wire::AnyValue value{std::string(wire::kLinuxResourcesUrl), json};
  wire::Any any = value.lend();
  auto request = wire::blank<wire::UpdateTaskRequest>();
  request.id = wire::lend("c");
  request.resources = &any;
  return call("Update", request);
}

wire::Answer TaskTest::resize(uint32_t width, uint32_t height, const std::string& exec_id) {
  auto request = wire::blank<wire::ResizePtyRequest>();
  request.id = wire::lend("c");
  request.exec_id = wire::lend(exec_id);
  request.width = width;
  request.height = height;
  return call("ResizePty", request);
}

wire::Answer TaskTest::close_input(const std::string& exec_id) {
  auto request = wire::blank<wire::CloseIORequest>();
  request.id = wire::lend("c");
  request.exec_id = wire::lend(exec_id);
  request.stdin = 1;
  return call("CloseIO", request);
}

void TaskTest::launch(const Creation& creation) {
  const wire::Answer created = create(creation);
  ASSERT_EQ(created.code, wire::Code::kOk) << created.text;
  const wire::Answer started = ask("Start", "", creation.id);
  ASSERT_EQ(started.code, wire::Code::kOk) << started.text;
}

int TaskTest::wait(const std::string& exec_id, const std::string& id) {
  const wire::Answer answer = ask("Wait", exec_id, id);
  if (answer.code != wire::Code::kOk) return -1;
  return static_cast<int>((*wire::parse<wire::WaitResponse>(answer.payload))->exit_status);
}

int TaskTest::status(const std::string& exec_id, const std::string& id) {
  const wire::Answer answer = ask("State", exec_id, id);
  if (answer.code != wire::Code::kOk) return -1;
  return static_cast<int>((*wire::parse<wire::StateResponse>(answer.payload))->status);
}

pid_t TaskTest::pid(const std::string& id) {
  return static_cast<pid_t>(read<wire::StateResponse>(ask("State", "", id))->pid);
}

void TaskTest::finish(const std::string& id) {
  auto request = wire::blank<wire::KillRequest>();
  request.id = wire::lend(id);
  request.signal = SIGKILL;
  (void)call("Kill", request);
  EXPECT_GE(wait("", id), 0);
  const wire::Answer removed = ask("Delete", "", id);
  EXPECT_EQ(removed.code, wire::Code::kOk) << removed.text;
}

long TaskTest::private_kilobytes() const {
  long sum = 0;
  for (const std::string& line : lines(read_file(cat("/proc/", shim(), "/smaps_rollup")))) {
    if (line.starts_with("Private_Dirty:")) sum += std::stol(words(line)[1]);
  }
  return sum;
}

size_t TaskTest::descriptors() const { return names_in(cat("/proc/", shim(), "/fd")).size(); }

std::vector<std::string> TaskTest::mounted_below(const std::string& path) {
  std::vector<std::string> all;
  for (const Mount& mount : parse_mountinfo(read_file("/proc/self/mountinfo"))) {
    if (mount.target == path || mount.target.starts_with(path + "/")) all.push_back(mount.target);
  }
  return all;
}

}  // namespace harness
