// What went less than well without being a failure. Library code prints nothing: it returns these
// sentences, and the front end decides who sees them.
#pragma once

#include <string>
#include <vector>

namespace ocirt::container {

using Warnings = std::vector<std::string>;

}  // namespace ocirt::container
