#include "src/wire/message.h"

#include "src/base/text.h"
#include "src/wire/frame.h"
#include "src/wire/scan.h"

namespace ocirt::wire::detail {

Result<ProtobufCMessage*> parse(const ProtobufCMessageDescriptor& descriptor, std::string_view name,
                                std::string_view bytes) {
  if (bytes.size() > kMaxPayload) {
    return refuse(cat(name, ": ", bytes.size(), " bytes are more than the ", kMaxPayload,
                      " that a message may have"));
  }
  TRY(within(name, scan(descriptor, bytes)));
  ProtobufCMessage* message = ::protobuf_c_message_unpack(
      &descriptor, nullptr, bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()));
  if (message == nullptr) return refuse(cat(name, ": malformed message"));
  return message;
}

void append(std::string& out, const ProtobufCMessage& message) {
  const size_t begin = out.size();
  out.resize(begin + ::protobuf_c_message_get_packed_size(&message));
  ::protobuf_c_message_pack(&message, reinterpret_cast<uint8_t*>(out.data() + begin));
}

}  // namespace ocirt::wire::detail
