// What ocirt and a container's init say to each other, in speaking order. Every message is one
// datagram of a SOCK_SEQPACKET socket: a Word, then its payload, sometimes with one descriptor.
//
//   init                                  ocirt (create, run, exec)
//   Console + master of the terminal      keeps it (attached `run` and `exec` only)
//   Unmapped                              writes id maps, clock offsets, oom score; Mapped (user
//                                         namespace, see init/user_namespace.cc)
//   Moved + pid of its successor          follows, Followed (the same, when a pid namespace is new)
//   Fetch + number of a mount             opens its source, Fetched + descriptor (user namespace,
//                                         when init has no right to; any number of times)
//   AtHooks                               runs prestart and createRuntime hooks
//                                         HooksDone [+ state document as a sealed memory file]
//   Moved + pid of its successor          follows, Followed (joined pid namespace, see
//                                         init/successor.cc); for Plan::ready_by_moving neither
//                                         Followed nor Ready is said, and Start
//                                         may be there already: Executing can come before Moved
//   Listener + seccomp descriptor         hands it to the agent, ListenerDone
//   Ready                                 records the container (for Plan::ready_in_silence it is
//                                         not said: ocirt records and says Start at once)
//                                         Commit: init may outlive ocirt (create)
//                                         Start: go on to the program (run, exec)
//   (create) waits on the start socket    `ocirt start` connects there: Start [+ state document]
//   Executing                             listens on
//   end of file: the program runs
//   Failed + errno + text, at any point   reports, undoes
//
// End of file instead of HooksDone, Commit or Start means that ocirt is gone: init ends too.
#pragma once

#include <cstdint>

namespace ocirt::plan {

enum class Word : uint32_t {
  // to ocirt
  console = 1,
  at_hooks,
  moved,
  listener,
  ready,
  executing,
  failed,
  unmapped,
  fetch,
  // to init
  hooks_done,
  followed,
  listener_done,
  commit,
  start,
  mapped,
  fetched,
};

struct Header {
  Word word;
  int32_t error = 0;  // failed: errno, 0 when the text says it all. The text follows the header.
  // commit, start: signals that our caller has had ignored (nohup, conmon's SIGPIPE), bit n-1 for
  // signal n; the program must not inherit that.
  uint32_t ignored_signals = 0;
  int32_t pid = 0;      // moved: of the successor, in ocirt's pid namespace
  uint32_t number = 0;  // fetch: index in Plan::mounts, or plan::kNoIndex for the root
};

inline constexpr uint32_t kMostText = 4096;  // bytes of text after a header

}  // namespace ocirt::plan
