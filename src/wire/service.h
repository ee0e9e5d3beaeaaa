// A service as a table: the name of each method and the member function that carries it out. What
// it does not name is kUnimplemented, what does not parse kInvalidArgument, as callers expect.
//
//     constexpr Method<TaskService> kTask[] = {
//         method<&TaskService::create>("Create"),       // void create(const CreateTaskRequest&,
//         Call&) method<&TaskService::state>("State"),
//     };
//     if (call.service == kTaskV2 || call.service == kTaskV3) return dispatch(kTask, task, call);
//     no_such_service(call);
#pragma once

#include <cstddef>
#include <string_view>

#include "src/base/text.h"
#include "src/wire/server.h"

namespace ocirt::wire {

inline constexpr std::string_view kTaskV2 = "containerd.task.v2.Task";
inline constexpr std::string_view kTaskV3 = "containerd.task.v3.Task";
inline constexpr std::string_view kSandboxV1 = "containerd.runtime.sandbox.v1.Sandbox";
inline constexpr std::string_view kStreamingV1 = "containerd.services.streaming.v1.Streaming";
inline constexpr std::string_view kEventsV1 = "containerd.services.events.ttrpc.v1.Events";

template <class Object>
struct Method {
  std::string_view name;
  void (*handle)(Object&, Call&);
};

namespace detail {
template <class Member>
struct Signature;
template <class T, class Request>
struct Signature<void (T::*)(const Request&, Call&)> {
  using Object = T;
  template <void (T::*Member)(const Request&, Call&)>
  static void handle(T& object, Call& call) {
    Result<Owned<Request>> request = wire::parse<Request>(call.payload);
    if (!request) return call.reply.fail(Code::kInvalidArgument, request.error().text);
    (object.*Member)(**request, call);
  }
};
}  // namespace detail

template <auto Member>
constexpr auto method(std::string_view name) {
  using Signature = detail::Signature<decltype(Member)>;
  return Method<typename Signature::Object>{name, &Signature::template handle<Member>};
}

// Calls the method that the call names.
template <class Object, size_t N>
void dispatch(const Method<Object> (&table)[N], Object& object, Call& call) {
  for (const Method<Object>& row : table) {
    if (row.name == call.method) return row.handle(object, call);
  }
  call.reply.fail(Code::kUnimplemented, cat(call.service, " has no method ", quoted(call.method)));
}

inline void no_such_service(Call& call) {
  call.reply.fail(Code::kUnimplemented, cat("there is no service ", quoted(call.service)));
}

}  // namespace ocirt::wire
