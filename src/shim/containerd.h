// What the program does when containerd (or CRI-O) runs it: `start`, `delete`, -v and -info.
#pragma once

#include <span>
#include <string_view>

#include "src/base/result.h"
#include "src/shim/invocation.h"

namespace ocirt::shim {

// The whole of it; the exit status.
int run_for_containerd(std::string_view program, std::span<const char* const> words);

// Finds the shim of the container's group, or becomes it: prints its address.
Result<> start_shim(const Invocation& call);
// Takes away what is left of a container whose shim is gone, and prints a DeleteResponse.
Result<> delete_container(const Invocation& call);
// What it is and can do; `program` as it was run.
void print_version(std::string_view program);
Result<> print_info();

// Where the containers of a namespace are on record, unless the options say it.
std::string default_root(std::string_view name_space);
// The file in a bundle that says the address of its shim.
inline constexpr std::string_view kAddressFile = "address";

}  // namespace ocirt::shim
