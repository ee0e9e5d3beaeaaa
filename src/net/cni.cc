#include "src/net/cni.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/sys/file.h"

namespace ocirt::net {
namespace {

constexpr std::string_view kPorts = "portMappings";

bool has_capability(const Json& plugin, std::string_view name) {
  const Json* capabilities = plugin.find("capabilities");
  return capabilities != nullptr && capabilities->is_true(name);
}

Json port_mappings(const std::vector<PodPort>& ports) {
  Json list = Json::list();
  for (const PodPort& port : ports) {
    Json mapping = Json::object();
    mapping.set("hostPort", Json::number(port.host_port));
    mapping.set("containerPort", Json::number(port.pod_port));
    mapping.set("protocol", Json::string(kPodProtocolNames[static_cast<size_t>(port.protocol)]));
    if (!port.host_ip.empty()) mapping.set("hostIP", Json::string(port.host_ip));
    list.items.push_back(std::move(mapping));
  }
  return list;
}

void add_texts(const Json* list, std::vector<std::string>& texts) {
  if (list == nullptr) return;
  for (const Json& item : list->items) {
    if (item.kind == Json::Kind::kString) texts.push_back(item.text);
  }
}

void add_address(const Json& ip, std::string_view name, PodNetwork& network) {
  if (const std::string_view address = ip.text_of(name); !address.empty()) {
    network.addresses.emplace_back(address);
  }
  if (const std::string_view gateway = ip.text_of("gateway"); !gateway.empty()) {
    network.gateways.emplace_back(gateway);
  }
}

std::string one_line(std::string_view text) {
  std::string line(trim(text));
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace

Result<Json> read_cni_list(std::string_view text, bool is_list) {
  Json read = TRY(parse_json(text));
  if (read.text_of("name").empty()) return refuse("it has no name");
  if (!is_list) {
    Json list = Json::object();
    for (std::string_view member : {"cniVersion", "name"}) {
      if (const Json* found = read.find(member)) list.set(member, *found);
    }
    Json plugins = Json::list();
    plugins.items.push_back(std::move(read));
    list.set("plugins", std::move(plugins));
    read = std::move(list);
  }
  if (plugins_of(read).empty()) return refuse("it has no plugins");
  for (const Json& plugin : plugins_of(read)) {
    const std::string_view type = plugin.text_of("type");
    if (type.empty()) return refuse("a plugin has no type");
    if (type.contains('/')) return refuse(cat("type ", quoted(type), ": must be a file's name"));
  }
  return read;
}

Result<Json> find_cni_list(const std::string& directory, std::string_view name) {
  Result<std::vector<std::string>> files = sys::list_directory(sys::kCwd, directory);
  if (!files) return std::unexpected(within("CNI configurations", std::move(files)).error());
  std::ranges::sort(*files);
  std::string others;
  for (const std::string& file : *files) {
    const bool is_list = file.ends_with(".conflist");
    if (!is_list && !file.ends_with(".conf") && !file.ends_with(".json")) continue;
    const std::string path = cat(directory, "/", file);
    const Result<std::string> text = sys::read_file(sys::kCwd, path);
    Result<Json> list =
        text ? read_cni_list(*text, is_list) : Result<Json>(std::unexpected(text.error()));
    if (list && list->text_of("name") == name) return list;
    others += cat(others.empty() ? "" : ", ",
                  list ? std::string(list->text_of("name"))
                       : cat(file, " (cannot be used: ", list.error().text, ")"));
  }
  return refuse(cat("no CNI configuration in ", directory, " is named ", quoted(name),
                    others.empty() ? "" : "; there are: ", others));
}

std::span<const Json> plugins_of(const Json& list) {
  const Json* plugins = list.find("plugins");
  if (plugins == nullptr) return {};
  return plugins->items;
}

bool is_at_least(const Json& list, unsigned major, unsigned minor) {
  const std::vector<std::string_view> parts = split(list.text_of("cniVersion"), '.');
  const unsigned first = to_number<unsigned>(parts[0]).value_or(0);
  const unsigned second = parts.size() > 1 ? to_number<unsigned>(parts[1]).value_or(0) : 1;
  return first != major ? first > major : second >= minor;
}

bool publishes_ports(const Json& list) {
  return std::ranges::any_of(plugins_of(list),
                             [](const Json& plugin) { return has_capability(plugin, kPorts); });
}

std::string plugin_configuration(const Json& list, size_t index, const std::vector<PodPort>& ports,
                                 std::string_view result) {
  Json plugin = plugins_of(list)[index];
  for (std::string_view member : {"cniVersion", "name"}) {
    if (const Json* found = list.find(member)) plugin.set(member, *found);
  }
  if (has_capability(plugin, kPorts) && !ports.empty()) {
    Json runtime = Json::object();
    if (const Json* given = plugin.find("runtimeConfig")) runtime = *given;
    runtime.set(kPorts, port_mappings(ports));
    plugin.set("runtimeConfig", std::move(runtime));
  }
  if (!result.empty()) {
    if (Result<Json> before = parse_json(result)) plugin.set("prevResult", *std::move(before));
  }
  return write_json(plugin);
}

Result<> read_cni_result(std::string_view text, PodNetwork& network) {
  const Json result = TRY(parse_json(text));
  if (const Json* ips = result.find("ips")) {
    for (const Json& ip : ips->items) add_address(ip, "address", network);
  }
  for (std::string_view old : {"ip4", "ip6"}) {
    if (const Json* ip = result.find(old)) add_address(*ip, "ip", network);
  }
  if (const Json* dns = result.find("dns")) {
    add_texts(dns->find("nameservers"), network.nameservers);
    add_texts(dns->find("search"), network.searches);
  }
  return {};
}

std::string cni_error(std::string_view output, std::string_view errors) {
  if (const Result<Json> said = parse_json(output)) {
    const std::string_view message = said->text_of("msg");
    const std::string_view details = said->text_of("details");
    if (!message.empty()) {
      return one_line(details.empty() ? std::string(message) : cat(message, " (", details, ")"));
    }
  }
  const std::string_view text = trim(trim(errors).empty() ? output : errors);
  const std::string_view last = text.substr(text.rfind('\n') + 1);
  return last.empty() ? "it does not say why" : one_line(last.substr(0, 300));
}

}  // namespace ocirt::net
