#include "src/container/draft_hooks.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "src/container/draft_reader.h"

namespace ocirt::container {
namespace {

using testing::ElementsAre;

using DraftHooks = Drafting;

TEST_F(DraftHooks, HooksOfTheContainerAreInThePlan) {
  spec.process->env = {"OF=the container"};
  spec.hooks = oci::Hooks{
      .create_container = {{.path = "/bin/a"},
                           {.path = "/bin/b", .args = {"b", "x"}, .env = {"E=1"}, .timeout = 7}},
      .start_container = {{.path = "/bin/c"}}};
  DraftReader draft = read();
  auto create = draft.list(draft.plan().create_container);
  ASSERT_EQ(create.size(), 2u);
  EXPECT_EQ(draft.text(create[0].path), "/bin/a");
  EXPECT_THAT(draft.texts(create[0].args), ElementsAre("/bin/a"));  // absent args: the path alone
  EXPECT_THAT(draft.texts(create[0].env), ElementsAre("OF=the container"));
  EXPECT_EQ(create[0].timeout_s, 0u);
  EXPECT_THAT(draft.texts(create[1].args), ElementsAre("b", "x"));
  EXPECT_THAT(draft.texts(create[1].env), ElementsAre("E=1"));
  EXPECT_EQ(create[1].timeout_s, 7u);
  auto start = draft.list(draft.plan().start_container);
  ASSERT_EQ(start.size(), 1u);
  EXPECT_EQ(draft.text(start[0].path), "/bin/c");
  EXPECT_THAT(draft.texts(start[0].env), ElementsAre("OF=the container"));
}

TEST_F(DraftHooks, TimeoutOfAHookIsNotCutToNone) {
  spec.hooks = oci::Hooks{.create_container = {{.path = "/bin/a", .timeout = int64_t{1} << 32}}};
  DraftReader draft = read();
  EXPECT_EQ(draft.list(draft.plan().create_container)[0].timeout_s, uint32_t{INT32_MAX});
}

TEST_F(DraftHooks, InitStopsForHooksBeforeTheRootIsSwitchedOnly) {
  auto outside = [&](oci::Hooks hooks) {
    spec.hooks = std::move(hooks);
    return read().plan().hooks_outside;
  };
  const std::vector<oci::Hook> some = {{.path = "/bin/a"}};
  EXPECT_FALSE(outside({}));
  EXPECT_TRUE(outside({.prestart = some}));
  EXPECT_TRUE(outside({.create_runtime = some}));
  EXPECT_TRUE(outside({.create_container = some}));  // they need the state document
  EXPECT_FALSE(outside({.start_container = some}));
  EXPECT_FALSE(outside({.poststart = some, .poststop = some}));
}

}  // namespace
}  // namespace ocirt::container
