// What a container uses of the host's RDMA adapters, for Stats: the kernel's rdma.current and
// rdma.max (Documentation/admin-guide/cgroup-v2.rst, "RDMA"), the same on v1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/linux/cgroup/cgroup.h"

namespace ocirt::shim {

struct RdmaDevice {
  std::string name;
  uint32_t handles = 0;
  uint32_t objects = 0;
};

struct RdmaUse {
  std::vector<RdmaDevice> current;
  std::vector<RdmaDevice> limit;  // UINT32_MAX: none
};

// "mlx4_0 hca_handle=2 hca_object=max", a line each; a line that is none of these is left out.
std::vector<RdmaDevice> parse_rdma(std::string_view text);

// Empty where the controller or an adapter is missing, as nearly everywhere.
RdmaUse read_rdma(const cgroup::Location& location);

}  // namespace ocirt::shim
