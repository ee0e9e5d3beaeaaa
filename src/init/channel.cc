#include "src/init/channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

namespace ocirt::init {

long send_descriptor(int socket, const void* bytes, size_t size, int fd) {
  iovec part{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* entry = CMSG_FIRSTHDR(&message);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(entry), &fd, sizeof fd);
  }
  return bare::call_again(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

// Without SIGPIPE, and with the plainest call that a filter in force lets through.
static void send_plain(int socket, const void* bytes, size_t size) {
  long sent = bare::call_again(SYS_sendto, socket, bytes, size, MSG_NOSIGNAL, nullptr, 0);
  if (sent == -EPERM || sent == -EACCES || sent == -ENOSYS) bare::write(socket, bytes, size);
}

Heard hear(int socket, char* text, size_t room) {
  Heard heard;
  iovec parts[] = {{&heard.header, sizeof heard.header}, {text, room}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  heard.size = bare::call_again(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
  if (heard.size > 0) {
    cmsghdr* entry = CMSG_FIRSTHDR(&message);
    if (entry != nullptr && entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&heard.fd, CMSG_DATA(entry), sizeof heard.fd);
    }
  }
  return heard;
}

void tell(const Init& init, plan::Word word, int fd) {
  plan::Header header{word};
  // Plain calls where they do: a seccomp filter may be in force that knows no others. All signals
  // are blocked, SIGPIPE too.
  long sent = fd < 0 ? bare::write(init.channel, &header, sizeof header)
                     : send_descriptor(init.channel, &header, sizeof header, fd);
  must(init, sent, "tell ocirt");
}

void tell_quietly(const Init& init, plan::Word word) {
  plan::Header header{word};
  send_plain(init.channel, &header, sizeof header);
}

Heard await(const Init& init, plan::Word word, bool with_descriptor) {
  Heard heard;
  if (with_descriptor) {
    heard = hear(init.channel);
  } else {
    heard.size = bare::read(init.channel, &heard.header, sizeof heard.header);
  }
  if (heard.size <= 0) bare::exit_now(1);  // ocirt is gone, or has given up
  if (heard.header.word != word) fail(init, 0, "ocirt said something out of order");
  return heard;
}

void fail_pieces(const Init& init, long error, const Piece* pieces, size_t count,
                 std::string_view subject) {
  bare::Buffer<plan::kMostText> text;
  text << init.step << ": " << subject;
  for (size_t i = 0; i < count; ++i) {
    if (!pieces[i].is_number) {
      text << pieces[i].text;
    } else {
      if (pieces[i].negative) text << "-";
      text << pieces[i].number;
    }
  }
  fail_with(init, error, text.view());
}

int must_open(const Init& init, const char* path, int flags) {
  const char* what = *path == '/' ? "open " : "open /proc/";  // where a lean init is (lean.cc)
  return static_cast<int>(must(init, bare::openat(AT_FDCWD, path, flags), what, path));
}

void fail_with(const Init& init, long error, std::string_view text) {
  struct {
    plan::Header header;
    char text[plan::kMostText];
  } message{{plan::Word::failed, static_cast<int32_t>(error)}, {}};
  if (text.size() > sizeof message.text) text = text.substr(0, sizeof message.text);
  std::memcpy(message.text, text.data(), text.size());
  send_plain(init.channel, &message, sizeof message.header + text.size());
  bare::exit_now(1);
}

}  // namespace ocirt::init
