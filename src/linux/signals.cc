// Names after signal(7), with the aliases that it lists (IOT, CLD, POLL), since images use them.
#include "src/linux/signals.h"

#include <signal.h>

#include <array>

#include "src/base/names.h"
#include "src/base/text.h"

namespace ocirt {
namespace {

constexpr Name<int> kSignals[] = {
    {"ABRT", SIGABRT},     {"ALRM", SIGALRM}, {"BUS", SIGBUS},       {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},      {"CONT", SIGCONT}, {"FPE", SIGFPE},       {"HUP", SIGHUP},
    {"ILL", SIGILL},       {"INT", SIGINT},   {"IO", SIGIO},         {"IOT", SIGABRT},
    {"KILL", SIGKILL},     {"PIPE", SIGPIPE}, {"POLL", SIGIO},       {"PROF", SIGPROF},
    {"PWR", SIGPWR},       {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},
#ifdef SIGSTKFLT  // not on MIPS
    {"STKFLT", SIGSTKFLT},
#endif
    {"STOP", SIGSTOP},     {"SYS", SIGSYS},   {"TERM", SIGTERM},     {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
    {"USR1", SIGUSR1},     {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ},
};
static_assert(sorted(kSignals));

constexpr size_t kLongest = 10;  // "SIGRTMIN+30" without "SIG" is shorter; nothing longer is a name

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// "RTMIN", "RTMIN+3", "RTMAX-1": the number, or nothing.
std::optional<int> real_time_number(std::string_view name) {
  bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  int base = from_min ? kSignalRtMin : kSignalRtMax;
  std::string_view rest = name.substr(5);
  if (rest.empty()) return base;
  if (rest[0] != (from_min ? '+' : '-')) return std::nullopt;
  auto offset = to_number<unsigned>(rest.substr(1));
  if (!offset || *offset > unsigned{kSignalRtMax - kSignalRtMin}) return std::nullopt;
  return from_min ? base + static_cast<int>(*offset) : base - static_cast<int>(*offset);
}

std::optional<int> named_number(std::string_view text) {
  std::array<char, kLongest> buffer;
  if (text.size() > 3 && upper(text[0]) == 'S' && upper(text[1]) == 'I' && upper(text[2]) == 'G') {
    text.remove_prefix(3);
  }
  if (text.size() > buffer.size()) return std::nullopt;
  for (size_t i = 0; i < text.size(); ++i) buffer[i] = upper(text[i]);
  std::string_view name(buffer.data(), text.size());
  if (auto number = find(kSignals, name)) return number;
  return real_time_number(name);
}

}  // namespace

Result<int> signal_number(std::string_view text) {
  auto number = to_number<int>(text);
  if (number && (text.starts_with('-') || *number > kSignalRtMax)) number.reset();
  if (!number) number = named_number(text);
  if (!number) {
    return refuse(cat("unknown signal ", quoted(text), ": give a number from 0 to ", kSignalRtMax,
                      ", a name such as KILL or SIGKILL, or RTMIN+N or RTMAX-N"));
  }
  return *number;
}

}  // namespace ocirt
