// A ttrpc client for programs that make one call after the other: it waits for each answer.
#pragma once

#include <string>
#include <string_view>

#include "src/base/fd.h"
#include "src/base/result.h"
#include "src/sys/cstr.h"
#include "src/wire/envelope.h"
#include "src/wire/frame.h"

namespace ocirt::wire {

class Client {
 public:
  // Connects to a socket by its path, which may be of any length.
  static Result<Client> connect(CStr path);
  // Goes on with a connected stream socket.
  explicit Client(UniqueFd socket) : socket_(std::move(socket)) {}

  // Says this as containerd's namespace with each call.
  void set_namespace(std::string name) { namespace_ = std::move(name); }

  // Makes a call and waits for its answer, at most `timeout` (0: for ever); the server hears of the
  // timeout too. An error is one of the connection: code ETIMEDOUT when the time was over (the
  // client remains usable, the late answer is passed over), ECONNRESET when the connection ended.
  Result<Answer> call(std::string_view service, std::string_view method, std::string_view payload,
                      sys::Nanoseconds timeout);

  // The same with messages. Here a refusal is an error too, with the server's text and the errno
  // value that says the same as its code.
  template <Message Response, Message Request>
  Result<Owned<Response>> call(std::string_view service, std::string_view method,
                               const Request& request, sys::Nanoseconds timeout) {
    const std::string payload =
        TRY(payload_of(call(service, method, std::string_view(pack(request)), timeout)));
    return parse<Response>(payload);
  }

  // What an answer says: its payload, or the error that it is.
  static Result<std::string> payload_of(Result<Answer> answer);

 private:
  Result<Answer> exchange(std::string_view frame, uint32_t stream, sys::Nanoseconds end);
  Result<> wait(unsigned for_what, sys::Nanoseconds end);

  UniqueFd socket_;
  std::string namespace_;
  FrameReader reader_;
  uint32_t next_stream_ = 1;
};

}  // namespace ocirt::wire
