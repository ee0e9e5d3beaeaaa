// Runs a CNI plugin: a program of somebody else, which may fail, say nothing, or never end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

// The first executable of that name in the directories, which colons separate.
Result<std::string> find_plugin(std::string_view path, std::string_view type);

struct PluginOutcome {
  int code = 0;  // its exit status, or 128 and the signal's number
  std::string output, errors;
};

// Runs it with `input` on its standard input and nothing but `environment`. When the time is over,
// it is killed with all that it has started and not sent away; so it is when we are.
// Code ETIMEDOUT then.
Result<PluginOutcome> run_plugin(const std::string& program, std::string_view input,
                                 const std::vector<std::string>& environment, int timeout_ms);

}  // namespace ocirt::net
