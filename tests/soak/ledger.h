// A long run is judged by what is the same at its begin and at its end: whatever a lifecycle leaves
// behind is too little to be seen after one, and plain after thousands. A ledger counts at regular
// times, fails the test when a count has grown, and prints a table of the begin, the middle and the
// end.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace harness {

class Ledger {
 public:
  // So many rounds will be made, each of which asks for one exit code.
  Ledger(std::string title, int rounds);

  // `count` may exceed what it was at the first sample by `slack`, at every sample. What is late in
  // being undone has five seconds for it.
  void watch(std::string name, std::function<long()> count, long slack = 0);
  // A count of the whole machine, where others work too: it is shown, and decides nothing.
  void show(std::string name, std::function<long()> count);
  // Done before each sample, for what can be given back and is kept only in case.
  void before_each(std::function<void()> prepare) { prepare_ = std::move(prepare); }

  // The rounds: `life(i)` returns what was wrong, or "". The first sample comes after a tenth of
  // them, at most 200: until then caches fill. Ends early when much is wrong.
  void go(const std::function<std::string(int)>& life);

 private:
  using Clock = std::chrono::steady_clock;
  struct Counter {
    std::string name;
    std::function<long()> count;
    long slack;
    bool is_judged;
    bool has_failed = false;  // said once
    std::vector<long> samples = {};
  };

  void sample(int round);
  bool has_grown(const Counter& counter, long now) const;
  std::string table(Clock::duration spent) const;

  std::string title_;
  int rounds_;
  std::function<void()> prepare_ = [] {};
  std::vector<Counter> counters_;
  std::vector<int> sampled_at_;
};

// How many rounds: env SOAK, or `otherwise`. The table goes to the file that SOAK_TABLE names, too.
int soak_rounds(int otherwise);
// The exit code of a round: all of them from 0 to 255, and not in the order of their numbers.
int soak_code(int round);

}  // namespace harness
