#include "src/container/timeline.h"

#include <algorithm>
#include <cstring>

#include "src/base/text.h"
#include "src/sys/process.h"

namespace ocirt::container {
namespace {

// Microseconds with three digits after the point.
std::string microseconds(uint64_t nanoseconds) {
  std::string rest = cat(nanoseconds % 1000);
  return cat(nanoseconds / 1000, '.', std::string(3 - rest.size(), '0'), rest);
}

void append(std::string& out, std::string_view event) {
  out += out.ends_with('[') ? "\n" : ",\n";
  out += event;
}

void append_process(std::string& out, int number, std::string_view name) {
  append(out, cat(R"({"name":"process_name","ph":"M","pid":)", number, R"(,"tid":)", number,
                  R"(,"args":{"name":")", name, R"("}})"));
}

void append_phase(std::string& out, int number, std::string_view name, uint64_t begin,
                  uint64_t end) {
  append(out, cat(R"({"name":")", name, R"(","cat":"ocirt","ph":"X","ts":)", microseconds(begin),
                  R"(,"dur":)", microseconds(end > begin ? end - begin : 0), R"(,"pid":)", number,
                  R"(,"tid":)", number, "}"));
}

// Init is not trusted: it runs in the container's namespaces. Of its text only what needs no escape
// is taken.
std::string step_name(const plan::TraceMark& mark) {
  std::string name(mark.step, ::strnlen(mark.step, sizeof mark.step));
  for (char& c : name) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '?';
  }
  return name;
}

}  // namespace

Timeline::Timeline(std::string command) : command_(std::move(command)) { begin("command line"); }

void Timeline::begin(const char* name) { marks_.push_back({name, sys::monotonic_ns()}); }

Result<> Timeline::follow_init(plan::Plan& plan) {
  if (!shared_) {
    shared_.emplace(TRY(sys::SharedBlock::make("ocirt-trace", sizeof(plan::TraceBlock))));
  }
  plan.trace = shared_->fd().raw();
  return {};
}

void Timeline::end_of_init() { init_ended_ = sys::monotonic_ns(); }

std::string Timeline::document() const {
  const uint64_t now = sys::monotonic_ns();
  std::string out = R"({"displayTimeUnit":"ms","traceEvents":[)";
  const int own = sys::own_pid();
  append_process(out, own, cat("ocirt ", command_));
  for (size_t i = 0; i < marks_.size(); ++i) {
    const uint64_t end = i + 1 < marks_.size() ? marks_[i + 1].nanoseconds : now;
    append_phase(out, own, marks_[i].name, marks_[i].nanoseconds, end);
  }
  if (shared_) {
    const auto* block = static_cast<const plan::TraceBlock*>(shared_->memory());
    const uint32_t count = std::min(block->count, plan::TraceBlock::kMost);
    const uint64_t end = init_ended_ != 0 ? init_ended_ : now;
    append_process(out, own + 1, "ocirt-init");  // a number of its own; its pid may be any
    for (uint32_t i = 0; i < count; ++i) {
      const plan::TraceMark mark = block->marks[i];
      const uint64_t next = i + 1 < count ? block->marks[i + 1].nanoseconds : end;
      append_phase(out, own + 1, step_name(mark), mark.nanoseconds, next);
    }
  }
  out += "\n]}\n";
  return out;
}

}  // namespace ocirt::container
