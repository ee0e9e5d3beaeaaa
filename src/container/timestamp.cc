#include "src/container/timestamp.h"

#include <chrono>

#include "src/base/text.h"
#include "src/sys/clock.h"

namespace ocirt::container {
namespace {

void append_padded(std::string& out, int number, size_t width) {
  std::string digits = cat(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

}  // namespace

std::string rfc3339(timespec time) {
  // Not gmtime_r(3): it reads /etc/localtime first, which UTC does not need.
  using namespace std::chrono;
  const sys_seconds moment{seconds(time.tv_sec)};
  const sys_days day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss clock{moment - day};
  std::string out;
  append_padded(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_padded(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  out += '-';
  append_padded(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out += 'T';
  append_padded(out, static_cast<int>(clock.hours().count()), 2);
  out += ':';
  append_padded(out, static_cast<int>(clock.minutes().count()), 2);
  out += ':';
  append_padded(out, static_cast<int>(clock.seconds().count()), 2);
  out += '.';
  append_padded(out, static_cast<int>(time.tv_nsec), 9);
  out += 'Z';
  return out;
}

std::string rfc3339_now() { return rfc3339(sys::clock_now(CLOCK_REALTIME)); }

}  // namespace ocirt::container
