#include "src/shim/user_place.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <vector>

#include "src/base/text.h"
#include "src/container/own_ids.h"
#include "src/shim/kept_process.h"
#include "src/sys/file.h"
#include "src/sys/holder.h"
#include "src/sys/process.h"

namespace ocirt::shim {
namespace {

Result<> join(const KeptProcess& holder) {
  TRY(sys::setns(holder.pidfd, CLONE_NEWUSER | CLONE_NEWNS));
  // Its ids are those of the user: the numbers that they have in there are 0.
  return {};
}

Result<> make(const pod::Layout& layout, std::span<const char* const> arguments) {
  const container::OwnIds ids = TRY(container::own_ids());
  TRY(container::enter_own_user_namespace(ids));
  sys::Holder holder = TRY(sys::start_holder(arguments));
  TRY(record_process(layout.holder(), holder.pid));
  return sys::commit_holder(holder);
}

Result<> enter(const pod::Layout& layout, bool adopt, std::span<const char* const> arguments) {
  const std::optional<KeptProcess> holder = TRY(find_process(layout.holder()));
  if (!holder && adopt) {
    return refuse(
        "the process that kept its namespaces has been killed as well, and its mounts are gone "
        "with "
        "it; `ocirt-pod rm --force` removes what is left");
  }
  return holder ? join(*holder) : make(layout, arguments);
}

}  // namespace

bool needs_user_place() { return sys::effective_uid() != 0; }

Error go_to_user_place(const pod::Layout& layout, Fd lock, bool adopt,
                       std::span<const char* const> arguments, std::span<const char* const> words) {
  // Copies, since the holder makes its own empty.
  std::vector<std::string> kept = {"ocirt-shim"};
  for (const char* word : words) kept.emplace_back(word);
  kept.emplace_back("--lock-fd");
  kept.push_back(cat(lock.raw()));
  if (Result<> entered = enter(layout, adopt, arguments); !entered) return entered.error();
  std::vector<const char*> argv;
  argv.reserve(kept.size());
  for (const std::string& word : kept) argv.push_back(word.c_str());
  const int keep[] = {lock.raw()};
  Error why = sys::execute_again(argv, keep);
  (void)end_process(layout.holder());
  return why;
}

}  // namespace ocirt::shim
