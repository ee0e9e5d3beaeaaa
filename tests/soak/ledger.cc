// See ledger.h.
#include "tests/soak/ledger.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "src/base/text.h"
#include "tests/support/files.h"
#include "tests/support/patience.h"

namespace harness {

using ocirt::cat;

namespace {

constexpr int kSamples = 10;
constexpr int kShownFailures = 5, kTooManyFailures = 20;

std::string cell(std::string_view text, size_t width, bool to_the_right) {
  const std::string space(width - std::min(width, text.size()), ' ');
  return to_the_right ? cat(" ", space, text, " |") : cat(" ", text, space, " |");
}

}  // namespace

int soak_rounds(int otherwise) {
  const char* said = std::getenv("SOAK");
  return said != nullptr && *said != '\0' ? std::atoi(said) : otherwise;
}

int soak_code(int round) { return (round * 37 + 11) % 256; }

Ledger::Ledger(std::string title, int rounds) : title_(std::move(title)), rounds_(rounds) {}

void Ledger::watch(std::string name, std::function<long()> count, long slack) {
  counters_.push_back({std::move(name), std::move(count), slack, true});
}

void Ledger::show(std::string name, std::function<long()> count) {
  counters_.push_back({std::move(name), std::move(count), 0, false});
}

bool Ledger::has_grown(const Counter& counter, long now) const {
  return counter.is_judged && !counter.has_failed && !counter.samples.empty() &&
         now > counter.samples.front() + counter.slack;
}

void Ledger::sample(int round) {
  prepare_();
  sampled_at_.push_back(round);
  for (Counter& counter : counters_) {
    long now = counter.count();
    eventually([&] { return !has_grown(counter, now = counter.count()); }, 5000 * patience());
    if (has_grown(counter, now)) {
      counter.has_failed = true;
      ADD_FAILURE() << title_ << ": " << counter.name << ": " << now << " after " << round
                    << " rounds, " << counter.samples.front() << " after " << sampled_at_.front();
    }
    counter.samples.push_back(now);
  }
}

void Ledger::go(const std::function<std::string(int)>& life) {
  const int first = std::min(200, std::max(1, rounds_ / 10));
  const int between = std::max(1, (rounds_ - first) / kSamples);
  Clock::duration spent{};
  int wrong = 0, round = 0;
  while (round < rounds_ && wrong < kTooManyFailures) {
    const Clock::time_point begin = Clock::now();
    std::string complaint;
    try {
      complaint = life(round);
    } catch (const std::exception& error) {
      complaint = error.what();
    }
    spent += Clock::now() - begin;
    if (!complaint.empty() && ++wrong <= kShownFailures)
      ADD_FAILURE() << title_ << ": round " << round << ": " << complaint;
    ++round;
    const bool is_due = round >= first && (round - first) % between == 0;
    // The last but one would be too near to the last.
    if (round == rounds_ || (is_due && rounds_ - round >= between / 2)) sample(round);
  }
  EXPECT_EQ(wrong, 0) << title_ << ": of " << round << " rounds";
  const std::string text = table(spent);
  std::printf("%s", text.c_str());
  std::fflush(stdout);
  if (const char* path = std::getenv("SOAK_TABLE"); path != nullptr && *path != '\0')
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fputs(text.c_str(), file);
      std::fclose(file);
    }
}

std::string Ledger::table(Clock::duration spent) const {
  if (sampled_at_.empty()) return {};
  const double seconds = std::chrono::duration<double>(spent).count();
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.1f ms each", seconds * 1000 / sampled_at_.back());
  const size_t middle = sampled_at_.size() / 2;
  std::string text = cat(title_, ", ", sampled_at_.back(), " rounds, ", rate, ":\n\n");
  const size_t name_width = 36, width = 10;
  auto row = [&](std::string_view name, const std::vector<std::string>& cells) {
    text += cat("|", cell(name, name_width, false));
    for (const std::string& each : cells) text += cell(each, width, true);
    text += '\n';
  };
  row("", {"begin", "middle", "end"});
  text += cat("|", std::string(name_width + 2, '-'), "|");
  for (int i = 0; i < 3; ++i) text += cat(std::string(width + 1, '-'), ":|");
  text += '\n';
  auto number = [](long value) { return std::to_string(value); };
  row("rounds",
      {number(sampled_at_.front()), number(sampled_at_[middle]), number(sampled_at_.back())});
  for (const Counter& counter : counters_)
    row(counter.is_judged ? counter.name : cat(counter.name, " (machine)"),
        {number(counter.samples.front()), number(counter.samples[middle]),
         number(counter.samples.back())});
  return text + "\n";
}

}  // namespace harness
