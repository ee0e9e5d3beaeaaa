#include "src/container/pidfd_socket.h"

#include "src/sys/socket.h"

namespace ocirt::container {

Result<std::vector<UniqueFd>> connect_pidfd_sockets(const std::string& option,
                                                    const std::string& annotation, int limit_ms) {
  std::vector<UniqueFd> sockets;
  if (!option.empty()) {
    UniqueFd socket = TRY(within("--pidfd-socket", sys::connect_stream_within(option, limit_ms)));
    sockets.push_back(std::move(socket));
  }
  if (!annotation.empty()) {
    UniqueFd socket = TRY(within("annotations: run.oci.pidfd_receiver",
                                 sys::connect_stream_within(annotation, limit_ms)));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

Result<> send_pidfd(std::span<const UniqueFd> sockets, Fd pidfd, std::string_view what) {
  for (const UniqueFd& socket : sockets) {
    TRY(within("pidfd socket", sys::send_message(socket, what, pidfd)));
  }
  return {};
}

}  // namespace ocirt::container
