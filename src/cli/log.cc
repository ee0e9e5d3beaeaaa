#include "src/cli/log.h"

#include <cerrno>

#include "oci-spec/json/writer.h"
#include "oci-spec/schema/field.h"
#include "src/base/text.h"
#include "src/container/timestamp.h"
#include "src/sys/file.h"
#include "src/sys/socket.h"

namespace ocirt::cli {
namespace {

using container::LogFormat;
using oci::schema::Field;

struct Line {
  std::string level;
  std::string message;
  std::string time;
};
constexpr Field kLine[] = {OCI_FIELD(Line, level, "level"), OCI_FIELD(Line, message, "msg"),
                           OCI_FIELD(Line, time, "time")};
constexpr oci::schema::Type kLineType = oci::schema::object(kLine);

// A newline in a message would make two lines of one.
std::string one_line(std::string_view message) {
  std::string out;
  for (char c : message) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? ' ' : c;
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out = "\"";
  for (char c : one_line(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace

std::string log_line(LogFormat format, Level level, std::string_view message,
                     std::string_view time) {
  std::string_view word = level == Level::error ? "error" : "warning";
  if (format == LogFormat::text) {
    return cat("time=", escaped(time), " level=", word, " msg=", escaped(message), "\n");
  }
  Line line{std::string(word), std::string(message), std::string(time)};
  return cat(oci::json::write(kLineType, &line, false), "\n");
}

namespace {

const char* socket_of(LogTarget::Kind kind) {
  return kind == LogTarget::Kind::journal ? "/run/systemd/journal/socket" : "/dev/log";
}

}  // namespace

LogTarget log_target(std::string_view text) {
  constexpr struct {
    std::string_view prefix;
    LogTarget::Kind kind;
  } kForms[] = {{"file:", LogTarget::Kind::file},
                {"syslog:", LogTarget::Kind::syslog},
                {"journald:", LogTarget::Kind::journal}};
  for (const auto& form : kForms) {
    if (!text.starts_with(form.prefix)) continue;
    text.remove_prefix(form.prefix.size());
    const bool unnamed = text.empty() && form.kind != LogTarget::Kind::file;
    return {form.kind, unnamed ? "ocirt" : std::string(text)};
  }
  return {LogTarget::Kind::file, std::string(text)};
}

std::string log_datagram(const LogTarget& target, Level level, std::string_view message) {
  const int priority = level == Level::error ? 3 : 4;  // LOG_ERR, LOG_WARNING
  if (target.kind == LogTarget::Kind::journal) {
    return cat("PRIORITY=", priority, "\nSYSLOG_IDENTIFIER=", target.name, "\nMESSAGE=", message,
               "\n");
  }
  constexpr int kDaemon = 3 << 3;  // LOG_DAEMON
  return cat("<", kDaemon | priority, ">", target.name, ": ", message);
}

Result<> Log::open(const container::GlobalOptions& global) {
  format_ = global.log_format;
  debug_ = global.debug;
  if (global.log.empty()) return {};
  target_ = log_target(global.log);
  if (target_.kind != LogTarget::Kind::file) {
    const char* path = socket_of(target_.kind);
    if (sys::exists(sys::kCwd, path)) return {};
    target_ = {};
    return refuse(
        cat("--log: ", quoted(global.log), ": nothing listens on ", path, " of this host"));
  }
  Result<UniqueFd> file = sys::open(sys::kCwd, target_.name, O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (!file && file.error().code == ENOENT) {
    return refuse(cat("--log: the directory of ", quoted(target_.name), " is missing"));
  }
  file_ = TRY(within("--log", std::move(file)));
  return {};
}

void Log::write(Level level, std::string_view message) const {
  std::string_view kind = level == Level::error ? "" : "warning: ";
  sys::print_error(cat("ocirt: ", kind, one_line(message), "\n"));
  write_to_log(level, message);
}

void Log::write_to_log(Level level, std::string_view message) const {
  Result<> written;
  if (target_.kind != LogTarget::Kind::file) {
    written = sys::send_datagram(socket_of(target_.kind),
                                 log_datagram(target_, level, one_line(message)));
  } else if (file_.valid()) {
    std::string line = log_line(format_, level, message, container::rfc3339_now());
    written = sys::write_once(file_, "--log", line);
  }
  if (!written) sys::print_error(cat("ocirt: ", one_line(written.error().text), "\n"));
}

void Log::error(std::string_view message) const { write(Level::error, message); }

void Log::warning(std::string_view message) const {
  if (debug_) write(Level::warning, message);
}

}  // namespace ocirt::cli
