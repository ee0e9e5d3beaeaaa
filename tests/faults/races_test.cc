// Many callers at once. 32 of them do random verbs on 8 containers; whatever each was told and when
// goes into a history, and every container's history has to be one that the lifecycle allows: there
// is an order of the calls, each at some moment between its beginning and its end, in which every
// answer is right (races_model.h). Meanwhile other processes come and go, so that pids of the
// containers are used again within a second: none of those may ever get a signal.
//
// RACES_SEED=N repeats a choice of verbs, RACES_STEPS=N makes more or fewer of them.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <random>
#include <set>
#include <sstream>

#include "src/base/text.h"
#include "tests/faults/races_model.h"
#include "tests/support/fixture.h"

namespace harness {
namespace {

using ocirt::cat;

constexpr int kCallers = 32, kContainers = 8, kBystanders = 4;

long number_from(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// What a command says, by a file: a pipe would stay open in the container that it makes.
struct Said {
  int code = -1;
  std::string text;
};
Said run_quietly(const Args& argv) {
  const int output = ::memfd_create("output", MFD_CLOEXEC);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execv(words[0], words.data());
    ::_exit(126);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  Said said{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), ""};
  char room[1024];
  const ssize_t got = ::pread(output, room, sizeof room, 0);
  if (got > 0) said.text.assign(room, static_cast<size_t>(got));
  ::close(output);
  for (char& c : said.text)
    if (c == '\n') c = ' ';
  return said;
}

class Races : public ContainerTest {
 protected:
  std::string id(int container) const { return cat("race-", container); }
  std::string bundle_of(int container) const { return cat(scratch(), "/bundle-", container); }
  std::string history_of(int caller) const { return cat(scratch(), "/history-", caller); }

  Args words_of(Verb verb, int container) const {
    switch (verb) {
      case Verb::kCreate:
        return {"create", "--bundle", bundle_of(container), id(container)};
      case Verb::kStart:
        return {"start", id(container)};
      case Verb::kKill:
        return {"kill", id(container), "KILL"};
      case Verb::kDelete:
        return {"delete", id(container)};
      case Verb::kDeleteForce:
        return {"delete", "--force", id(container)};
      case Verb::kState:
        return {"state", id(container)};
      case Verb::kPause:
        return {"pause", id(container)};
      case Verb::kResume:
        return {"resume", id(container)};
      case Verb::kExec:
        return {"exec", id(container), "true"};
    }
    return {};
  }

  // An exec that is frozen waits for a resume that may never come: a container has either.
  static Verb choose(std::mt19937& random, int container) {
    constexpr Verb kOften[] = {Verb::kCreate, Verb::kCreate, Verb::kStart, Verb::kStart,
                               Verb::kState,  Verb::kKill,   Verb::kDelete};
    const unsigned number = random() % 10;
    if (number < std::size(kOften)) return kOften[number];
    if (number == 7) return Verb::kDeleteForce;
    if (container < kContainers / 2) return Verb::kExec;
    return number == 8 ? Verb::kPause : Verb::kResume;
  }

  void call_at_random(int caller, unsigned seed, long steps) {
    std::mt19937 random(seed + static_cast<unsigned>(caller));
    std::ostringstream history;
    for (long step = 0; step < steps; ++step) {
      const int container = static_cast<int>(random() % kContainers);
      const Verb verb = choose(random, container);
      const int64_t begin = now();
      const Said said = run_quietly(runtime.command(words_of(verb, container)).argv);
      history << container << ' ' << static_cast<int>(verb) << ' ' << begin << ' ' << now() << ' '
              << said.code << ' ' << said.text << '\n';
    }
    write_file(history_of(caller), history.str());
  }

  // Children that live for a moment; false when one was killed.
  static bool come_and_go(const bool& enough) {
    while (!enough) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::usleep(3000);
        ::_exit(0);
      }
      int status = 0;
      if (pid > 0 && (::waitpid(pid, &status, 0) != pid || status != 0)) return false;
    }
    return true;
  }

  // The first process of a pid namespace in which there are few pids.
  int world(unsigned seed, long steps) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("proc", "/proc", "proc", 0, nullptr) != 0) return 2;
    // Of this pid namespace since Linux 6.14; before, of the machine.
    if (kernel_is_at_least(6, 14)) write_file("/proc/sys/kernel/pid_max", "500");
    auto* enough = static_cast<bool*>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::set<pid_t> callers, bystanders;
    for (int i = 0; i < kBystanders; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) ::_exit(come_and_go(*enough) ? 0 : 1);
      bystanders.insert(pid);
    }
    for (int i = 0; i < kCallers; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        call_at_random(i, seed, steps);
        ::_exit(0);
      }
      callers.insert(pid);
    }
    bool good = true;
    while (!callers.empty() || !bystanders.empty()) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, 0);  // containers are reaped here too
      if (pid < 0) return 2;
      if (callers.erase(pid) + bystanders.erase(pid) != 0) good = good && status == 0;
      *enough = callers.empty();
    }
    for (int i = 0; i < kContainers; ++i)
      good = run_quietly(runtime.command(words_of(Verb::kDeleteForce, i)).argv).code == 0 && good;
    return good ? 0 : 1;
  }

  std::vector<Event> read_history(int container) {
    std::vector<Event> events;
    for (int caller = 0; caller < kCallers; ++caller) {
      for (const std::string& line : lines(read_file(history_of(caller)))) {
        std::istringstream in(line);
        int which = 0, verb = 0;
        Event event;
        in >> which >> verb >> event.begin >> event.end >> event.code;
        std::getline(in, event.text);
        event.verb = static_cast<Verb>(verb);
        if (which == container) events.push_back(event);
      }
    }
    return events;
  }
};

TEST_F(Races, EveryAnswerToManyCallersIsRightInSomeOrder) {
  const auto seed = static_cast<unsigned>(number_from("RACES_SEED", std::random_device()()));
  const long steps = number_from("RACES_STEPS", 40);
  std::printf("RACES_SEED=%u RACES_STEPS=%ld\n", seed, steps);
  for (int i = 0; i < kContainers; ++i) {
    Bundle made(bundle_of(i));
    made.shell("exec sleep 100").save(id(i));
  }
  const pid_t outer = ::fork();
  if (outer == 0) {
    ::unshare(CLONE_NEWPID);
    const pid_t first = ::fork();
    if (first == 0) ::_exit(world(seed, steps));
    int status = 0;
    ::waitpid(first, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
  }
  int status = 0;
  ASSERT_EQ(outer, ::waitpid(outer, &status, 0));
  EXPECT_EQ(0, WEXITSTATUS(status)) << "1: a bystander got a signal, or a last delete failed";
  size_t calls = 0, worked = 0;
  for (int i = 0; i < kContainers; ++i) {
    const std::vector<Event> events = read_history(i);
    calls += events.size();
    for (const Event& event : events) worked += event.code == 0 ? 1 : 0;
    EXPECT_EQ("", why_impossible(events)) << id(i);
  }
  EXPECT_EQ(static_cast<size_t>(kCallers * steps), calls);
  EXPECT_GT(worked, calls / 5) << "this tests little";
  std::printf("%zu calls, %zu worked\n", calls, worked);
}

TEST_F(Races, StartKillAndDeleteAtOnceLeaveNothing) {
  bundle.shell("exec sleep 100");
  for (int i = 0; i < 40; ++i) {
    Container container(runtime, bundle);
    ASSERT_OK(container.create());
    std::vector<std::unique_ptr<Process>> all;
    for (const Args& words : {Args{"start", container.id()}, Args{"kill", container.id(), "KILL"},
                              Args{"delete", "--force", container.id()}})
      all.push_back(std::make_unique<Process>(runtime.command(words)));
    for (size_t which = 0; which < all.size(); ++which) {
      const Outcome outcome = all[which]->wait();
      if (which == 2) {
        EXPECT_OK(outcome);
      }
      EXPECT_TRUE(outcome.ok() || outcome.err.starts_with("ocirt: ")) << outcome;
    }
    EXPECT_EQ("", container.status());
  }
}

TEST_F(Races, AContainerThatEndsBeforeAnybodyWaitsHasItsExitCode) {
  bundle.shell("exit 7");
  for (int i = 0; i < 40; ++i) EXPECT_EQ(7, Container(runtime, bundle).run().code);
  for (int i = 0; i < 20; ++i) {
    Container container(runtime, bundle);
    ASSERT_OK(container.create());
    const pid_t init = container.pid();
    ASSERT_OK(container.start());
    ASSERT_TRUE(wait_for_end(init));
    reap_orphans();
    EXPECT_EQ(7, orphan_status(init).value_or(-1));
    EXPECT_EQ("stopped", container.status());
    EXPECT_FALSE(container.exec({"true"}).ok());
    ASSERT_OK(container.remove());
  }
  bundle.shell("exec sleep 100");
  Container container(runtime, bundle);
  container.launch();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(9, container.exec({"sh", "-c", "exit 9"}).code);
}

}  // namespace
}  // namespace harness
