#include "src/base/fd.h"

#include <bit>
#include <cstdint>

namespace ocirt {
namespace {

// The one thing that a process knows about itself as a whole: that it ends.
constinit bool leaving = false;

// And what is still open though its owner has given it up: a bit for each of the lowest numbers.
constinit bool grouping = false;
constinit uint64_t group = 0;
constexpr int kNumbers = 64;
constexpr int kMostInGroup = 16;  // a command that goes on for long shall not collect them

}  // namespace

void UniqueFd::leave_open() { leaving = true; }

bool UniqueFd::is_leaving() { return leaving; }

void UniqueFd::close_unless_leaving(int fd) {
  if (!leaving) ::close(fd);
}

void UniqueFd::close_in_groups() { grouping = true; }

void UniqueFd::close_later() {
  if (!grouping || fd_ >= kNumbers || std::popcount(group) >= kMostInGroup) {
    reset();
  } else if (fd_ >= 0) {
    group |= uint64_t{1} << std::exchange(fd_, -1);
  }
}

void UniqueFd::close_group() {
  uint64_t rest = std::exchange(group, 0);
  for (unsigned first = 0; rest != 0;) {
    first += static_cast<unsigned>(std::countr_zero(rest >> first));
    const auto count = static_cast<unsigned>(std::countr_one(rest >> first));
    const unsigned last = first + count - 1;
    if (::close_range(first, last, 0) < 0) {  // an older kernel, or a filter
      for (unsigned fd = first; fd <= last; ++fd) ::close(static_cast<int>(fd));
    }
    rest &= ~(~uint64_t{0} >> (kNumbers - count) << first);
  }
}

}  // namespace ocirt
