// See runtime.h.
#include "tests/support/runtime.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/support/cgroups.h"
#include "tests/support/files.h"

namespace harness {

Runtime::Runtime(std::string root, std::string program)
    : program_(std::move(program)), root_(std::move(root)) {
  if (!program_.empty()) return;
  const char* given = std::getenv("RUNTIME");
  program_ = given && *given ? given : "build/ocirt";
  // Some tests run the runtime in another directory.
  if (program_.find('/') != std::string::npos)
    if (char* whole = realpath(program_.c_str(), nullptr)) {
      program_ = whole;
      free(whole);
    }
}

std::string Runtime::name() const { return program_.substr(program_.rfind('/') + 1); }

Command Runtime::command(const Args& args, Command base) const {
  base.argv = {program_, "--root", root_};
  if (const char* flags = std::getenv("RUNTIME_FLAGS"))
    for (const std::string& flag : words(flags)) base.argv.push_back(flag);
  base.argv.insert(base.argv.end(), global.begin(), global.end());
  base.argv.insert(base.argv.end(), args.begin(), args.end());
  return base;
}

Outcome Runtime::run(const Args& args, Command base) const {
  return run_command(command(args, std::move(base)));
}

Json Runtime::state(const std::string& id) const {
  const Outcome outcome = run({"state", id});
  if (!outcome.ok()) throw std::runtime_error("state of " + id + " failed: " + outcome.err);
  return Json::parse(outcome.out);
}

std::string Runtime::status(const std::string& id) const {
  const Outcome outcome = run({"state", id});
  return outcome.ok() ? Json::parse(outcome.out)["status"].text() : std::string();
}

namespace {

std::string next_id() {
  static int count = 0;
  return "t" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

}  // namespace

Container::Container(const Runtime& runtime, Bundle& bundle, std::string id)
    : runtime_(runtime), bundle_(bundle), id_(id.empty() ? next_id() : std::move(id)) {}

Container::~Container() {
  remove({"--force"});
  reap_orphans();
}

Args Container::bundle_flags(const char* command, const Args& flags) {
  bundle_.save(id_);
  Args args = {command};
  args.insert(args.end(), flags.begin(), flags.end());
  args.insert(args.end(), {"--bundle", bundle_.path(), id_});
  return args;
}

Outcome Container::create(const Args& flags, Command base) {
  creator_ =
      std::make_unique<Process>(runtime_.command(bundle_flags("create", flags), std::move(base)));
  return creator_->wait();
}

Outcome Container::start() { return runtime_.run({"start", id_}); }

Outcome Container::run(const Args& flags, Command base) {
  creator_ =
      std::make_unique<Process>(runtime_.command(bundle_flags("run", flags), std::move(base)));
  return creator_->wait();
}

Process Container::run_in_background(const Args& flags, Command base) {
  return Process(runtime_.command(bundle_flags("run", flags), std::move(base)));
}

void Container::launch(const Args& flags, Command base) {
  const Outcome created = create(flags, std::move(base));
  if (!created.ok()) throw std::runtime_error("create failed: " + created.err);
  const Outcome started = start();
  if (!started.ok()) throw std::runtime_error("start failed: " + started.err);
}

Outcome Container::exec(const Args& command, const Args& flags, Command base) const {
  Args args = {"exec"};
  args.insert(args.end(), flags.begin(), flags.end());
  args.push_back(id_);
  args.insert(args.end(), command.begin(), command.end());
  return runtime_.run(args, std::move(base));
}

Outcome Container::exec_shell(std::string_view script, const Args& flags) const {
  return exec({"sh", "-c", std::string(script)}, flags);
}

Outcome Container::kill(const std::string& signal, const Args& flags) const {
  Args args = {"kill"};
  args.insert(args.end(), flags.begin(), flags.end());
  args.push_back(id_);
  if (!signal.empty()) args.push_back(signal);
  return runtime_.run(args);
}

Outcome Container::remove(const Args& flags) const {
  Args args = {"delete"};
  args.insert(args.end(), flags.begin(), flags.end());
  args.push_back(id_);
  return runtime_.run(args);
}

pid_t Container::pid() const { return static_cast<pid_t>(state()["pid"].integer()); }

int Container::wait_for_exit() {
  const pid_t pid = this->pid();
  // No pid: the runtime says that it has ended. Its status was then reaped before.
  if (pid <= 0 || !wait_for_end(pid)) return -1;
  return orphan_status(pid).value_or(-1);
}

std::string Container::cgroup(std::string_view controller) const {
  return cgroups::directory(controller, cgroups::group_of(id_));
}

std::string Container::cgroup_file(std::string_view controller, std::string_view file) const {
  return trim(read_file(cgroup(controller) + "/" + std::string(file)));
}

}  // namespace harness
