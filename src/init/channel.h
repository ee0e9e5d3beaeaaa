// Init's end of the conversation with ocirt (plan/protocol.h).
#pragma once

#include "src/init/init.h"

namespace ocirt::init {

// Sends a word, with a descriptor unless `fd` is -1. Fails the step when ocirt is gone.
void tell(const Init& init, plan::Word word, int fd = -1);

// Sends `bytes` and a descriptor through any unix socket; -errno on failure.
long send_descriptor(int socket, const void* bytes, size_t size, int fd);

// The same without failing: the program is to run also when nobody listens any more.
void tell_quietly(const Init& init, plan::Word word);

struct Heard {
  long size = 0;  // 0: closed; negative: -errno
  plan::Header header{};
  int fd = -1;
};
// `text`: where what follows the header goes, of which `size` then is a part.
Heard hear(int socket, char* text = nullptr, size_t room = 0);

// Waits for this very word. When ocirt is gone instead, init ends without a word: nobody is left to
// hear it.
Heard await(const Init& init, plan::Word word, bool with_descriptor = false);

}  // namespace ocirt::init
