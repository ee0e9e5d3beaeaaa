#include "src/sys/held_namespaces.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "src/base/text.h"

namespace ocirt::sys {
namespace {

constexpr size_t kStack = 16384;  // with the room at its low end

void wait_while(int* word, int value) { ::syscall(SYS_futex, word, FUTEX_WAIT, value, nullptr); }
void wake(int* word) { ::syscall(SYS_futex, word, FUTEX_WAKE, 1); }

}  // namespace

// Shared by both threads.
struct HeldNamespaces::Room {
  uint64_t made = 0;
  int network = -1;
  int ready = 0;          // the thread has done what it could
  int release = 0;        // it shall end
  int lives = 1;          // cleared by the kernel when it has
  int failure = 0;        // errno
  bool entering = false;  // the network namespace, when it failed

  // In the thread. It has our thread-local storage, errno included: whoever waits for `ready` uses
  // none meanwhile, and afterwards it only waits, with all signals blocked.
  static int keep(void* argument) {
    Room& room = *static_cast<Room*>(argument);
    long result = room.made == 0 ? 0 : ::syscall(SYS_unshare, room.made);
    if (result == 0 && room.network >= 0) {
      room.entering = true;
      result = ::syscall(SYS_setns, room.network, CLONE_NEWNET);
    }
    if (result != 0) room.failure = errno;
    __atomic_store_n(&room.ready, 1, __ATOMIC_SEQ_CST);
    wake(&room.ready);
    while (__atomic_load_n(&room.release, __ATOMIC_SEQ_CST) == 0) wait_while(&room.release, 0);
    return 0;
  }
};

Result<> HeldNamespaces::hold(uint64_t made, Fd network) {
  void* memory = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return os_error("mmap", errno);
  room_ = new (memory) Room;
  room_->made = made;
  room_->network = network.valid() ? network.raw() : -1;
  // glibc's pthreads would bring memory and start-up code of their own for a thread that sleeps.
  id_ = ::clone(Room::keep, static_cast<char*>(memory) + kStack,
                CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                    CLONE_CHILD_CLEARTID,
                room_, nullptr, nullptr, &room_->lives);
  if (id_ < 0) {
    const int code = errno;
    id_ = 0;
    ::munmap(memory, kStack);
    room_ = nullptr;
    return os_error("clone a thread for namespaces", code);
  }
  while (__atomic_load_n(&room_->ready, __ATOMIC_SEQ_CST) == 0) wait_while(&room_->ready, 0);
  if (room_->failure == 0) return {};
  const int code = room_->failure;
  const bool entering = room_->entering;
  release();
  return os_error(entering ? "setns to the network namespace" : "unshare", code);
}

void HeldNamespaces::release() {
  if (room_ == nullptr) return;
  __atomic_store_n(&room_->release, 1, __ATOMIC_SEQ_CST);
  wake(&room_->release);
  while (__atomic_load_n(&room_->lives, __ATOMIC_SEQ_CST) != 0) wait_while(&room_->lives, 1);
  ::munmap(room_, kStack);
  room_ = nullptr;
  id_ = 0;
}

}  // namespace ocirt::sys
