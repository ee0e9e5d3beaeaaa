#include "tests/faults/races_model.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace harness {
namespace {

struct State {
  enum Phase : char { kAbsent, kCreating, kCreated, kRunning } phase = kAbsent;
  bool paused = false;
  // It has got SIGKILL, or will not live for another reason: from now on it may have stopped.
  bool dying = false;
  int maker = -1;  // whose create is under way

  bool operator==(const State&) const = default;
};

bool says(const Event& event, const char* part) {
  return event.text.find(part) != std::string::npos;
}

std::string status_in(const std::string& text) {
  constexpr std::string_view kKey = "\"status\":";
  const size_t at = text.find(kKey), begin = text.find('"', at + kKey.size());
  if (at == std::string::npos || begin == std::string::npos) return "";
  return text.substr(begin + 1, text.find('"', begin + 1) - begin - 1);
}

// What the state is after a step of the call, if it may answer so in this state.
using After = std::optional<State>;

After if_true(bool holds, State state) { return holds ? After(state) : std::nullopt; }

bool is_there(const State& state) {
  return state.phase == State::kCreated || state.phase == State::kRunning;
}

// A create begins by taking the name, and is done later. `stage` 0 is the taking.
After create_step(const Event& event, State state, int index, int stage) {
  const bool exists = event.code != 0 && says(event, "already exists");
  if (stage == 0) {
    if (exists && state.phase != State::kAbsent) return state;
    // (One that answers so may have taken the name: a delete --force took it away, and another
    // create came first after that.)
    if (state.phase != State::kAbsent) return std::nullopt;
    return State{.phase = State::kCreating, .maker = index};
  }
  if (exists) return std::nullopt;
  if (state.phase != State::kCreating || state.maker != index) return std::nullopt;
  if (event.code == 0) return State{.phase = State::kCreated, .dying = state.dying};
  // Its process was killed.
  return if_true(state.dying, State{});
}

// A delete of a container that has not stopped ends it first.
After delete_step(const Event& event, State state, int stage) {
  if (stage == 1) return if_true(is_there(state) && state.dying, State{});
  if (event.verb == Verb::kDelete) {
    const bool may = state.dying || (state.phase == State::kCreated && !state.paused);
    if (!is_there(state) || !may) return std::nullopt;
  }
  state.dying = state.dying || is_there(state);
  return state;
}

bool takes_two_steps(const Event& event, const State& before) {
  if (event.verb == Verb::kCreate) {
    return event.code == 0 || !says(event, "already exists") || before.phase == State::kAbsent;
  }
  const bool deletes = event.verb == Verb::kDelete || event.verb == Verb::kDeleteForce;
  return deletes && event.code == 0 && is_there(before);
}

After failed_step(const Event& event, const State& state) {
  if (says(event, "does not exist")) return if_true(state.phase == State::kAbsent, state);
  if (state.phase == State::kAbsent) return std::nullopt;
  if (says(event, "being created")) return if_true(state.phase == State::kCreating, state);
  // Or half deleted.
  if (says(event, "half created"))
    return if_true(state.phase == State::kCreating || state.dying, state);
  if (state.dying) return state;
  switch (event.verb) {
    case Verb::kStart:
      if (state.paused) return if_true(says(event, "start a paused"), state);
      return if_true(says(event, "already running") && state.phase == State::kRunning, state);
    case Verb::kDelete:
      return if_true(says(event, state.paused ? "not stopped: paused" : "not stopped: running") &&
                         (state.paused || state.phase == State::kRunning),
                     state);
    case Verb::kPause:
      return if_true(state.paused && says(event, "paused already"), state);
    case Verb::kResume:
      return if_true(!state.paused && says(event, "not paused"), state);
    default:
      return std::nullopt;
  }
}

After step(const Event& event, State state, int index, int stage) {
  if (event.verb == Verb::kCreate) return create_step(event, state, index, stage);
  if (event.code != 0) return failed_step(event, state);
  const bool there = is_there(state);
  switch (event.verb) {
    case Verb::kStart:
      if (state.phase != State::kCreated || (state.paused && !state.dying)) return std::nullopt;
      state.phase = State::kRunning;
      return state;
    case Verb::kKill:
      state.dying = true;
      return if_true(state.phase != State::kAbsent, state);
    case Verb::kDelete:
    case Verb::kDeleteForce:
      return delete_step(event, state, stage);
    case Verb::kPause:
      state.paused = true;
      return if_true(there, state);
    case Verb::kResume: {
      const bool possible = state.paused || state.dying;
      state.paused = false;
      return if_true(there && possible, state);
    }
    case Verb::kExec:
      return if_true(there && !state.paused, state);
    case Verb::kState: {
      const std::string status = status_in(event.text);
      if (status == "creating") return if_true(state.phase == State::kCreating, state);
      if (status == "stopped") return if_true(state.dying, state);
      if (status == "paused") return if_true(there && (state.paused || state.dying), state);
      // Recorded, and about to be answered for.
      if (status == "created")
        return if_true((state.phase == State::kCreated && (!state.paused || state.dying)) ||
                           state.phase == State::kCreating,
                       state);
      if (status == "running")
        return if_true(there && (state.dying || (state.phase == State::kRunning && !state.paused)),
                       state);
      return std::nullopt;
    }
    case Verb::kCreate:
      break;
  }
  return std::nullopt;
}

class Search {
 public:
  explicit Search(const std::vector<Event>& events) : events_(events), stage_(events.size(), '0') {}

  bool run() { return go(State{}, 0); }
  size_t furthest() const { return furthest_; }

 private:
  // Every event before `first` is in its place.
  bool go(State state, size_t first) {
    while (first < events_.size() && stage_[first] == 'x') ++first;
    furthest_ = std::max(furthest_, first);
    if (first == events_.size()) return true;
    std::string key = stage_.substr(first);
    key.resize(std::min<size_t>(key.size(), key.find_last_not_of('0') + 1));
    const std::array<int, 5> now{static_cast<int>(first), state.phase, state.paused, state.dying,
                                 state.maker};
    if (!seen_.insert({key, now}).second) return false;
    // What begins after something else that is not in its place has ended comes later than that.
    int64_t end = INT64_MAX;
    for (size_t i = first; i < events_.size() && events_[i].begin < end; ++i)
      if (stage_[i] != 'x') end = std::min(end, events_[i].end);
    for (size_t i = first; i < events_.size() && events_[i].begin <= end; ++i) {
      if (stage_[i] == 'x') continue;
      const int stage = stage_[i] - '0';
      const After after = step(events_[i], state, static_cast<int>(i), stage);
      if (!after) continue;
      const char before = stage_[i];
      stage_[i] = stage == 0 && takes_two_steps(events_[i], state) ? '1' : 'x';
      if (go(*after, first)) return true;
      // A name that has been taken, but nothing more, may be taken away, and is taken anew.
      if (events_[i].verb == Verb::kDeleteForce && state.phase == State::kCreating) {
        stage_[static_cast<size_t>(state.maker)] = '0';
        if (go(State{}, first)) return true;
        stage_[static_cast<size_t>(state.maker)] = '1';
      }
      stage_[i] = before;
    }
    return false;
  }

  const std::vector<Event>& events_;
  std::string stage_;  // '0', '1': half of a create, 'x': in its place
  std::set<std::pair<std::string, std::array<int, 5>>> seen_;
  size_t furthest_ = 0;
};

}  // namespace

std::string why_impossible(std::vector<Event> events) {
  std::ranges::sort(events, {}, &Event::begin);
  Search search(events);
  if (search.run()) return "";
  constexpr const char* kNames[] = {"create", "start", "kill",   "delete", "delete --force",
                                    "state",  "pause", "resume", "exec"};
  std::ostringstream text;
  text << "no order explains these calls (begin and end in us):\n";
  const size_t from = search.furthest() > 12 ? search.furthest() - 12 : 0;
  for (size_t i = from; i < events.size() && i < search.furthest() + 12; ++i) {
    const Event& event = events[i];
    text << (i == search.furthest() ? "-> " : "   ") << (event.begin - events[0].begin) / 1000
         << " to " << (event.end - events[0].begin) / 1000 << ' '
         << kNames[static_cast<int>(event.verb)] << ": " << event.code << event.text << '\n';
  }
  return text.str();
}

}  // namespace harness
