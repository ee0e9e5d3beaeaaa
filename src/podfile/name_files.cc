#include "src/podfile/name_files.h"

#include <algorithm>
#include <vector>

#include "src/base/text.h"

namespace ocirt::podfile {
namespace {

// resolv.conf(5) as values.
struct Resolver {
  std::vector<std::string> servers;
  std::vector<std::string> searches;
  std::vector<std::string> options;  // "ndots:2"
};

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trim(line)).empty()) {
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

Resolver parse(std::string_view text) {
  Resolver resolver;
  while (const auto line = next_line(text)) {
    const std::vector<std::string_view> words = words_of(*line);
    if (words.size() < 2) continue;
    const std::vector<std::string> values(words.begin() + 1, words.end());
    if (words[0] == "nameserver") resolver.servers.push_back(values[0]);
    if (words[0] == "search" || words[0] == "domain") resolver.searches = values;
    if (words[0] == "options") {
      resolver.options.insert(resolver.options.end(), values.begin(), values.end());
    }
  }
  return resolver;
}

void add(std::vector<std::string>& list, const std::string& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

bool is_local(const std::string& server) { return server.starts_with("127.") || server == "::1"; }

std::string line(std::string_view word, const std::vector<std::string>& values) {
  if (values.empty()) return {};
  std::string out(word);
  for (const std::string& value : values) out += cat(" ", value);
  return out + "\n";
}

}  // namespace

std::string hosts_text(const manifest::PodSpec& spec, std::string_view of_host) {
  std::string out;
  if (spec.host_network && !of_host.empty()) {
    out = of_host;
    if (!out.ends_with('\n')) out += '\n';
  } else {
    out = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  }
  for (const manifest::HostAlias& alias : spec.host_aliases) {
    out += alias.ip;
    for (const std::string& name : alias.hostnames) out += cat("\t", name);
    out += '\n';
  }
  return out;
}

bool has_only_local_servers(std::string_view resolv_conf) {
  const std::vector<std::string> servers = parse(resolv_conf).servers;
  return !servers.empty() && std::ranges::all_of(servers, is_local);
}

std::string resolv_text(const manifest::PodSpec& spec, std::string_view of_host) {
  Resolver resolver;
  if (spec.dns_policy != manifest::DnsPolicy::kNone) {
    resolver = parse(of_host);
    if (!spec.host_network) std::erase_if(resolver.servers, is_local);
  }
  if (spec.dns_config) {
    for (const std::string& server : spec.dns_config->nameservers) add(resolver.servers, server);
    for (const std::string& search : spec.dns_config->searches) add(resolver.searches, search);
    for (const manifest::DnsOption& option : spec.dns_config->options) {
      std::erase_if(resolver.options, [&](const std::string& old) {
        return old == option.name || old.starts_with(cat(option.name, ":"));
      });
      resolver.options.push_back(option.value ? cat(option.name, ":", *option.value) : option.name);
    }
  }
  std::string out;
  for (const std::string& server : resolver.servers) out += cat("nameserver ", server, "\n");
  out += line("search", resolver.searches);
  out += line("options", resolver.options);
  return out;
}

}  // namespace ocirt::podfile
