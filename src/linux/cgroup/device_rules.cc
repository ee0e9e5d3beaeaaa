#include "src/linux/cgroup/device_rules.h"

#include "src/base/text.h"
#include "src/linux/default_devices.h"

namespace ocirt::cgroup {
namespace {

std::string name_of(const DeviceRule& rule) {
  return rule.index < 0 ? "the default device rules"
                        : cat("linux.resources.devices[", rule.index, "]");
}

// A rule that denies may say "a" for all, as oci-spec/validate_resources.cc has it.
Result<unsigned> parse_access(std::string_view text, bool allow, std::string_view where) {
  unsigned access = 0;
  for (char letter : text) {
    switch (letter) {
      case 'r':
        access |= kRead;
        break;
      case 'w':
        access |= kWrite;
        break;
      case 'm':
        access |= kMknod;
        break;
      case 'a':
        if (!allow) {
          access = kAllAccess;
          break;
        }
        [[fallthrough]];
      default:
        return refuse(
            cat(where, ".access: ", quoted(text), " may hold only the letters r, w and m"));
    }
  }
  if (access == 0) return refuse(cat(where, ".access: must name at least one of r, w and m"));
  return access;
}

Result<int64_t> parse_number(const std::optional<int64_t>& number, std::string_view where) {
  if (!number || *number == -1) return -1;
  if (*number < 0 || *number > UINT32_MAX) {
    return refuse(cat(where, ": ", *number, " is not a device number; -1 stands for any"));
  }
  return *number;
}

std::string access_letters(unsigned access) {
  std::string out;
  if (access & kRead) out += 'r';
  if (access & kWrite) out += 'w';
  if (access & kMknod) out += 'm';
  return out;
}

std::string number_or_star(int64_t number) { return number < 0 ? "*" : cat(number); }

std::string line_of(const DeviceRule& rule) {
  return cat(rule.type, ' ', number_or_star(rule.major), ':', number_or_star(rule.minor), ' ',
             access_letters(rule.access));
}

bool covers(int64_t wide, int64_t narrow) { return wide < 0 || wide == narrow; }
bool covers(const DeviceRule& wide, const DeviceRule& narrow) {
  return wide.type == narrow.type && covers(wide.major, narrow.major) &&
         covers(wide.minor, narrow.minor);
}
bool meets(const DeviceRule& a, const DeviceRule& b) {
  return a.type == b.type && (covers(a.major, b.major) || covers(b.major, a.major)) &&
         (covers(a.minor, b.minor) || covers(b.minor, a.minor));
}

// The kernel's state of one cgroup: what holds by default, and where the opposite holds. Every
// exception is of one type.
struct Emulation {
  bool allow = false;
  std::vector<DeviceRule> exceptions;

  void add(const DeviceRule& rule) {
    for (DeviceRule& old : exceptions) {
      if (old.type == rule.type && old.major == rule.major && old.minor == rule.minor) {
        old.access |= rule.access;
        return;
      }
    }
    exceptions.push_back(rule);
  }

  Result<> take_back(const DeviceRule& rule) {
    for (DeviceRule& old : exceptions) {
      if (!meets(old, rule) || (old.access & rule.access) == 0) continue;
      if (!covers(rule, old)) {
        return refuse(cat(name_of(rule), ": cgroup v1 cannot ", rule.allow ? "allow " : "deny ",
                          quoted(line_of(rule)), " within ", quoted(line_of(old)), " of ",
                          name_of(old), "; write narrower rules, or use a host with cgroup v2"));
      }
      old.access &= ~rule.access;
    }
    std::erase_if(exceptions, [](const DeviceRule& old) { return old.access == 0; });
    return {};
  }

  Result<> apply(const DeviceRule& rule) {
    if (rule.is_total()) {
      allow = rule.allow;
      exceptions.clear();
      return {};
    }
    // "a" with anything beside it resets the kernel's list like "a" alone: say it as two rules.
    if (rule.type == 'a') {
      DeviceRule half = rule;
      for (char type : {'b', 'c'}) {
        half.type = type;
        TRY(apply(half));
      }
      return {};
    }
    if (rule.allow == allow) return take_back(rule);
    add(rule);
    return {};
  }
};

}  // namespace

Result<std::vector<DeviceRule>> device_rules(std::span<const oci::DeviceCgroup> configured) {
  if (configured.size() > kMostDeviceRules) {
    return refuse(cat("linux.resources.devices: ", configured.size(), " rules are more than the ",
                      kMostDeviceRules, " that are supported"));
  }
  std::span<const DefaultDeviceRule> defaults = default_device_rules();
  std::vector<DeviceRule> rules;
  rules.reserve(configured.size() + defaults.size());
  for (size_t i = 0; i < configured.size(); ++i) {
    const oci::DeviceCgroup& from = configured[i];
    DeviceRule rule;
    rule.allow = from.allow;
    rule.index = static_cast<int>(i);
    const std::string where = name_of(rule);
    if (from.type) {
      if (*from.type != "a" && *from.type != "b" && *from.type != "c") {
        return refuse(cat(where, ".type: ", quoted(*from.type), " must be \"a\", \"b\" or \"c\""));
      }
      rule.type = (*from.type)[0];
    }
    rule.major = TRY(parse_number(from.major, cat(where, ".major")));
    rule.minor = TRY(parse_number(from.minor, cat(where, ".minor")));
    if (from.access) rule.access = TRY(parse_access(*from.access, rule.allow, where));
    rules.push_back(rule);
  }
  for (const DefaultDeviceRule& from : defaults) {
    const unsigned access = TRY(parse_access(from.access, true, "the default device rules"));
    rules.push_back({true, from.type, from.major, from.minor, access, -1});
  }
  return rules;
}

bool allows_everything(std::span<const DeviceRule> rules) {
  for (size_t i = rules.size(); i-- > 0;) {
    if (!rules[i].allow) return false;
    if (rules[i].is_total()) return true;
  }
  return false;
}

Result<std::vector<DeviceLine>> v1_device_lines(std::span<const DeviceRule> rules) {
  Emulation state;
  for (const DeviceRule& rule : rules) TRY(state.apply(rule));
  std::vector<DeviceLine> lines;
  lines.reserve(state.exceptions.size() + 1);
  lines.push_back({state.allow, "a"});
  for (DeviceRule exception : state.exceptions) {
    // The kernel allows an access only if one exception has all of its kinds, so that a narrow one
    // has to repeat what a wide one says. It denies if any exception has any kind.
    if (!state.allow) {
      for (const DeviceRule& wide : state.exceptions) {
        if (covers(wide, exception)) exception.access |= wide.access;
      }
    }
    lines.push_back({!state.allow, line_of(exception)});
  }
  return lines;
}

}  // namespace ocirt::cgroup
