#include "src/net/pod_cni.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "src/base/text.h"
#include "src/net/cni.h"
#include "src/net/plugin.h"
#include "src/net/pod_listeners.h"
#include "src/net/pod_netns.h"
#include "src/net/pool.h"

namespace ocirt::net {
namespace {

constexpr std::string_view kInterface = "eth0";
constexpr std::string_view kPoolName = "cni";  // the pool of these pods has ports only

// One pod's conversation with the plugins of its list.
class Conversation {
 public:
  Conversation(const PodRequest& request, const Json& list) : request_(request), list_(list) {}

  // The last plugin's result.
  Result<std::string> add() const {
    std::string result;
    for (size_t i = 0; i < plugins_of(list_).size(); ++i) {
      result = TRY(ask("ADD", i, result));
      const Result<Json> read = parse_json(result);
      if (!read) return refuse(cat(place(i), ": ADD: its result: ", read.error().text));
    }
    return result;
  }

  Result<> remove(std::string_view result, bool force) const {
    // Plugins before 0.4.0 know no result here.
    if (!is_at_least(list_, 0, 4)) result = {};
    Result<> first;
    for (size_t i = plugins_of(list_).size(); i-- > 0;) {
      Result<std::string> removed = ask("DEL", i, result);
      if (!removed && first && !force) first = std::unexpected(std::move(removed).error());
    }
    return first;
  }

  Result<> check(std::string_view result) const {
    if (!is_at_least(list_, 0, 4) || list_.is_true("disableCheck")) return {};
    for (size_t i = 0; i < plugins_of(list_).size(); ++i) TRY(ask("CHECK", i, result));
    return {};
  }

 private:
  std::string place(size_t index) const {
    return cat("CNI network ", request_.cni, ": plugin ", plugins_of(list_)[index].text_of("type"));
  }

  std::vector<std::string> environment(std::string_view command) const {
    const char* path = ::getenv("PATH");
    // A plugin that takes a namespace for gone wants an empty variable.
    const std::string netns = is_netns(request_.netns) ? request_.netns : std::string();
    const std::string id = cat(request_.name, "-", request_.uid);
    return {cat("CNI_COMMAND=", command),
            cat("CNI_CONTAINERID=", id),
            cat("CNI_NETNS=", netns),
            cat("CNI_IFNAME=", kInterface),
            cat("CNI_PATH=", request_.cni_path),
            cat("CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=", request_.name,
                ";K8S_POD_UID=", request_.uid, ";K8S_POD_INFRA_CONTAINER_ID=", id),
            cat("PATH=", path != nullptr ? std::string_view(path)
                                         : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
                                           "sbin:/bin")};
  }

  Result<std::string> ask(std::string_view command, size_t index, std::string_view result) const {
    const std::string where = cat(place(index), ": ", command);
    const std::string program = TRY(
        within(where, find_plugin(request_.cni_path, plugins_of(list_)[index].text_of("type"))));
    PluginOutcome outcome = TRY(within(
        where, run_plugin(program, plugin_configuration(list_, index, request_.ports, result),
                          environment(command),
                          static_cast<int>(request_.plugin_timeout_seconds) * 1000)));
    if (outcome.code != 0)
      return refuse(cat(where, ": ", cni_error(outcome.output, outcome.errors)));
    return std::move(outcome.output);
  }

  const PodRequest& request_;
  const Json& list_;
};

// Host ports are checked and taken under the lock of all pools; plugins run without it, since they
// may take their time. The namespace is made here, for an entry without one counts for nothing.
Result<> begin(const PodRequest& request) {
  PoolFile file = TRY(PoolFile::open(request.pool, kPoolName));
  std::erase_if(file.pool.pods, [&](const PoolPod& pod) {
    return (pod.directory == request.directory && is_in_sight(pod)) || !is_alive(pod);
  });
  Result<> begun = file.check_ports(request.name, request.ports);
  if (begun) begun = within(cat("pod ", request.name), check_unused(request.ports));
  if (begun) begun = make_netns(request.netns);
  if (begun && !request.ports.empty()) {
    file.pool.pods.push_back({.name = request.name,
                              .uid = request.uid,
                              .directory = request.directory,
                              .netns = request.netns,
                              .number = 2,
                              .ports = request.ports});
    mark_as_made_here(file.pool.pods.back());
    begun = file.save();
    if (!begun) (void)remove_netns(request.netns);
  }
  if (!file.pool.pods.empty()) return begun;
  Result<> removed = file.remove();
  return begun ? removed : begun;
}

Result<> leave_ports(const PodRequest& request) {
  PoolFile file = TRY(PoolFile::open(request.pool, kPoolName));
  std::erase_if(file.pool.pods,
                [&](const PoolPod& pod) { return pod.is(request.name, request.uid); });
  if (!file.pool.pods.empty()) return file.save();
  return file.remove();
}

Result<> add_all(PodRecord& record, const Json& list) {
  record.cni_result = TRY(Conversation(record.request, list).add());
  TRY(read_cni_result(record.cni_result, record.network));
  record.complete = true;
  return save_record(record);
}

}  // namespace

Result<> cni_up(PodRecord& record) {
  const PodRequest& request = record.request;
  const Json list = TRY(find_cni_list(request.cni_directory, request.cni));
  for (const Json& plugin : plugins_of(list)) {
    TRY(within(cat("CNI network ", request.cni),
               find_plugin(request.cni_path, plugin.text_of("type"))));
  }
  if (!request.ports.empty() && !publishes_ports(list)) {
    return refuse(cat("not supported: published ports: no plugin of CNI network ", request.cni,
                      " has the capability portMappings"));
  }
  record.cni_configuration = write_json(list);
  record.network.netns = request.netns;
  record.network.interface = kInterface;
  record.network.ports = request.ports;
  TRY(save_record(record));
  Result<> made = begin(request);
  if (!made) {
    (void)remove_record(request.directory);
    return made;
  }
  made = add_all(record, list);
  if (made) return {};
  Result<> undone = cni_down(record, false);
  if (undone) undone = remove_record(request.directory);
  if (!undone) made.error().text += cat("; then, while undoing this: ", undone.error().text);
  return made;
}

Result<> cni_down(const PodRecord& record, bool force) {
  const PodRequest& request = record.request;
  const Json list = TRY(parse_json(record.cni_configuration));
  TRY(Conversation(request, list).remove(record.cni_result, force));
  TRY(remove_netns(request.netns));
  return leave_ports(request);
}

Result<> cni_check(const PodRecord& record) {
  const Json list = TRY(parse_json(record.cni_configuration));
  return Conversation(record.request, list).check(record.cni_result);
}

}  // namespace ocirt::net
