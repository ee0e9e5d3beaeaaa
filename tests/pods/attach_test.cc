// attach: the input of containers whose file says stdin, stdinOnce or tty.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/pods/cli_fixture.h"
#include "tests/support/terminal.h"

namespace harness {
namespace {

using ocirt::cat;

class PodAttach : public PodCli {
 protected:
  // A pod whose container says what it reads, and "end" when there is no more.
  void run_reader(const std::string& fields) {
    ASSERT_OK(pod({"run", file(cat("  - {name: a, IMAGE, ", fields,
                                   ", command: [sh, -c, 'while read line; do echo \"got $line\"; "
                                   "done; echo end']}\n"),
                               "  restartPolicy: Never\n")}));
  }
  // Bytes in a fifo.
  static int unread_in(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int bytes = 0;
    ::ioctl(fd, FIONREAD, &bytes);
    ::close(fd);
    return bytes;
  }
  // attach -i with an input that ends, until it has said so much.
  std::string attached(const std::string& input, const std::string& until) {
    Command words = command({"attach", "-i", name_});
    words.input = input;
    Process attach(std::move(words));
    EXPECT_TRUE(eventually([&] {
      return attach.is_over() || attach.output().find(until) != std::string::npos;
    })) << attach.output()
        << attach.errors();
    attach.signal(SIGTERM);
    EXPECT_EQ(attach.wait().code, 128 + SIGTERM);
    return attach.output();
  }
};

TEST_F(PodAttach, AnInputOutlivesThoseWhoAttach) {
  run_reader("stdin: true");
  EXPECT_EQ(attached("one\n", "one\n"), "got one\n");
  EXPECT_EQ(attached("two\n", "two\n"), "got two\n");
  TestPod view(pods_root(), name_);
  view.kill_shim();
  EXPECT_EQ(attached("three\n", "three\n"), "got three\n");
  EXPECT_EQ(pod({"logs", name_}).out, "got one\ngot two\ngot three\n");
}

TEST_F(PodAttach, AnInputForOneEndsWithTheFirstWhoAttaches) {
  run_reader("stdin: true, stdinOnce: true");
  Command words = command({"attach", "-i", name_});
  words.input = "one\ntwo\n";
  const Outcome outcome = run_command(std::move(words));
  EXPECT_OK(outcome);
  EXPECT_EQ(outcome.out, "got one\ngot two\nend\n");
  EXPECT_EQ(pod({"wait", name_}).out, name_ + "\tSucceeded\n");
}

TEST_F(PodAttach, AnInputForOneAlsoEndsWhenThatOneLeaves) {
  run_reader("stdin: true, stdinOnce: true");
  Process attach(command({"attach", "-i", name_}));
  ASSERT_TRUE(eventually([&] { return pod({"logs", name_}).out == "end\n"; }));
  attach.wait();
}

TEST_F(PodAttach, AnInputForOneAlsoEndsWhenThatOneIsKilled) {
  run_reader("stdin: true, stdinOnce: true");
  Terminal user;
  Command words = command({"attach", "-i", name_});
  words.terminal = user.slave();
  Process attach(std::move(words));
  user.type("one\n");
  ASSERT_TRUE(eventually([&] { return pod({"logs", name_}).out == "got one\n"; }));
  attach.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return pod({"logs", name_}).out == "got one\nend\n"; }));
}

TEST_F(PodAttach, EndsWithTheExitCodeOfTheContainer) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, stdin: true, command: [sh, -c, 'read code; exit "
                             "$code']}\n",
                             "  restartPolicy: Never\n")}));
  Command words = command({"attach", "-i", name_});
  words.input = "42\n";
  EXPECT_EQ(run_command(words).code, 42);
  EXPECT_EQ(pod({"attach", name_}).code, 42);
}

TEST_F(PodAttach, IsEndedByASignalAlsoWhenTheContainerDoesNotRead) {
  ASSERT_OK(pod({"run", file("  - {name: a, IMAGE, stdin: true, command: [sh, -c, 'echo here; exec "
                             "sleep 100']}\n",
                             "  restartPolicy: Never\n")}));
  Command words = command({"attach", "-i", name_});
  words.input = std::string(1 << 20, 'x');
  Process attach(std::move(words));
  TestPod view(pods_root(), name_);
  const std::string fifo = view.layout().input("a");
  // It is full.
  EXPECT_TRUE(eventually([&] { return attach.is_over() || unread_in(fifo) >= 65536; }));
  // And goes on trying to hand on what it has read.
  EXPECT_FALSE(eventually([&] { return attach.is_over(); }, 50));
  attach.signal(SIGINT);
  EXPECT_TRUE(eventually([&] { return attach.is_over(); }));
  EXPECT_EQ(attach.wait().code, 128 + SIGINT);
}

TEST_F(PodAttach, SaysThatThePodWasRemovedMeanwhile) {
  run_reader("stdin: true");
  Process attach(command({"attach", name_}));
  ASSERT_OK(pod({"rm", "--force", "--time", "0", name_}));
  const Outcome outcome = attach.wait();
  // Of a container that was killed first, the end may have been seen.
  EXPECT_NE(outcome.code, 0) << outcome;
}

TEST_F(PodAttach, WithoutAnInputThereIsNone) {
  run_reader("stdin: false");
  EXPECT_EQ(pod({"wait", name_}).out, name_ + "\tSucceeded\n");
  EXPECT_EQ(pod({"logs", name_}).out, "end\n");
  EXPECT_FAILS(pod({"attach", "-i", name_}), 1,
               "container a has no input: its file does not say `stdin: true`");
}

TEST_F(PodAttach, ATerminalIsWrittenToAndLeftByItsKeys) {
  run_reader("stdin: true, tty: true");
  Command words = command({"attach", "-i", name_});
  words.input = "hello\n";
  {
    Process attach(std::move(words));
    EXPECT_TRUE(eventually([&] {
      return attach.is_over() || attach.output() == "hello\r\ngot hello\r\n";
    })) << attach.output();
    attach.signal(SIGTERM);
    attach.wait();
  }
  words = command({"attach", "-i", name_});
  words.input = "a\x10\x11";
  const Outcome left = run_command(std::move(words));
  EXPECT_OK(left);
  EXPECT_SAYS(pod({"ps"}).out, "Running");
}

}  // namespace
}  // namespace harness
