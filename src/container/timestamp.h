// Points in time as text. Engines decode `created` of the state and `time` of the log with a strict
// RFC 3339 reader, and lose the whole document over a wrong one.
#pragma once

#include <ctime>
#include <string>

namespace ocirt::container {

// "2024-02-29T23:59:59.000000001Z": RFC 3339 in UTC, always with nine digits of nanoseconds, so
// that the texts of one host sort by time. Takes seconds since 1970, years 0 to 9999.
std::string rfc3339(timespec time);

// The present.
std::string rfc3339_now();

}  // namespace ocirt::container
