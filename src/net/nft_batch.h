// A transaction of nftables (linux/netfilter/nf_tables.h), written as the kernel reads it: all of
// it takes effect at once or nothing does.
//
// Neither libnftnl nor the program nft is used. A library more would only nest attributes, which
// is the least of it, and nft would have to be installed where ocirt runs, costs an exec, and reads
// a language that differs between its versions; docs/design.md has what was measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace ocirt::net {

class NftBatch {
 public:
  NftBatch();

  // A message about the table's family "inet". `what` names it in errors.
  void begin(uint16_t type, uint16_t flags, std::string_view what);
  void end();

  void put(uint16_t type, std::string_view bytes);
  void put_name(uint16_t type, std::string_view name);  // ends in NUL
  void put_number(uint16_t type, uint32_t number);      // network order
  // A nested attribute, until the close() with what open() returned.
  size_t open(uint16_t type);
  void close(size_t at);

  // Sends it, in the network namespace of this process, and returns the kernel's verdict.
  Result<> commit();

 private:
  void header(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource);
  void align();
  std::string_view name_of(uint32_t sequence) const;

  std::string bytes_;
  std::string names_;  // one line per message, in their order
  size_t message_ = 0;
  uint32_t sequence_ = 0;
};

}  // namespace ocirt::net
