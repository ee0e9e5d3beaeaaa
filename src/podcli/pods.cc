#include "src/podcli/pods.h"

#include <algorithm>
#include <cerrno>

#include "src/base/text.h"
#include "src/podcli/shim.h"
#include "src/sys/file.h"

namespace ocirt::podcli {

pod::Layout layout_of(const Globals& globals, std::string_view pod) {
  return {globals.root, pod, globals.state_dir};
}

Result<std::vector<std::string>> list_pods(const Globals& globals) {
  Result<std::vector<std::string>> names = sys::list_directory(sys::kCwd, globals.root);
  if (!names && names.error().code == ENOENT) return std::vector<std::string>{};
  if (!names) return names;
  std::erase_if(*names, [&](const std::string& name) {
    return !pod::is_dns_label(name) ||
           sys::is_absent(sys::kCwd, layout_of(globals, name).complete());
  });
  std::ranges::sort(*names);
  return names;
}

Result<std::string> unabbreviated(const std::vector<std::string>& names, std::string_view text,
                                  std::string_view what) {
  std::vector<std::string> matches;
  for (const std::string& name : names) {
    if (name == text) return name;
    if (!text.empty() && name.starts_with(text)) matches.push_back(name);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.empty())
    return std::unexpected(Error{ENOENT, cat("there is no ", what, " ", quoted(text))});
  std::string all;
  for (const std::string& match : matches) all += cat(all.empty() ? "" : ", ", match);
  return refuse(cat(quoted(text), " is the beginning of several names: ", all));
}

Result<std::string> find_pod(const Globals& globals, std::string_view text) {
  const std::vector<std::string> names = TRY(list_pods(globals));
  return unabbreviated(names, text, "pod");
}

Result<std::vector<std::string>> find_pods(const Globals& globals,
                                           std::span<const std::string_view> arguments, bool all) {
  if (all) return list_pods(globals);
  if (arguments.empty())
    return cli::usage_error("an argument is missing, expected POD... or --all");
  std::vector<std::string> pods;
  for (std::string_view argument : arguments) {
    std::string name = TRY(find_pod(globals, argument));
    if (std::ranges::find(pods, name) == pods.end()) pods.push_back(std::move(name));
  }
  return pods;
}

Result<Target> find_target(const Globals& globals, std::string_view text) {
  const size_t slash = text.find('/');
  Target target;
  target.pod = TRY(find_pod(globals, text.substr(0, slash)));
  if (slash != std::string_view::npos) target.container = text.substr(slash + 1);
  return target;
}

Result<std::string> container_of(const pod::Pod& pod, std::string_view text) {
  std::vector<std::string> names;
  for (const pod::Container& container : pod.containers) {
    if (text.empty() && container.role == pod::Role::kApp) return container.name;
    names.push_back(container.name);
  }
  return within(cat("pod ", pod.name), unabbreviated(names, text, "container"));
}

Result<pod::Pod> read_pod_json(const pod::Layout& layout) {
  const std::string path = layout.pod_json();
  const std::string text = TRY(sys::read_file(sys::kCwd, path, 4 << 20));
  return pod::read_pod(text, path);
}

Result<PodView> look(const Globals& globals, const std::string& name) {
  PodView view{.layout = layout_of(globals, name), .pod = {}, .status = {}};
  view.pod = TRY(read_pod_json(view.layout));
  Shim shim = TRY(Shim::reach(globals, name));
  view.status = TRY(shim.status());
  return view;
}

}  // namespace ocirt::podcli
