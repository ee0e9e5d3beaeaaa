// ocirt-systemd: makes, changes and stops one unit of systemd for ocirt, by sd-bus of libsystemd.
// ocirt runs it for containers whose cgroups systemd manages, and for no others.
//
// Its request (sys/companion.h) is fields (fields.h): one of start, set, stop, attach, root; system
// or user; the unit; for start and set the properties; for attach the cgroup below the unit's (""
// is the unit's own) and a process. The answer to root is a cgroup. Calls on the bus: start 1 (3
// when a failed unit of the name is in the way), set 1, stop 1 or 2, attach 1. As root they go to
// systemd's own socket, so that no bus daemon has to pass them on.
#include <systemd/sd-bus.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "src/base/text.h"
#include "src/sys/companion.h"
#include "src/systemd/fields.h"

namespace ocirt::systemd {
namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr uint64_t kTimeoutUsec = 30'000'000;  // for everything together

uint64_t now_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

// Frees what sd-bus gave, at the end of the block.
struct Bus {
  sd_bus* it = nullptr;
  ~Bus() { sd_bus_flush_close_unref(it); }
};
struct Message {
  sd_bus_message* it = nullptr;
  ~Message() { sd_bus_message_unref(it); }
};
struct BusError {
  sd_bus_error it = SD_BUS_ERROR_NULL;
  ~BusError() { sd_bus_error_free(&it); }
};

int answer(const Result<std::string>& result) { return sys::companion_answer(result); }
int done() { return answer(std::string()); }

int failed(const char* step, int code, const sd_bus_error* error = nullptr) {
  const bool named = error != nullptr && error->name != nullptr && error->message != nullptr;
  if (named) return answer(refuse(cat(step, ": ", error->message, " (", error->name, ")")));
  return answer(os_error(step, -code));
}

// ---- properties
// -----------------------------------------------------------------------------------
template <class N>
int append_number(sd_bus_message* message, char type, std::string_view text) {
  N number{};
  const char* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, number);
      error != std::errc() || at != end)
    return -EINVAL;
  return sd_bus_message_append_basic(message, type, &number);
}

int append_basic(sd_bus_message* message, char type, std::string_view text) {
  switch (type) {
    case 'b': {
      const int value = text == "true" ? 1 : 0;
      return sd_bus_message_append_basic(message, type, &value);
    }
    case 'y': {
      uint8_t value = 0;
      const char* end = text.data() + text.size();
      if (std::from_chars(text.data(), end, value).ptr != end) return -EINVAL;
      return sd_bus_message_append_basic(message, type, &value);
    }
    case 'n':
      return append_number<int16_t>(message, type, text);
    case 'q':
      return append_number<uint16_t>(message, type, text);
    case 'i':
      return append_number<int32_t>(message, type, text);
    case 'u':
      return append_number<uint32_t>(message, type, text);
    case 'x':
      return append_number<int64_t>(message, type, text);
    case 't':
      return append_number<uint64_t>(message, type, text);
    case 'd':
      return append_number<double>(message, type, text);
    default:
      return sd_bus_message_append_basic(message, type, std::string(text).c_str());
  }
}

// One value of a complete type.
int append_value(sd_bus_message* message, std::string_view type, Fields& fields) {
  std::string_view field;
  if (type[0] == 'a') {
    const std::string element(type.substr(1));
    unsigned count = 0;
    if (!fields.next(field)) return -EINVAL;
    if (std::from_chars(field.data(), field.data() + field.size(), count).ec != std::errc())
      return -EINVAL;
    if (int code = sd_bus_message_open_container(message, 'a', element.c_str()); code < 0)
      return code;
    for (unsigned i = 0; i < count; ++i) {
      if (int code = append_value(message, element, fields); code < 0) return code;
    }
    return sd_bus_message_close_container(message);
  }
  if (type[0] == '(') {
    const std::string members(type.substr(1, type.size() - 2));
    if (int code = sd_bus_message_open_container(message, 'r', members.c_str()); code < 0)
      return code;
    for (std::string_view rest = members; !rest.empty();) {
      const std::string_view member = first_type(rest);
      if (int code = append_value(message, member, fields); code < 0) return code;
      rest.remove_prefix(member.size());
    }
    return sd_bus_message_close_container(message);
  }
  if (!fields.next(field)) return -EINVAL;
  return append_basic(message, type[0], field);
}

int append_property(sd_bus_message* message, Fields& fields) {
  std::string_view name, signature;
  if (!fields.next(name) || !fields.next(signature)) return -EINVAL;
  if (first_type(signature).size() != signature.size() || signature.empty()) return -EINVAL;
  const std::string type(signature);
  int code = sd_bus_message_open_container(message, 'r', "sv");
  if (code >= 0) code = append_basic(message, 's', name);
  if (code >= 0) code = sd_bus_message_open_container(message, 'v', type.c_str());
  if (code >= 0) code = append_value(message, type, fields);
  if (code >= 0) code = sd_bus_message_close_container(message);
  return code < 0 ? code : sd_bus_message_close_container(message);
}

int append_properties(sd_bus_message* message, std::string_view text) {
  Fields fields(text);
  int code = sd_bus_message_open_container(message, 'a', "(sv)");
  while (code >= 0 && !fields.at_end()) code = append_property(message, fields);
  return code < 0 ? code : sd_bus_message_close_container(message);
}

// ---- the bus
// --------------------------------------------------------------------------------------
int open_direct(Bus& bus, const char* address) {
  int code = sd_bus_new(&bus.it);
  if (code >= 0) code = sd_bus_set_address(bus.it, address);
  if (code >= 0) code = sd_bus_start(bus.it);
  if (code < 0) bus.it = sd_bus_unref(bus.it);
  return code;
}

int open_bus(Bus& bus, bool user) {
  if (!user) {
    if (open_direct(bus, "unix:path=/run/systemd/private") >= 0) return 0;
    return sd_bus_open_system(&bus.it);
  }
  if (const char* directory = ::getenv("XDG_RUNTIME_DIR")) {
    const std::string address = "unix:path=" + std::string(directory) + "/systemd/private";
    if (open_direct(bus, address.c_str()) >= 0) return 0;
  }
  return sd_bus_open_user(&bus.it);
}

// ---- jobs
// -----------------------------------------------------------------------------------------
struct Job {
  std::string path;    // of the job that is waited for; empty: not known yet
  std::string result;  // as systemd says it; empty: not yet
  std::string early;   // jobs that ended before the answer to our call: "path result\n" each
};

int on_job_removed(sd_bus_message* message, void* data, sd_bus_error*) {
  auto* job = static_cast<Job*>(data);
  uint32_t id = 0;
  const char *path = nullptr, *unit = nullptr, *result = nullptr;
  if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0) return 0;
  if (job->path == path) {
    job->result = result;
  } else if (job->path.empty()) {
    job->early.append(path).append(" ").append(result).append("\n");
  }
  return 0;
}

int wait_for_job(sd_bus* bus, Job& job, const char* path, uint64_t deadline) {
  job.path = path;
  const std::string key = job.path + " ";
  if (const size_t at = job.early.find(key); at != std::string::npos) {
    const size_t begin = at + key.size();
    job.result = job.early.substr(begin, job.early.find('\n', begin) - begin);
  }
  while (job.result.empty()) {
    int code = sd_bus_process(bus, nullptr);
    if (code < 0) return code;
    if (code > 0) continue;
    const uint64_t now = now_usec();
    if (now >= deadline) return -ETIMEDOUT;
    code = sd_bus_wait(bus, deadline - now);
    if (code < 0 && code != -EINTR) return code;
  }
  return 0;
}

int job_end(const char* verb, int code, const Job& job) {
  if (code == -ETIMEDOUT)
    return answer(refuse(cat(verb, ": systemd did not finish the job in 30 seconds")));
  if (code < 0) return failed("wait for systemd", code);
  if (job.result == "done" || job.result == "skipped") return done();
  return answer(refuse(cat(verb, ": systemd ended the job with ", quoted(job.result),
                           "; see `systemctl status` and the journal")));
}

// ---- verbs
// ----------------------------------------------------------------------------------------
int start_call(sd_bus* bus, const char* unit, std::string_view properties, BusError& error,
               Message& reply) {
  Message call;
  int code = sd_bus_message_new_method_call(bus, &call.it, kService, kObject, kManager,
                                            "StartTransientUnit");
  if (code >= 0) code = sd_bus_message_append(call.it, "ss", unit, "fail");
  if (code >= 0) code = append_properties(call.it, properties);
  if (code >= 0) code = sd_bus_message_append(call.it, "a(sa(sv))", 0);
  return code < 0 ? code : sd_bus_call(bus, call.it, 0, &error.it, &reply.it);
}

int start(sd_bus* bus, const char* unit, std::string_view properties, uint64_t deadline) {
  Job job;
  int code = sd_bus_match_signal(bus, nullptr, nullptr, kObject, kManager, "JobRemoved",
                                 on_job_removed, &job);
  if (code < 0) return failed("listen to systemd", code);
  for (bool again = false;; again = true) {
    BusError error;
    Message reply;
    code = start_call(bus, unit, properties, error, reply);
    if (code < 0 && !again &&
        sd_bus_error_has_name(&error.it, "org.freedesktop.systemd1.UnitExists")) {
      // One that failed stays loaded under its name until somebody has taken note. If it is not
      // that, the second try says the same again.
      (void)sd_bus_call_method(bus, kService, kObject, kManager, "ResetFailedUnit", nullptr,
                               nullptr, "s", unit);
      continue;
    }
    if (code < 0) return failed("StartTransientUnit", code, &error.it);
    const char* path = nullptr;
    code = sd_bus_message_read(reply.it, "o", &path);
    if (code >= 0) code = wait_for_job(bus, job, path, deadline);
    // A job that is waited for no longer must not make a unit of a process that has ended by then.
    // Sent without waiting for an answer: the time is up.
    if (code == -ETIMEDOUT) {
      (void)sd_bus_call_method_async(bus, nullptr, kService, kObject, kManager, "StopUnit", nullptr,
                                     nullptr, "ss", unit, "replace");
    }
    return job_end("StartTransientUnit", code, job);
  }
}

int set(sd_bus* bus, const char* unit, std::string_view properties) {
  Message call;
  BusError error;
  int code = sd_bus_message_new_method_call(bus, &call.it, kService, kObject, kManager,
                                            "SetUnitProperties");
  if (code >= 0) code = sd_bus_message_append(call.it, "sb", unit, 1);  // until the unit ends
  if (code >= 0) code = append_properties(call.it, properties);
  if (code >= 0) code = sd_bus_call(bus, call.it, 0, &error.it, nullptr);
  return code < 0 ? failed("SetUnitProperties", code, &error.it) : done();
}

// A unit that has gone by itself, because its last process ended, is stopped.
int stop(sd_bus* bus, const char* unit, uint64_t deadline) {
  Job job;
  int code = sd_bus_match_signal(bus, nullptr, nullptr, kObject, kManager, "JobRemoved",
                                 on_job_removed, &job);
  if (code < 0) return failed("listen to systemd", code);
  BusError error;
  Message reply;
  code = sd_bus_call_method(bus, kService, kObject, kManager, "StopUnit", &error.it, &reply.it,
                            "ss", unit, "replace");
  if (code < 0) {
    if (sd_bus_error_has_name(&error.it, "org.freedesktop.systemd1.NoSuchUnit")) return done();
    return failed("StopUnit", code, &error.it);
  }
  const char* path = nullptr;
  code = sd_bus_message_read(reply.it, "o", &path);
  if (code >= 0) code = wait_for_job(bus, job, path, deadline);
  // With CollectMode=inactive-or-failed it is gone now; an older systemd keeps what failed.
  (void)sd_bus_call_method(bus, kService, kObject, kManager, "ResetFailedUnit", nullptr, nullptr,
                           "s", unit);
  return job_end("StopUnit", code, job);
}

// Moves a process of the caller's user into a unit: what the user may not do where the process
// comes from a part of the tree that is not delegated to him, a session or another service.
int attach(sd_bus* bus, const char* unit, Fields& fields) {
  std::string_view below, text;
  uint32_t pid = 0;
  if (!fields.next(below) || !fields.next(text) ||
      std::from_chars(text.data(), text.data() + text.size(), pid).ec != std::errc())
    return answer(refuse("ocirt-systemd: the request is not complete"));
  BusError error;
  const int code =
      sd_bus_call_method(bus, kService, kObject, kManager, "AttachProcessesToUnit", &error.it,
                         nullptr, "ssau", unit, std::string(below).c_str(), 1, pid);
  return code < 0 ? failed("AttachProcessesToUnit", code, &error.it) : done();
}

// The cgroup below which this systemd makes those of its units.
int root(sd_bus* bus) {
  BusError error;
  char* group = nullptr;
  const int code = sd_bus_get_property_string(bus, kService, kObject, kManager, "ControlGroup",
                                              &error.it, &group);
  if (code < 0) return failed("ask for ControlGroup", code, &error.it);
  const int status = answer(std::string(group));
  ::free(group);
  return status;
}

int run(std::string_view request) {
  const uint64_t deadline = now_usec() + kTimeoutUsec;
  Fields fields(request);
  std::string_view verb, where, name;
  if (!fields.next(verb) || !fields.next(where) || !fields.next(name))
    return answer(refuse("ocirt-systemd: the request is not complete; ocirt runs this program"));
  const std::string unit(name);
  const bool user = where == "user";
  Bus bus;
  if (const int code = open_bus(bus, user); code < 0) {
    return failed(user ? "connect to the user's systemd (are XDG_RUNTIME_DIR and "
                         "DBUS_SESSION_BUS_ADDRESS set, and is the user logged in?)"
                       : "connect to systemd",
                  code);
  }
  (void)sd_bus_set_method_call_timeout(bus.it, kTimeoutUsec);
  if (verb == "start") return start(bus.it, unit.c_str(), fields.rest(), deadline);
  if (verb == "set") return set(bus.it, unit.c_str(), fields.rest());
  if (verb == "stop") return stop(bus.it, unit.c_str(), deadline);
  if (verb == "attach") return attach(bus.it, unit.c_str(), fields);
  if (verb == "root") return root(bus.it);
  return answer(refuse("ocirt-systemd: the request is of another version of ocirt"));
}

}  // namespace
}  // namespace ocirt::systemd

int main() {
  using namespace ocirt;
  Result<std::string> request = sys::companion_request();
  return request ? systemd::run(*request) : sys::companion_answer(request);
}
