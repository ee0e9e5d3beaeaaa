#include "src/net/subnet.h"

#include <arpa/inet.h>

#include <algorithm>

#include "src/base/text.h"

namespace ocirt::net {
namespace {

constexpr uint32_t kFirstSecondByte = 130, kLastSecondByte = 159;
constexpr uint32_t kMostNumbers = 1u << 20;  // no host has more pods; keeps IPv6's in 32 bits

bool is_free(const Subnet& wanted, const std::vector<Subnet>& used) {
  return std::ranges::none_of(used, [&](const Subnet& other) { return overlap(wanted, other); });
}

}  // namespace

std::optional<Subnet> parse_address(std::string_view text) {
  Subnet address;
  address.v6 = text.contains(':');
  address.length = address.bits();
  const std::string whole(text);
  if (::inet_pton(address.v6 ? AF_INET6 : AF_INET, whole.c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

Result<Subnet> parse_subnet(std::string_view text) {
  const size_t slash = text.find('/');
  std::optional<Subnet> subnet = parse_address(text.substr(0, slash));
  if (!subnet) return refuse(cat("not a subnet: ", quoted(text)));
  if (slash != std::string_view::npos) {
    const std::optional<uint8_t> length = to_number<uint8_t>(text.substr(slash + 1));
    if (!length || *length > subnet->bits()) return refuse(cat("not a subnet: ", quoted(text)));
    subnet->length = *length;
  }
  const std::array<uint8_t, 16> mask = mask_of(*subnet);
  for (size_t i = 0; i < subnet->size(); ++i) {
    if ((subnet->bytes[i] & ~mask[i]) != 0) {
      return refuse(cat("not a subnet: ", quoted(text), " has bits behind its prefix"));
    }
  }
  return *subnet;
}

std::string address_text(const Subnet& address) {
  char text[INET6_ADDRSTRLEN] = "?";
  (void)::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string subnet_text(const Subnet& subnet) {
  return cat(address_text(subnet), "/", subnet.length);
}

std::array<uint8_t, 16> mask_of(const Subnet& subnet) {
  std::array<uint8_t, 16> mask = {};
  for (unsigned bit = 0; bit < subnet.length; ++bit) {
    mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | (0x80u >> (bit % 8)));
  }
  return mask;
}

bool overlap(const Subnet& one, const Subnet& other) {
  if (one.v6 != other.v6) return false;
  const std::array<uint8_t, 16> mask = mask_of(one.length < other.length ? one : other);
  for (size_t i = 0; i < one.size(); ++i) {
    if (((one.bytes[i] ^ other.bytes[i]) & mask[i]) != 0) return false;
  }
  return true;
}

Subnet address_at(const Subnet& subnet, uint32_t number) {
  Subnet address = subnet;
  address.length = subnet.bits();
  for (size_t i = subnet.size(); number != 0 && i > 0; number >>= 8) {
    --i;
    address.bytes[i] = static_cast<uint8_t>(address.bytes[i] | (number & 0xff));
  }
  return address;
}

uint32_t last_number(const Subnet& subnet) {
  const unsigned bits = subnet.bits() - subnet.length;
  if (bits >= 20) return kMostNumbers;
  const uint32_t count = 1u << bits;
  return count > 2 ? count - 2 : 0;
}

std::optional<Subnet> choose_subnet4(const std::vector<Subnet>& used) {
  for (uint32_t second = kFirstSecondByte; second <= kLastSecondByte; ++second) {
    Subnet subnet;
    subnet.length = 16;
    subnet.bytes[0] = 10;
    subnet.bytes[1] = static_cast<uint8_t>(second);
    if (is_free(subnet, used)) return subnet;
  }
  return std::nullopt;
}

std::optional<Subnet> choose_subnet6(const std::vector<Subnet>& used, std::string_view seed) {
  const uint64_t global_id = hash_of(seed);
  for (unsigned id = 0; id < 256; ++id) {
    Subnet subnet;
    subnet.v6 = true;
    subnet.length = 64;
    subnet.bytes[0] = 0xfd;
    for (size_t i = 0; i < 5; ++i) {
      subnet.bytes[1 + i] = static_cast<uint8_t>(global_id >> (8 * i));
    }
    subnet.bytes[7] = static_cast<uint8_t>(id);
    if (is_free(subnet, used)) return subnet;
  }
  return std::nullopt;
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace ocirt::net
