// The first process of a container, and every further one: a small program of its own, without a
// libc, that ocirt executes from a sealed memory file right after clone3(2).
//
// Why a program and not a fork of ocirt: /proc/self/exe inside the container never leads to a file
// of the host (CVE-2019-5736); no heap, lock or descriptor of ocirt exists after the exec; a
// container's memory limit pays for a few pages, not for ocirt; and that init only carries out the
// plan is not a promise but what the linker allows. It costs no time: see sys/spawn.h for the
// figures.
//
// There is nothing to return to here: a step that fails tells ocirt and ends the process, so steps
// return nothing and read as a sequence. The order of the steps is the table in main.cc.
#pragma once

#include <cstdint>
#include <type_traits>

#include "src/bare/syscall.h"
#include "src/bare/text.h"
#include "src/plan/plan.h"
#include "src/plan/protocol.h"

namespace ocirt::init {

struct Init {
  plan::View view;
  const plan::Plan& plan;
  const char* step = "start";  // for error messages
  int channel = -1;            // to ocirt; after `create` to `ocirt start`
  int root = -1;               // the container's root directory, before it becomes ours
  int proc = -1;               // its /proc (proc_names.h)
  int dev = -1;                // the container's /dev, as long as nothing can have covered it
  int state = -1;              // state document for hooks, as a memory file
  // Those of a pid namespace that is joined, in the order of the mounts (procfs.cc).
  int procfs[plan::kMostJoinedProcfs] = {-1, -1, -1, -1};
  size_t used_procfs = 0;
  bool is_lean = false;  // the mount namespace has nothing of the host's (lean.cc), and then:
  int host_procfs = -1;  // until the mounts are made
  int host_mounts = -1, own_mounts = -1;  // the two namespaces, for the sources
  const int* sources = nullptr;           // of bind mounts, of which several are opened at once
  size_t opened_sources = 0;              // up to which of the mounts
  int null = -1;                  // the host's null device, where files are to be masked: detached
  bool null_is_used = false;      // until it covers the first of them
  bool joined_mounts = false;     // a mount namespace was joined, and nothing of it chosen as root
  bool mounted = false;           // the mounts are made: their trees are needed no longer
  bool enter_as_user = false;     // process.cwd, which root could not enter
  bool has_terminal = false;      // standard streams are the container's terminal by now
  const char* program = nullptr;  // what is going to be executed
  const char* home = nullptr;     // "HOME=...", when the environment has none

  const char* text(plan::Text t) const { return view.text(t); }
  template <class T>
  auto list(plan::List<T> l) const {
    return view.list(l);
  }
};

// A piece of an error message, of one type, so that every message does not become code of its own.
// Passed by value, so that texts of different lengths are of one type too: that is 3.4 KB.
struct Piece {
  Piece(const char* t) : text(t) {}       // NOLINT(google-explicit-constructor)
  Piece(std::string_view t) : text(t) {}  // NOLINT(google-explicit-constructor)
  template <class Number>
    requires std::is_integral_v<Number>
  Piece(Number n)
      : negative(n < 0),
        is_number(true),  // NOLINT(google-explicit-constructor)
        number(n < 0 ? uint64_t{0} - static_cast<uint64_t>(n) : static_cast<uint64_t>(n)) {}
  std::string_view text;
  bool negative = false;
  bool is_number = false;
  uint64_t number = 0;
};

// Tells ocirt `text`, to which it adds the sentence of the errno value unless that is 0, and ends
// the process.
[[noreturn, gnu::cold]] void fail_with(const Init& init, long error, std::string_view text);

// The same with "STEP: ", the subject and the pieces as text.
[[noreturn, gnu::cold]] void fail_pieces(const Init& init, long error, const Piece* pieces,
                                         size_t count, std::string_view subject = {});

template <class... Pieces>
[[noreturn]] void fail(const Init& init, long error, Pieces... pieces) {
  const Piece list[] = {Piece(pieces)...};
  fail_pieces(init, error, list, sizeof...(pieces));
}

// Passes a system call's result on; a negative one ends the process with fail().
template <class... Pieces>
long must(const Init& init, long result, Pieces... pieces) {
  if (result < 0) [[unlikely]]
    fail(init, -result, pieces...);
  return result;
}

// Opens a path, or fails with "open PATH". One that is not absolute is in the host's procfs.
int must_open(const Init& init, const char* path, int flags);

// The steps, in files named after them.
void forget_cpu_affinity(Init&);   // policies.cc
void join_namespaces(Init&);       // namespaces.cc
void enter_user_namespace(Init&);  // user_namespace.cc, called by join_namespaces
// What a bind mount of the plan is to show (plan::kNoIndex: the root), opened by ocirt: for init in
// a user namespace that may not go there itself. user_namespace.cc
int fetch(const Init& init, uint32_t number);
void make_joined_procfs(Init&);  // procfs.cc, called by the two above
void go_on_in_child(Init&);      // successor.cc, called by join_namespaces and the two that move
void join_keyring(Init&);        // namespaces.cc
void lead_session(Init&);        // successor.cc, called by open_console or the next two
void move_before_user(Init&);    // successor.cc
void move_after_user(Init&);     // successor.cc
void set_names(Init&);           // namespaces.cc
void prepare_root(Init&);        // root.cc
// For that: true when the mount namespace has been made without the host's mounts, and the
// container's root is its top; false when it had to be a copy after all (lean.cc).
bool enter_lean_namespace(Init& init);
// The host's procfs and mounts are needed no longer: no link of an image to /proc/self/fd may lead
// there, and nobody who looks into init in a pid namespace that it joins may find them.
void forget_host(Init& init);  // lean.cc, called by perform_mounts
void perform_mounts(Init&);    // mounts.cc
void open_joined_root(Init&);  // remounts.cc
void end_mounts(Init&);        // remounts.cc; ends the process
void make_devices(Init&);      // devices.cc
void open_console(Init&);      // console.cc
void run_create_hooks(Init&);  // hooks.cc
void seal_paths(Init&);        // seal.cc
// Fails unless it is the null device: with something else in its place a masked file would show
// that instead (CVE-2025-31133). seal.cc, called by enter_lean_namespace too
void check_null(const Init& init, int fd);
void write_sysctls(Init&);     // sysctls.cc
void adjust_oom_score(Init&);  // limits.cc
void label_keyring(Init&);     // labels.cc
void set_labels(Init&);        // labels.cc
void set_rlimits(Init&);       // limits.cc
// Those of them that the way into a pid namespace would meet: limits.cc, called by move_after_user
void set_late_rlimits(const Init& init);
void set_memory_policy(Init&);  // policies.cc
void set_personality(Init&);    // policies.cc
void switch_root(Init&);        // root.cc
void enter_directory(Init&);    // program.cc
void become_user(Init&);        // credentials.cc
// Everything but the standard streams and what --preserve-fds names is closed by the exec: leaked
// descriptors of the host are the classic way out (CVE-2016-9962, CVE-2024-21626).
void close_descriptors(Init&);  // program.cc
// Whether the filter is in force from become_user() on: it may end us for a call that it does not
// know.
bool is_filtered(const Init& init);        // program.cc
void find_program(Init&);                  // program.cc
void complete_environment(Init&);          // program.cc
void report_ready(Init&);                  // gate.cc
void await_start(Init&);                   // gate.cc
void announce_execution(Init&);            // gate.cc
void run_start_hooks(Init&);               // hooks.cc
void load_late_filter(Init&);              // seccomp.cc
void load_early_filter(Init&);             // seccomp.cc, called by become_user
[[noreturn]] void execute_program(Init&);  // program.cc

}  // namespace ocirt::init
