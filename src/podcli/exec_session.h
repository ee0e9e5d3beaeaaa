// One program that `ocirt-pod exec` runs in a container: its streams, which are fifos of ours that
// the program gets itself, its terminal, the signals that are for it, and its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oci-spec/process.h"
#include "src/base/result.h"
#include "src/podcli/pods.h"
#include "src/sys/event_loop.h"
#include "src/sys/signals.h"
#include "src/wire/client.h"
#include "src/wire/loop_client.h"

namespace ocirt::podcli {

struct ExecRequest {
  std::string container;
  oci::Process process;
  bool interactive = false;  // it gets our input
};

class ExecSession {
 public:
  ExecSession(const pod::Layout& layout, ExecRequest request)
      : layout_(layout), request_(std::move(request)) {}
  ExecSession(const ExecSession&) = delete;
  ExecSession& operator=(const ExecSession&) = delete;
  ~ExecSession();

  // Runs the program to its end; its exit status. As in a shell, that is 127 when there is no such
  // program and 126 when it cannot be executed; `complaint` then says why.
  Result<int> run(std::string& complaint);

 private:
  using Answer = Result<wire::Answer>;

  Result<> make_fifos();
  Result<> add(wire::Client& client);
  Result<> start(wire::Client& client);
  void remove(wire::Client& client);
  void end_by_sigpipe(wire::Client& client);
  Result<> follow();
  void resize();
  Result<> kill(int signal);

  void on_input(unsigned);
  void on_input_room(unsigned);
  void feed();
  void close_input();
  void on_output(unsigned);
  void on_errors(unsigned);
  bool copy(Fd from, Fd to);
  static Result<> write_out(Fd to, std::string_view bytes);
  void copy_rest(wire::Client& client);
  void on_signal(unsigned);
  void on_exit(uint32_t, Answer& answer);
  void on_done(uint32_t, Answer&) {}
  template <class Request>
  Result<> tell(std::string_view method, const Request& request);

  const pod::Layout& layout_;
  ExecRequest request_;
  std::string id_;
  std::string fifos_[3];  // paths; empty: none
  UniqueFd in_, out_, err_;
  std::string unsent_;
  bool input_ended_ = false;
  std::optional<Error> unwritten_;  // what came could not be handed on
  std::unique_ptr<sys::EventLoop> loop_;
  std::unique_ptr<wire::LoopClient> client_;
  sys::Watch input_watch_, room_watch_, out_watch_, err_watch_, signal_watch_;
  std::unique_ptr<sys::Timer> file_timer_;  // our input is a file, which is always ready
  std::unique_ptr<sys::SignalInbox> signals_;
  Result<int> status_ = 0;
};

}  // namespace ocirt::podcli
