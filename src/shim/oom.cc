#include "src/shim/oom.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "src/base/text.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"
#include "src/sys/watch.h"

namespace ocirt::shim {
namespace {

uint64_t kills_in(std::string_view events) {
  while (std::optional<std::string_view> line = next_line(events)) {
    if (line->starts_with("oom_kill ")) return to_number<uint64_t>(line->substr(9)).value_or(0);
  }
  return 0;
}

}  // namespace

class OomWatches::Entry {
 public:
  Entry(OomWatches& owner, std::string of) : name(std::move(of)), owner_(owner) {}

  Result<> open(const std::string& file) {
    if (file.ends_with("/memory.oom_control")) {
      const std::string directory = file.substr(0, file.rfind('/'));
      change_ = TRY(sys::event_counter());
      const UniqueFd control = TRY(sys::open(sys::kCwd, file, O_RDONLY));
      TRY(sys::write_control(sys::kCwd, cat(directory, "/cgroup.event_control"),
                             cat(change_.raw(), " ", control.raw())));
    } else {
      events_ = TRY(sys::open(sys::kCwd, file, O_RDONLY));
      known_ = kills_in(TRY(sys::reread_control(events_, file)));
      // A user has few of these (fs.inotify.max_user_instances). Without one nothing is heard until
      // somebody asks, which is at the end of each process.
      Result<UniqueFd> change = sys::watch_changes(file);
      if (!change) return {};
      change_ = std::move(*change);
    }
    directory_ = file.substr(0, file.rfind('/'));
    watch_ = TRY(owner_.loop_.watch(change_, sys::kReadable,
                                    Callback<unsigned>::to<&Entry::on_change>(*this)));
    return {};
  }

  bool take() {
    look();
    return std::exchange(untaken_, false);
  }

  const std::string name;

 private:
  void on_change(unsigned) {
    if (look()) owner_.call_(name);
  }

  // Whether there is something new.
  bool look() {
    bool killed = false;
    if (events_.valid()) {
      if (change_.valid()) (void)sys::drain(change_);
      Result<std::string> text = sys::reread_control(events_, "memory.events");
      if (!text) {  // the cgroup is gone
        watch_.reset();
        return false;
      }
      const uint64_t kills = kills_in(*text);
      killed = kills > std::exchange(known_, kills);
    } else if (change_.valid()) {
      // The removal of the cgroup moves the counter too.
      const uint64_t count = sys::take_count(change_).value_or(0);
      killed = count > 0 && sys::exists(sys::kCwd, directory_);
    }
    untaken_ |= killed;
    return killed;
  }

  OomWatches& owner_;
  std::string directory_;
  UniqueFd events_, change_;
  sys::Watch watch_;
  uint64_t known_ = 0;
  bool untaken_ = false;
};

OomWatches::OomWatches(sys::EventLoop& loop, Closure<void(const std::string&)> call)
    : loop_(loop), call_(std::move(call)) {}
OomWatches::~OomWatches() = default;

OomWatches::Entry* OomWatches::find(const std::string& name) {
  for (const auto& entry : entries_) {
    if (entry->name == name) return entry.get();
  }
  return nullptr;
}

void OomWatches::watch(const std::string& name, const std::string& file) {
  forget(name);
  if (file.empty()) return;
  auto entry = std::make_unique<Entry>(*this, name);
  if (entry->open(file)) entries_.push_back(std::move(entry));
}

bool OomWatches::take_kills(const std::string& name) {
  Entry* entry = find(name);
  return entry != nullptr && entry->take();
}

void OomWatches::forget(const std::string& name) {
  std::erase_if(entries_, [&](const auto& entry) { return entry->name == name; });
}

}  // namespace ocirt::shim
