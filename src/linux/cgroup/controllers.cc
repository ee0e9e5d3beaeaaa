#include "src/linux/cgroup/controllers.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/linux/cgroup/hierarchies.h"
#include "src/sys/control_file.h"
#include "src/sys/file.h"

namespace ocirt::cgroup {
namespace {

constexpr std::string_view kUsualTops[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

std::vector<std::string> owned(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

Result<std::vector<std::string>> read_words(const std::string& path) {
  std::string text = TRY(sys::read_control(sys::kCwd, path));
  return owned(words(text));
}

// Enables `missing` for the children of `directory`; returns those that could not be.
std::vector<std::string> enable_in(std::string_view directory, std::vector<std::string> missing) {
  const std::string path = join(directory, "cgroup.subtree_control");
  std::string line;
  for (const std::string& name : missing) line += cat(line.empty() ? "+" : " +", name);
  Result<> done = sys::write_control(sys::kCwd, path, line);
  if (done) return {};
  // Not ours to write: each word alone would be refused as well.
  const int code = done.error().code;
  if (code == EACCES || code == EPERM || code == EROFS) return missing;
  // One word that is refused spoils the line (a cgroup with processes of its own still hands down
  // controllers that know threads; cpu is refused while real-time processes are about).
  if (missing.size() > 1) {
    std::erase_if(missing, [&](const std::string& name) {
      return sys::write_control(sys::kCwd, path, cat('+', name)).has_value();
    });
  }
  return missing;
}

}  // namespace

std::string top_of_tree(const std::string& path) {
  for (std::string_view top : kUsualTops) {
    if (path.starts_with(top) && path.size() > top.size() && path[top.size()] == '/' &&
        sys::exists(sys::kCwd, join(top, "cgroup.controllers"))) {
      return std::string(top);
    }
  }
  std::string top = path;
  while (sys::exists(sys::kCwd, join(parent_of(top), "cgroup.controllers"))) top = parent_of(top);
  return top;
}

Result<> enable_controllers(const std::string& path, const std::vector<std::string>& wanted) {
  const std::string top = top_of_tree(path);
  std::vector<std::string> possible = wanted;
  size_t end = top.size();
  while (end < path.size() && !possible.empty()) {
    const std::string ancestor = path.substr(0, end);
    Result<std::vector<std::string>> enabled = read_words(join(ancestor, "cgroup.subtree_control"));
    if (!enabled) {
      return std::unexpected(
          reword_missing(enabled.error(), join(ancestor, "cgroup.subtree_control")));
    }
    std::vector<std::string> missing;
    for (const std::string& name : possible) {
      if (std::ranges::find(*enabled, name) == enabled->end()) missing.push_back(name);
    }
    if (!missing.empty()) {
      for (const std::string& name : enable_in(ancestor, std::move(missing))) {
        std::erase(possible, name);
      }
    }
    end = std::min(path.find('/', end + 1), path.size());
  }
  return {};
}

Result<> enable_available_controllers(const std::string& path, std::string_view top_controllers) {
  Result<std::vector<std::string>> here = read_words(join(path, "cgroup.controllers"));
  if (!here) {
    return std::unexpected(reword_missing(here.error(), join(path, "cgroup.controllers")));
  }
  // The usual top answers without a look whether it is there.
  std::string_view usual = kUsualTops[1];
  const std::string top = path.starts_with(usual) ? std::string(usual) : top_of_tree(path);
  Result<std::vector<std::string>> all = top == usual && !top_controllers.empty()
                                             ? owned(words(top_controllers))
                                             : read_words(join(top, "cgroup.controllers"));
  if (!all) all = read_words(join(top_of_tree(path), "cgroup.controllers"));
  if (!all) return std::unexpected(reword_missing(all.error(), join(top, "cgroup.controllers")));
  std::erase_if(
      *all, [&](const std::string& name) { return std::ranges::find(*here, name) != here->end(); });
  if (all->empty()) return {};
  return enable_controllers(path, *all);
}

}  // namespace ocirt::cgroup
