// events.jsonl: what happens in a pod, one line each, for those who follow it with inotify.
#pragma once

#include <string>

#include "src/pod/event.h"

namespace ocirt::shim {

class EventLog {
 public:
  // A file that has grown to kMostBytes becomes PATH.1, and an older one of that name goes.
  explicit EventLog(std::string path) : path_(std::move(path)) {}
  // What cannot be written is lost: the pod goes on.
  void append(const pod::Event& event);

 private:
  static constexpr int64_t kMostBytes = 1 << 20;
  std::string path_;
};

}  // namespace ocirt::shim
