// Messages as C++ owns them. protoc-c makes plain structs out of src/wire/*.proto, whose members
// are pointers that nobody owns; this says who does.
//
// What has been read is owned as a whole (Owned). What is to be written is a struct on the stack
// that borrows its texts for as long as the writing takes:
//
//     StateResponse answer = blank<StateResponse>();
//     answer.id = lend(id);
//     reply.send(answer);
#pragma once

#include <protobuf-c/protobuf-c.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace ocirt::wire {

// Specialised for each message by the rows of messages.h: `descriptor` is protobuf-c's.
template <class M>
struct MessageInfo;

template <class M>
concept Message = requires { MessageInfo<M>::kDescriptor; };

struct FreeMessage {
  template <class M>
  void operator()(M* message) const {
    ::protobuf_c_message_free_unpacked(&message->base, nullptr);
  }
};
template <class M>
using Owned = std::unique_ptr<M, FreeMessage>;

namespace detail {
Result<ProtobufCMessage*> parse(const ProtobufCMessageDescriptor& descriptor, std::string_view name,
                                std::string_view bytes);
void append(std::string& out, const ProtobufCMessage& message);
}  // namespace detail

// Reads a message. Texts are never null, but possibly empty; messages in it are null where they are
// absent. Fields that we do not know are passed over. Refuses what is malformed, what scan()
// refuses, and more than kMaxPayload bytes; the error names the message.
template <Message M>
Result<Owned<M>> parse(std::string_view bytes) {
  auto* message = TRY(detail::parse(*MessageInfo<M>::kDescriptor, MessageInfo<M>::kName, bytes));
  return Owned<M>(reinterpret_cast<M*>(message));
}

// A message with every field as it is when absent.
template <Message M>
M blank() {
  M message;
  ::protobuf_c_message_init(MessageInfo<M>::kDescriptor, &message);
  return message;
}

// The bytes of a message.
template <Message M>
std::string pack(const M& message) {
  std::string out;
  detail::append(out, message.base);
  return out;
}
// The same, after what is in `out` already.
template <Message M>
void append(std::string& out, const M& message) {
  detail::append(out, message.base);
}

// For the text fields of a message that is to be written: borrowed, so `text` must outlive it.
// Texts end at their first NUL byte.
inline char* lend(const char* text) { return const_cast<char*>(text); }
inline char* lend(const std::string& text) { return const_cast<char*>(text.c_str()); }
inline char* lend(std::string&&) = delete;
// For its fields of type bytes.
inline ProtobufCBinaryData lend_bytes(std::string_view bytes) {
  return {bytes.size(), reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()))};
}
// What a field of type bytes holds.
inline std::string_view view(const ProtobufCBinaryData& bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.len};
}

// The rows of a repeated field, or the entries of a map, of a message that is to be written:
//
//     Rows<ProcessInfo> rows;
//     rows.add().pid = 7;
//     answer.n_processes = rows.size();
//     answer.processes = rows.lend();
template <Message M>
class Rows {
 public:
  M& add() {
    rows_.push_back(std::make_unique<M>(blank<M>()));
    pointers_.push_back(rows_.back().get());
    return *rows_.back();
  }
  size_t size() const { return rows_.size(); }
  M** lend() { return pointers_.data(); }

 private:
  std::vector<std::unique_ptr<M>> rows_;
  std::vector<M*> pointers_;
};

}  // namespace ocirt::wire
