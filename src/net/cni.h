// CNI (github.com/containernetworking/cni, SPEC.md): configurations of networks, what a plugin gets
// from them, what its result says. Pure but for reading the directory; running plugins is
// plugin.h's, their order pod_cni.h's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/net/json.h"
#include "src/net/pod_request.h"

namespace ocirt::net {

// The configuration of that name: of the files *.conflist, *.conf and *.json of the directory, the
// first in alphabetical order that has it. A *.conf is a list of one plugin. The error lists the
// names that there are.
Result<Json> find_cni_list(const std::string& directory, std::string_view name);

// The same for the text of one file; `is_list` for a *.conflist.
Result<Json> read_cni_list(std::string_view text, bool is_list);

std::span<const Json> plugins_of(const Json& list);

// "0.4.0" <= version of the list? A list without a version is of 0.1.0.
bool is_at_least(const Json& list, unsigned major, unsigned minor);

// Whether a plugin of the list publishes ports.
bool publishes_ports(const Json& list);

// What plugin `index` reads on its standard input. `result` is that of the one before it, or the
// whole list's (CHECK, DEL); empty: none yet.
std::string plugin_configuration(const Json& list, size_t index, const std::vector<PodPort>& ports,
                                 std::string_view result);

// Addresses, gateways and name servers of a result, of versions 0.1.0 to 1.1.0.
Result<> read_cni_result(std::string_view text, PodNetwork& network);

// The sentence that a plugin says when it fails: its JSON's msg and details, or the last line of
// what it wrote.
std::string cni_error(std::string_view output, std::string_view errors);

}  // namespace ocirt::net
