// Subnets of the pods' bridge: which one is free on this host, and its addresses by number. A pod
// has one number, which is the end of its IPv4 and of its IPv6 address alike. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::net {

struct Subnet {
  bool v6 = false;
  uint8_t length = 0;                  // of the prefix, in bits
  std::array<uint8_t, 16> bytes = {};  // network order; IPv4 uses four; no bits behind the prefix
  bool operator==(const Subnet&) const = default;

  uint8_t bits() const { return v6 ? 128 : 32; }
  size_t size() const { return v6 ? 16 : 4; }
};

// An address, or a subnet; bits behind the prefix are an error.
Result<Subnet> parse_subnet(std::string_view text);
std::string subnet_text(const Subnet& subnet);

// The whole of one address, as a "subnet" of full length.
std::optional<Subnet> parse_address(std::string_view text);
std::string address_text(const Subnet& address);

bool overlap(const Subnet& one, const Subnet& other);

// The address with that number: 1 is the bridge's. It must be at most last_number().
Subnet address_at(const Subnet& subnet, uint32_t number);
// The last number that a pod can have: IPv4's last address is that of all.
uint32_t last_number(const Subnet& subnet);
// The first bytes of a mask of that length.
std::array<uint8_t, 16> mask_of(const Subnet& subnet);

// The first subnet of the list that meets none of those in use.
// IPv4: 10.130.0.0/16 to 10.159.0.0/16, where neither docker (172.17.0.0), podman (10.88.0.0), k3s
// (10.42.0.0) nor kubeadm (10.96.0.0, 10.244.0.0) begins.
std::optional<Subnet> choose_subnet4(const std::vector<Subnet>& used);
// IPv6: unique local (RFC 4193), its global id made from `seed`, so that a host keeps it.
std::optional<Subnet> choose_subnet6(const std::vector<Subnet>& used, std::string_view seed);

// FNV-1a: for names that have to be short.
uint64_t hash_of(std::string_view text);

}  // namespace ocirt::net
