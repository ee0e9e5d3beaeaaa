// Random lives of random pods, against what must hold whatever happens.
//
// The model knows nothing of the machine but its actions: it keeps a world of containers that exist
// or not, answers late, in any order and with any result, lets processes end at any time, and kills
// the shim now and then. A failure prints its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "src/base/text.h"
#include "src/pod/lifecycle.h"
#include "src/pod/test_world.h"

namespace ocirt::pod {
namespace {

// What exists of one container in the model's world.
struct Thing {
  bool making = false;    // Create is not answered
  bool made = false;      // created and not removed
  bool starting = false;  // Start is not answered
  bool began = false;     // its program has run
  bool alive = false;     // its process
  bool removing = false;
  uint32_t attempt = 0;
  int creates = 0;  // answered well
  int removes = 0;
  bool succeeded = false;  // at its last end
};

class Model {
 public:
  explicit Model(uint32_t seed)
      : random_(seed), pod_(random_pod()), life_(pod_), things_(pod_.containers.size()) {}

  void run() {
    Result<> valid = check_pod(pod_);
    ASSERT_TRUE(valid) << valid.error().text;
    life_.start(now_);
    carry_out();
    const int steps = below(150);
    for (int i = 0; i < steps && !failed(); ++i) step();
    // From here on everything is answered and everything that is killed dies: it must end.
    life_.stop(below(3) == 0 ? 0 : 30, now_);
    carry_out();
    for (int i = 0; i < 500 && !ended_ && !failed(); ++i) {
      if (!answer_something()) pass_time();
    }
    ASSERT_TRUE(ended_) << "stop() does not end it";
    ASSERT_TRUE(life_.has_ended());
    EXPECT_FALSE(life_.deadline());
    for (const Thing& thing : things_) {
      EXPECT_FALSE(thing.made || thing.making || thing.alive) << "something is left";
      if (adoptions_ == 0) {
        EXPECT_EQ(thing.creates, thing.removes);
      }
    }
    const Phase phase = life_.status().phase;
    EXPECT_TRUE(phase == Phase::kSucceeded || phase == Phase::kFailed);
    life_.time(now_);
    EXPECT_TRUE(life_.take_actions().empty()) << "something happens after the end";
  }

 private:
  static bool failed() { return ::testing::Test::HasFailure(); }
  int below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }

  Pod random_pod() {
    std::vector<Container> containers;
    const auto add = [&](Role role) {
      const RestartPolicy policy =
          role == Role::kSidecar ? RestartPolicy::kAlways : static_cast<RestartPolicy>(below(3));
      Container one = test_container(cat("c", containers.size()), role, policy);
      if (role != Role::kInit) {
        if (chance(30)) one.startup = test_probe(1, 1 + below(3));
        if (chance(30)) one.liveness = test_probe(1, 1 + below(3));
        if (chance(30)) one.readiness = test_probe(1, 1 + below(3));
        if (chance(20)) one.post_start = test_handler();
        if (chance(20)) one.pre_stop = test_handler();
        if (chance(10)) one.post_start.emplace().sleep_seconds = below(4);
        if (chance(10)) one.pre_stop.emplace().sleep_seconds = below(40);
      }
      containers.push_back(one);
    };
    for (int i = below(4); i > 0; --i) add(chance(50) ? Role::kInit : Role::kSidecar);
    for (int i = 1 + below(3); i > 0; --i) add(Role::kApp);
    Pod pod = test_pod(containers);
    if (chance(10)) pod.active_deadline_seconds = 1 + below(100);
    pod.grace_seconds = below(20);
    return pod;
  }

  // One thing that may happen in any pod at any time.
  void step() {
    const int what = below(100);
    if (what < 55) {
      if (!answer_something()) pass_time();
    } else if (what < 75) {
      end_somebody();
    } else if (what < 90) {
      pass_time();
    } else if (what < 93) {
      static_cast<void>(life_.restart(below(static_cast<int>(things_.size())), now_));
    } else if (what < 95) {
      answer_wrongly();
    } else if (what < 97) {
      change_shims();
    } else if (what == 97) {
      life_.stop(below(30), now_);
    }
    carry_out();
  }

  void pass_time() {
    const std::optional<int64_t> next = life_.deadline();
    now_.ns = std::max(now_.ns, next && chance(70) ? *next : now_.ns + below(20) * kTestSecond / 3);
    life_.time(now_);
    carry_out();
    const std::optional<int64_t> later = life_.deadline();
    ASSERT_FALSE(later && *later <= now_.ns)
        << "a deadline that is over would be waited for in a loop";
  }

  // An answer that is owed, any of them.
  bool answer_something() {
    if (owed_.empty()) return false;
    const size_t which = below(static_cast<int>(owed_.size()));
    const Action action = owed_[which];
    owed_.erase(owed_.begin() + static_cast<ptrdiff_t>(which));
    std::visit([&](const auto& one) { answer(one); }, action);
    carry_out();
    return true;
  }
  void answer(const Create& a) {
    Thing& thing = things_[a.of.container];
    thing.making = false;
    if (chance(20)) return life_.create_failed(a.of, "why", now_);
    thing.made = thing.alive = true;
    thing.began = false;
    ++thing.creates;
    life_.created(a.of, {.pid = ++pids_, .start_time = 1}, now_);
  }
  void answer(const Start& a) {
    Thing& thing = things_[a.of.container];
    thing.starting = false;
    if (chance(10)) return life_.start_failed(a.of, "why", now_);
    thing.began = true;
    life_.started(a.of, now_);
  }
  void answer(const Signal& a) { end(a.of, {.signal = a.signal}); }
  void answer(const Kill& a) { end(a.of, {.signal = 9}); }
  void answer(const Remove& a) {
    Thing& thing = things_[a.of.container];
    thing.removing = false;
    if (thing.made) ++thing.removes;
    thing.made = false;
    life_.removed(a.of, now_);
  }
  void answer(const RunProbe& a) { life_.probed(a.of, a.kind, chance(60), "", now_); }
  void answer(const RunHandler& a) { life_.handled(a.of, a.kind, chance(70), "", now_); }
  void answer(const auto&) {}

  void end_somebody() {
    const uint32_t who = below(static_cast<int>(things_.size()));
    end({who, things_[who].attempt}, {.code = chance(60) ? 0 : 1});
  }
  void end(Instance of, Exit exit) {
    Thing& thing = things_[of.container];
    if (!thing.alive || thing.attempt != of.attempt) return;
    thing.alive = false;
    thing.succeeded = exit.status() == 0 && (thing.began || thing.starting);
    life_.exited(of, exit, chance(10), now_);
  }

  // About instances that are no more, and of kinds that nobody waits for.
  void answer_wrongly() {
    const uint32_t who = below(static_cast<int>(things_.size()));
    const Instance old{who, things_[who].attempt - 1};
    life_.created(old, {}, now_);
    life_.create_failed(old, "", now_);
    life_.started(old, now_);
    life_.start_failed(old, "", now_);
    life_.exited(old, {}, false, now_);
    life_.removed(old, now_);
    life_.handled({who, things_[who].attempt}, HandlerKind::kPreStop, chance(50), "", now_);
  }

  // The shim is killed: what it waited for is lost, the workers' work is done or not.
  void change_shims() {
    if (life_.has_ended()) return;
    Result<State> state = read_state(write_state(life_.state()));
    ASSERT_TRUE(state) << state.error().text;
    for (const Action& action : std::exchange(owed_, {})) {
      if (const auto* create = std::get_if<Create>(&action); create != nullptr) {
        Thing& thing = things_[create->of.container];
        thing.making = false;
        thing.made = thing.alive = chance(50);
      }
      if (const auto* remove = std::get_if<Remove>(&action); remove != nullptr) {
        things_[remove->of.container].removing = false;
      }
      if (const auto* start = std::get_if<Start>(&action); start != nullptr) {
        things_[start->of.container].starting = false;
      }
    }
    std::vector<Found> found;
    for (size_t i = 0; i < things_.size(); ++i) {
      Thing& thing = things_[i];
      // That of a container whose creation was cut off is not recorded, so that it is not found.
      const bool known = state->status.containers[i].process.pid != 0;
      found.push_back({.alive = thing.alive && known});
      if (!known) thing.alive = false;  // Remove kills what it finds
    }
    ++adoptions_;
    life_ = Lifecycle::adopt(pod_, *state, found, now_);
    carry_out();
  }

  void carry_out() {
    for (;;) {
      const std::vector<Action> actions = life_.take_actions();
      if (actions.empty()) return;
      for (const Action& action : actions) {
        ASSERT_FALSE(ended_) << "an action after the end";
        std::visit([&](const auto& one) { check(one); }, action);
        if (failed()) return;
      }
    }
  }

  void check(const Create& a) {
    Thing& thing = things_[a.of.container];
    ASSERT_FALSE(thing.making || thing.made || thing.removing) << "two instances of one container";
    ASSERT_EQ(a.of.attempt, thing.attempt + 1);
    ASSERT_FALSE(life_.status().reason) << "something is made while the pod ends";
    for (uint32_t i = 0; i < a.of.container; ++i) {
      const Container& before = pod_.containers[i];
      if (before.role == Role::kInit) {
        ASSERT_TRUE(things_[i].succeeded && !things_[i].made) << "before an init container is done";
      }
      if (before.role == Role::kSidecar && pod_.containers[a.of.container].role != Role::kSidecar) {
        ASSERT_TRUE(life_.status().containers[i].restart_count > 0 || things_[i].creates > 0 ||
                    adoptions_ > 0)
            << "before a sidecar was there";
      }
    }
    thing.making = true;
    thing.attempt = a.of.attempt;
    owed_.push_back(a);
  }
  void check(const Start& a) {
    const Thing& thing = things_[a.of.container];
    ASSERT_TRUE(thing.made && !thing.starting && !thing.began && a.of.attempt == thing.attempt);
    things_[a.of.container].starting = true;
    owed_.push_back(a);
  }
  void check(const Signal& a) {
    ASSERT_TRUE(things_[a.of.container].began && a.of.attempt == things_[a.of.container].attempt);
    check_order_of_stop(a.of.container);
    if (chance(60)) owed_.push_back(a);  // else it is ignored
  }
  void check(const Kill& a) {
    ASSERT_TRUE(things_[a.of.container].made && a.of.attempt == things_[a.of.container].attempt);
    owed_.push_back(a);
  }
  void check(const Remove& a) {
    Thing& thing = things_[a.of.container];
    ASSERT_FALSE(thing.alive) << "removed while it lives";
    ASSERT_FALSE(thing.removing);
    if (adoptions_ == 0) {
      ASSERT_TRUE(thing.made) << "removed without having been created";
    }
    thing.removing = true;
    owed_.push_back(a);
  }
  void check(const RunProbe& a) {
    ASSERT_TRUE(things_[a.of.container].began);
    for (const Action& other : owed_) {
      const auto* asked = std::get_if<RunProbe>(&other);
      ASSERT_FALSE(asked != nullptr && asked->of == a.of && asked->kind == a.kind) << "asked twice";
    }
    if (a.kind != ProbeKind::kStartup) {
      ASSERT_TRUE(life_.status().containers[a.of.container].started) << "before its start is over";
    }
    owed_.push_back(a);
  }
  void check(const RunHandler& a) { owed_.push_back(a); }
  void check(const Publish&) {}
  void check(const Launched&) { ASSERT_EQ(answers_++, 0); }
  void check(const LaunchFailed&) { ASSERT_EQ(answers_++, 0); }
  void check(const Ended&) { ended_ = true; }

  // While the pod ends, a sidecar is asked to end only when all who may use it are gone, or have
  // used up the time that there was.
  void check_order_of_stop(uint32_t who) {
    if (!life_.status().reason || pod_.containers[who].role != Role::kSidecar) return;
    if (adoptions_ > 0 || condemned(who)) return;
    if (now_.ns >= life_.state().stop_deadline_ns) return;
    for (uint32_t i = 0; i < things_.size(); ++i) {
      const bool sidecar = pod_.containers[i].role == Role::kSidecar;
      if (i == who || (sidecar && i < who)) continue;
      ASSERT_FALSE(things_[i].made) << "a sidecar ends before " << pod_.containers[i].name;
    }
  }
  // It may have been ended by a probe or for a restart just before.
  bool condemned(uint32_t who) {
    const SavedContainer saved = life_.state().containers[who];
    return saved.condemned || saved.restart_asked;
  }

  std::mt19937 random_;
  Pod pod_;
  Lifecycle life_;
  std::vector<Thing> things_;
  std::vector<Action> owed_;
  Instant now_{.ns = 1000 * kTestSecond};
  int pids_ = 100;
  int answers_ = 0;
  int adoptions_ = 0;
  bool ended_ = false;
};

TEST(PodModel, HoldsInRandomLives) {
  for (uint32_t seed = 1; seed <= 3000; ++seed) {
    Model(seed).run();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ocirt::pod
