// A client that says what a well-behaved one never would: frames that are malformed, cut, too long
// or out of order, and calls that are left alone. It reads every answer that comes, in whatever
// order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/wire/envelope.h"
#include "src/wire/frame.h"
#include "src/wire/messages.h"

namespace harness {

class RawClient {
 public:
  explicit RawClient(const std::string& socket);

  struct Got {
    uint32_t stream = 0;
    ocirt::wire::Answer answer;
    // Of a call of many messages: one of them, which is answer.payload, and their end.
    bool is_message = false, is_last = false;
  };

  // A whole frame of type request.
  static std::string request(uint32_t stream, std::string_view service, std::string_view method,
                             std::string_view payload = {}, std::chrono::nanoseconds timeout = {});
  template <ocirt::wire::Message M>
  static std::string request(uint32_t stream, std::string_view service, std::string_view method,
                             const M& message, std::chrono::nanoseconds timeout = {}) {
    return request(stream, service, method, std::string_view(ocirt::wire::pack(message)), timeout);
  }

  // One message of a call of many, or the end of them; a request that says that they will come.
  static std::string message(uint32_t stream, std::string_view payload);
  static std::string last(uint32_t stream);
  static std::string opening(uint32_t stream, std::string_view service, std::string_view method);

  // Sends all of it; false when the server has closed, or has not read for so long.
  bool send(std::string_view bytes);
  void be_patient_for(std::chrono::nanoseconds time) { patience_ = time; }
  // The next answer; fails the test after a minute. Stream 0 when the connection has ended.
  Got next();
  // The same, for one call.
  ocirt::wire::Answer call(std::string_view service, std::string_view method,
                           std::string_view payload = {});
  template <ocirt::wire::Message M>
  ocirt::wire::Answer call(std::string_view service, std::string_view method, const M& message) {
    return call(service, method, std::string_view(ocirt::wire::pack(message)));
  }
  // Whether an answer comes within this time.
  bool is_quiet_for(std::chrono::milliseconds time);
  void close() { socket_.reset(); }

 private:
  ocirt::UniqueFd socket_;
  ocirt::wire::FrameReader reader_;
  std::vector<Got> arrived_;
  uint32_t next_stream_ = 1;
  std::chrono::nanoseconds patience_ = std::chrono::seconds(30);
};

}  // namespace harness
