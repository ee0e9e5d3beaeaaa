// The words of a plan as the program that seccomp(2) loads.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV  // Linux 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace ocirt::init {

inline sock_fprog filter_program(std::span<const uint64_t> words) {
  return {static_cast<unsigned short>(words.size()),
          reinterpret_cast<sock_filter*>(const_cast<uint64_t*>(words.data()))};
}

}  // namespace ocirt::init
