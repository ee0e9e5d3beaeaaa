// See conmon.h.
#include "tests/support/conmon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "tests/support/cgroups.h"
#include "tests/support/files.h"
#include "tests/support/patience.h"

namespace harness {

namespace {

constexpr const char* kProgram = "/usr/bin/conmon";

struct Pair {
  int ours = -1, theirs = -1;
  Pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      throw std::runtime_error("socketpair failed");
    ours = ends[0], theirs = ends[1];
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close(ours);
    if (theirs >= 0) close(theirs);
  }
  void give() {
    close(theirs);
    theirs = -1;
  }
};

// One line, which conmon may write in several pieces.
std::string read_line(int from) {
  std::string line;
  pollfd ready{from, POLLIN, 0};
  while (!line.contains('\n') && poll(&ready, 1, 20000 * patience()) == 1) {
    char buffer[16384];
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got <= 0) break;
    line.append(buffer, static_cast<size_t>(got));
  }
  return line;
}

}  // namespace

bool Conmon::is_installed() { return access(kProgram, X_OK) == 0; }

Conmon::Conmon(const Runtime& runtime, Bundle& bundle, std::string directory, std::string id)
    : runtime_(runtime), bundle_(bundle), directory_(std::move(directory)), id_(std::move(id)) {
  for (const char* name : {"/exits", "/attach", "/persist"}) make_directories(directory_ + name);
}

Conmon::~Conmon() {
  (void)runtime_.run({"delete", "--force", id_});
  eventually([] {
    reap_orphans();
    return living_orphans().empty();
  });
}

Json Conmon::run(Args args, bool waits_for_end) {
  Pair sync, start;
  args.insert(args.begin(), kProgram);
  if (cgroups::by_systemd()) args.emplace_back("-s");
  Process conmon({.argv = std::move(args),
                  .env = {{"_OCI_SYNCPIPE", "3"}, {"_OCI_STARTPIPE", "4"}},
                  .directory = bundle_.path(),
                  .descriptors = {sync.theirs, start.theirs},
                  .time_limit_ms = 30000});
  sync.give();
  start.give();
  // Here CRI-O has put it into its cgroup.
  if (write(start.ours, "", 1) != 1) throw std::runtime_error("conmon does not listen");
  const Outcome outcome = conmon.wait();
  const std::string line = read_line(sync.ours);
  // A failure has a line as well; without one nothing is known.
  if (line.empty())
    throw std::runtime_error("conmon says nothing; exit code " + std::to_string(outcome.code) +
                             ": " + outcome.err);
  if (!waits_for_end && outcome.code != 0)
    throw std::runtime_error("conmon ended with " + std::to_string(outcome.code));
  return Json::parse(trim(line));
}

Json Conmon::create(const Args& more) {
  bundle_.save(id_);
  Args args = {"-b",
               bundle_.path(),
               "-c",
               id_,
               "--exit-dir",
               directory_ + "/exits",
               "-l",
               log_path(),
               "--log-level",
               "info",
               "-n",
               "k8s_app_pod-a_default_0",
               "-P",
               bundle_.path() + "/conmon-pidfile",
               "-p",
               pid_file(),
               "--persist-dir",
               directory_ + "/persist",
               "-r",
               runtime_.program(),
               "--runtime-arg",
               "--root=" + runtime_.root(),
               "--socket-dir-path",
               directory_ + "/attach",
               "--syslog",
               "-u",
               id_,
               "--log-size-max",
               "1048576"};
  args.insert(args.end(), more.begin(), more.end());
  return run(std::move(args), false);
}

Json Conmon::exec_sync(const std::string& process, const Args& more) {
  // Both are made empty by CRI-O, by mkstemp(3).
  const std::string pid_file = directory_ + "/exec-pidfile", log = directory_ + "/exec-log";
  const std::string document = directory_ + "/exec-process.json";
  write_file(pid_file, "", 0600);
  write_file(log, "", 0600);
  write_file(document, process);
  Args args = {"-c",
               id_,
               "-n",
               "k8s_app_pod-a_default_0",
               "-r",
               runtime_.program(),
               "-p",
               pid_file,
               "-e",
               "-l",
               log,
               "--socket-dir-path",
               directory_ + "/attach",
               "--log-level",
               "info",
               "--sync",
               "--log-global-size-max",
               "16777216"};
  args.insert(args.end(), more.begin(), more.end());
  args.insert(args.end(),
              {"--exec-process-spec", document, "--runtime-arg", "--root=" + runtime_.root()});
  Json answer = run(std::move(args), true);
  exec_log_ = without_times(read_file(log));
  return answer;
}

std::string Conmon::log() const {
  return exists(log_path()) ? without_times(read_file(log_path())) : std::string();
}

int Conmon::exit_code() const {
  const std::string path = directory_ + "/exits/" + id_;
  // Renamed into place, so whoever sees it sees all of it.
  if (!eventually([&] {
        reap_orphans();
        return exists(path);
      }))
    return -1;
  return std::atoi(read_file(path).c_str());
}

void Conmon::type(const std::string& text) const {
  const std::string path = directory_ + "/attach/" + id_ + "/attach";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const bool sent = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                    write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  if (!sent) throw std::runtime_error("cannot type over " + path);
}

void Conmon::control(const std::string& line) const {
  const std::string path = bundle_.path() + "/ctl";
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  const bool sent = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  close(fd);
  if (!sent) throw std::runtime_error("cannot write to " + path);
}

std::string without_times(const std::string& log) {
  std::string text;
  for (const std::string& line : lines(log)) {
    // 2026-01-02T03:04:05.123456789+00:00
    const bool has_time = line.size() > 35 && line[10] == 'T' && line[19] == '.' && line[35] == ' ';
    text += (has_time ? line.substr(36) : "?" + line) + "\n";
  }
  return text;
}

}  // namespace harness
