#include "src/container/annotations.h"

#include <cstring>

#include "src/base/base64.h"
#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt::container {
namespace {

constexpr std::string_view kPrefix = "run.oci.";
constexpr size_t kMostInstructions = 4096;  // BPF_MAXINSNS

// An annotation that is a switch: that it is there turns it on, as crun has it.
Result<> take_switch(bool& out, std::string_view text) {
  if (text.empty() || text == "1" || text == "true") {
    out = true;
  } else if (text != "0" && text != "false") {
    return refuse(cat(quoted(text), ": expected 1 or 0"));
  }
  return {};
}

template <bool Annotations::* Member>
Result<> read_switch(Annotations& out, std::string_view text) {
  return take_switch(out.*Member, text);
}

// Commands of several working directories use it, and a hook's output must not go into two files.
template <std::string Annotations::* Member>
Result<> read_path(Annotations& out, std::string_view text) {
  if (!text.starts_with('/')) return refuse(cat(quoted(text), ": expected an absolute path"));
  out.*Member = text;
  return {};
}

Result<> read_program(Annotations& out, std::string_view text) {
  constexpr size_t kSize = sizeof(uint64_t);
  std::optional<std::string> bytes = decode_base64(text);
  if (!bytes || bytes->empty() || bytes->size() % kSize != 0 ||
      bytes->size() / kSize > kMostInstructions) {
    return refuse(cat("expected 1 to ", kMostInstructions, " BPF instructions of ", kSize,
                      " bytes, encoded in base64"));
  }
  out.seccomp_program.resize(bytes->size() / kSize);
  std::memcpy(out.seccomp_program.data(), bytes->data(), bytes->size());
  return {};
}

Result<> read_cgroup(std::string& out, std::string_view text) {
  for (std::string_view part : split(text, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return refuse(cat(quoted(text), ": expected the name of a cgroup below the container's"));
    }
  }
  out = text;
  return {};
}

Result<> read_delegated(Annotations& out, std::string_view text) {
  return read_cgroup(out.delegate_cgroup, text);
}

// CRI-O sets it to "", which means none. crun's default on v2 is "container"; runc has none, and
// neither has ocirt.
Result<> read_subgroup(Annotations& out, std::string_view text) {
  return text.empty() ? Result<>() : read_cgroup(out.systemd_subgroup, text);
}

// It only says which mount option carries linux.mountLabel, which has an answer of its own.
Result<> read_context_type(Annotations& out, std::string_view text) {
  out.mount_context_type = text;
  for (std::string_view known : {"context", "defcontext", "fscontext", "rootcontext"}) {
    if (text == known) return {};
  }
  return refuse(cat(quoted(text), ": expected context, defcontext, fscontext or rootcontext"));
}

Result<> check_handler(Annotations&, std::string_view text) {
  if (text.empty() || text == "crun") return {};
  return refuse(cat("not supported: handler ", quoted(text), ", ocirt has none but its own"));
}

Result<> refuse_plugins(Annotations&, std::string_view text) {
  if (text.empty()) return {};
  return refuse("not supported: plugins in shared libraries, use linux.seccomp.listenerPath");
}

// Callers look for "not supported" at the beginning.
Error located(Error error, std::string_view name) {
  constexpr std::string_view kNot = "not supported: ";
  const size_t at = error.text.starts_with(kNot) ? kNot.size() : 0;
  error.text.insert(at, cat("annotations: ", name, ": "));
  return error;
}

constexpr Name<Result<> (*)(Annotations&, std::string_view), std::string_view> kKnown[] = {
    {"delegate-cgroup", read_delegated},
    {"handler", check_handler},
    {"hooks.stderr", read_path<&Annotations::hooks_stderr>},
    {"hooks.stdout", read_path<&Annotations::hooks_stdout>},
    {"keep_original_groups", read_switch<&Annotations::keep_original_groups>},
    {"mount_context_type", read_context_type},
    {"pidfd_receiver", read_path<&Annotations::pidfd_receiver>},
    {"seccomp.plugins", refuse_plugins},
    {"seccomp.receiver", read_path<&Annotations::seccomp_receiver>},
    {"seccomp_bpf_data", read_program},
    {"seccomp_fail_unknown_syscall", read_switch<&Annotations::seccomp_fail_unknown_syscall>},
    {"systemd.force_cgroup_v1", read_path<&Annotations::systemd_v1>},
    {"systemd.subgroup", read_subgroup},
};
static_assert(sorted(kKnown));

}  // namespace

Result<Annotations> read_annotations(const oci::Map<std::string>& annotations) {
  Annotations out;
  for (const auto& [name, value] : annotations) {
    if (!name.starts_with(kPrefix)) continue;
    if (auto read = find(kKnown, std::string_view(name).substr(kPrefix.size()))) {
      Result<> taken = (*read)(out, value);
      if (!taken) return std::unexpected(located(std::move(taken).error(), name));
    }
  }
  return out;
}

std::vector<std::string> known_annotations() {
  std::vector<std::string> names;
  for (const auto& row : kKnown) names.push_back(cat(kPrefix, row.name));
  return names;
}

}  // namespace ocirt::container
