#include "src/podfile/environment.h"

#include <algorithm>

#include "src/base/text.h"
#include "src/pod/addresses.h"
#include "src/podfile/quantity.h"

namespace ocirt::podfile {
namespace {

// 'NAME' in brackets behind `what`: metadata.labels['NAME'].
std::optional<std::string_view> subscript(std::string_view path, std::string_view what) {
  if (!path.starts_with(what)) return std::nullopt;
  path.remove_prefix(what.size());
  if (path.size() < 5 || !path.starts_with("['") || !path.ends_with("']")) return std::nullopt;
  return path.substr(2, path.size() - 4);
}

std::string value_or_empty(const oci::Map<std::string>& map, std::string_view key) {
  const std::string* value = map.find(key);
  return value == nullptr ? std::string{} : *value;
}

const manifest::Container* find_container(const manifest::PodSpec& spec, std::string_view name) {
  for (const auto* list : {&spec.init_containers, &spec.containers}) {
    const auto at = std::ranges::find(*list, name, &manifest::Container::name);
    if (at != list->end()) return &*at;
  }
  return nullptr;
}

// check.cc has seen to it that what is not optional is there.
std::optional<std::string> value_of(const File& file, const manifest::Container& own,
                                    const manifest::EnvSource& source, const PodFacts& facts) {
  if (source.field_ref) return field_value(file.pod, source.field_ref->field_path, facts);
  if (source.resource_field_ref) {
    Result<std::string> value = resource_value(file.pod.spec, own, *source.resource_field_ref);
    return value ? std::optional(*std::move(value)) : std::nullopt;
  }
  const auto look_up = [](const auto* document, const manifest::KeySelector& selector) {
    const std::string* value = document == nullptr ? nullptr : value_in(*document, selector.key);
    return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
  };
  if (source.config_map_key_ref) {
    const manifest::KeySelector& selector = *source.config_map_key_ref;
    return look_up(file.config_map(selector.name), selector);
  }
  if (source.secret_key_ref) {
    return look_up(file.secret(source.secret_key_ref->name), *source.secret_key_ref);
  }
  return std::nullopt;
}

template <class Document>
void add_all(Environment& environment, const Document& document, std::string_view prefix) {
  for (const auto& [key, value] : document.data) {
    const std::string name = cat(prefix, key);
    if (is_variable_name(name) && value_in(document, key) != nullptr) environment.set(name, value);
  }
}

}  // namespace

bool is_variable_name(std::string_view name) { return !name.empty() && !name.contains('='); }

std::string expand(std::string_view text, const Environment& known) {
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.starts_with('(') ? text.find(')') : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += '$';
      continue;
    }
    // One that is not known stays whole: what looks like another one in it is part of its name.
    const std::string* value = known.find(text.substr(1, end - 1));
    out += value != nullptr ? *value : cat("$", text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return out;
}

std::optional<std::string> field_value(const manifest::Pod& pod, std::string_view path,
                                       const PodFacts& facts) {
  if (path == "metadata.name") return pod.metadata.name;
  if (path == "metadata.namespace") return "default";
  if (path == "metadata.uid") return pod.metadata.uid ? *pod.metadata.uid : std::string(facts.uid);
  if (auto key = subscript(path, "metadata.labels")) {
    return value_or_empty(pod.metadata.labels, *key);
  }
  if (auto key = subscript(path, "metadata.annotations")) {
    return value_or_empty(pod.metadata.annotations, *key);
  }
  if (path == "spec.nodeName") return std::string(facts.node);
  if (path == "status.podIP") return std::string(pod::kPodIp);
  if (path == "status.podIPs") return std::string(pod::kPodIps);
  return std::nullopt;
}

Result<std::string> resource_value(const manifest::PodSpec& spec, const manifest::Container& own,
                                   const manifest::ResourceSelector& selector) {
  const manifest::Container* container = &own;
  if (selector.container_name) {
    container = find_container(spec, *selector.container_name);
    if (container == nullptr)
      return refuse(cat("there is no container ", quoted(*selector.container_name)));
  }
  const bool limit = selector.resource.starts_with("limits.");
  const std::string_view kind =
      std::string_view(selector.resource).substr(selector.resource.find('.') + 1);
  if ((!limit && !selector.resource.starts_with("requests.")) ||
      (kind != "cpu" && kind != "memory")) {
    return refuse(cat("not supported: ", quoted(selector.resource),
                      "; there are limits.cpu, limits.memory, requests.cpu and requests.memory"));
  }
  const manifest::Resources resources = container->resources.value_or(manifest::Resources());
  const std::string* text = limit ? nullptr : resources.requests.find(kind);
  if (text == nullptr) text = resources.limits.find(kind);
  if (text == nullptr)
    return refuse(cat("container ", container->name, " has no resources.", selector.resource));
  const auto read = kind == "cpu" ? thousandths : units;
  // Kubernetes writes 0 where none was said.
  const std::string divisor = selector.divisor.value_or("1");
  const int64_t by = TRY(read(divisor == "0" ? "1" : divisor));
  if (by <= 0) return refuse(cat("the divisor ", quoted(divisor), " is not above 0"));
  const int64_t all = TRY(read(*text));
  return cat(all / by + (all % by != 0 ? 1 : 0));
}

bool wants_addresses(const manifest::PodSpec& spec) {
  const auto asks = [](const manifest::EnvVar& variable) {
    return variable.value_from && variable.value_from->field_ref &&
           variable.value_from->field_ref->field_path.starts_with("status.podIP");
  };
  const auto has_one = [&](const manifest::Container& container) {
    return std::ranges::any_of(container.env, asks);
  };
  return std::ranges::any_of(spec.init_containers, has_one) ||
         std::ranges::any_of(spec.containers, has_one);
}

Environment environment_of(const File& file, const manifest::Container& container,
                           const PodFacts& facts) {
  Environment environment;
  for (const manifest::EnvFrom& from : container.env_from) {
    if (from.config_map_ref) {
      if (const auto* map = file.config_map(from.config_map_ref->name)) {
        add_all(environment, *map, from.prefix);
      }
    } else if (from.secret_ref) {
      if (const auto* secret = file.secret(from.secret_ref->name)) {
        add_all(environment, *secret, from.prefix);
      }
    }
  }
  for (const manifest::EnvVar& variable : container.env) {
    if (variable.value_from) {
      // An optional source that is absent leaves the variable out.
      if (auto value = value_of(file, container, *variable.value_from, facts)) {
        environment.set(variable.name, *std::move(value));
      }
    } else {
      environment.set(variable.name, expand(variable.value.value_or(""), environment));
    }
  }
  return environment;
}

}  // namespace ocirt::podfile
