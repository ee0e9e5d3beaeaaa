#include "src/container/hooks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

using HooksTest = StandIn;

oci::Hook shell(std::string script) {
  return {.path = "/bin/sh", .args = {"sh", "-c", std::move(script)}};
}

TEST_F(HooksTest, RunInTheirOrderWithTheStateOnStandardInput) {
  const std::string log = root + "/log";
  const std::vector<oci::Hook> hooks = {shell(cat("cat >>", log, "; echo 1 >>", log)),
                                        shell(cat("cat >>", log, "; echo 2 >>", log))};
  Result<> done = run_hooks(hooks, "state ", "poststart");
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(*sys::read_file(sys::kCwd, log), "state 1\nstate 2\n");
}

TEST_F(HooksTest, FirstThatFailsEndsThemAndIsNamed) {
  const std::string log = root + "/log";
  const std::vector<oci::Hook> hooks = {shell("exit 0"), shell("echo no good >&2; exit 3"),
                                        shell(cat("echo ran >", log))};
  Result<> done = run_hooks(hooks, "{}", "createRuntime");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, 0);
  EXPECT_EQ(done.error().text,
            "error running hook: hooks.createRuntime[1] (/bin/sh): exited with status 3; its last "
            "output: no good");
  EXPECT_FALSE(sys::exists(sys::kCwd, log));
}

TEST_F(HooksTest, WithoutArgumentsGetTheirPathAsTheOnlyOne) {
  const std::string script = root + "/hook";
  UniqueFd fd = *sys::open(sys::kCwd, script, O_WRONLY | O_CREAT, 0700);
  ASSERT_TRUE(sys::write_all(fd, script, cat("#!/bin/sh\necho $# $0 >", root, "/log\n")));
  fd.reset();
  const oci::Hook hook{.path = script};
  Result<> done = run_hooks({&hook, 1}, "{}", "poststop");
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_EQ(*sys::read_file(sys::kCwd, root + "/log"), cat("0 ", script, "\n"));
}

TEST_F(HooksTest, HaveTheirOwnEnvironmentOnly) {
  ::setenv("OCIRT_TEST_VARIABLE", "ours", 1);
  oci::Hook hook = shell("echo $NAME $OCIRT_TEST_VARIABLE.; exit 1");
  hook.env = {"NAME=value"};
  Result<> done = run_hooks({&hook, 1}, "{}", "prestart");
  ::unsetenv("OCIRT_TEST_VARIABLE");
  EXPECT_EQ(done.error().text,
            "error running hook: hooks.prestart[0] (/bin/sh): exited with status 1; its last "
            "output: value .");
}

TEST_F(HooksTest, WithoutAnEnvironmentHaveOurs) {
  ::setenv("OCIRT_TEST_VARIABLE", "ours", 1);
  const oci::Hook hook = shell("echo $OCIRT_TEST_VARIABLE.; exit 1");
  Result<> done = run_hooks({&hook, 1}, "{}", "prestart");
  ::unsetenv("OCIRT_TEST_VARIABLE");
  EXPECT_EQ(done.error().text,
            "error running hook: hooks.prestart[0] (/bin/sh): exited with status 1; its last "
            "output: ours.");
}

TEST_F(HooksTest, ThatCannotBeExecutedSaysWhy) {
  const oci::Hook hook{.path = root + "/none"};
  Result<> done = run_hooks({&hook, 1}, "{}", "poststop");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ENOENT);
  EXPECT_EQ(done.error().text, cat("error running hook: hooks.poststop[0] (", root,
                                   "/none): could not be executed: ", errno_text(ENOENT)));
}

TEST_F(HooksTest, ThatOutlivesItsTimeoutFails) {
  oci::Hook hook = shell("exec sleep 60");
  hook.timeout = 1;
  Result<> done = run_hooks({&hook, 1}, "{}", "prestart");
  ASSERT_FALSE(done);
  EXPECT_EQ(
      done.error().text,
      "error running hook: hooks.prestart[0] (/bin/sh): did not end within its timeout of 1 s");
}

TEST_F(HooksTest, TimeoutThatDoesNotFitIsForEver) {
  EXPECT_EQ(timeout_of({}), 0u);
  EXPECT_EQ(timeout_of({.timeout = 5}), 5u);
  EXPECT_EQ(timeout_of({.timeout = INT32_MAX}), uint32_t{INT32_MAX});
  EXPECT_EQ(timeout_of({.timeout = int64_t{1} << 32}), uint32_t{INT32_MAX});
}

TEST_F(HooksTest, NoneAreNoFailure) { EXPECT_TRUE(run_hooks({}, "{}", "prestart")); }

TEST_F(HooksTest, StateFileIsReadOnlyAndAtItsBeginning) {
  UniqueFd file = *state_file("{\"id\":\"c1\"}");
  EXPECT_EQ(*sys::read_all(file, "state"), "{\"id\":\"c1\"}");
  EXPECT_EQ(::pwrite(file.raw(), "x", 1, 0), -1);
}

// -- those of the saved configuration

class SavedHooks : public StandIn {
 protected:
  SavedHooks() { add("c1", 0); }
  Result<oci::Hooks> saved(std::string_view kind) {
    Directory directory = find("c1");
    return saved_hooks(directory, Record(), kind);
  }
  void save(std::string_view hooks) {
    write_file("c1", "config.json",
               cat(R"({"ociVersion": "1.0.2", "root": {"path": "r"},)",
                   R"("process": {"args": ["a"], "cwd": "/"},)",
                   R"("linux": {"namespaces": [{"type": "mount"}]}, "hooks": )", hooks, "}"));
  }
};

TEST_F(SavedHooks, AreThoseOfTheConfiguration) {
  save(R"({"poststop": [{"path": "/bin/a"}, {"path": "/bin/b"}]})");
  Result<oci::Hooks> hooks = saved("poststop");
  ASSERT_TRUE(hooks) << hooks.error().text;
  ASSERT_EQ(hooks->poststop.size(), 2u);
  EXPECT_EQ(hooks->poststop[1].path, "/bin/b");
}

TEST_F(SavedHooks, AreFoundHoweverJsonSpellsTheirName) {
  save(R"({"\u0070oststop": [{"path": "/bin/a"}]})");
  EXPECT_EQ(saved("poststop")->poststop.size(), 1u);
  save(R"({"PostStop": [{"path": "/bin/a"}]})");
  EXPECT_EQ(saved("poststop")->poststop.size(), 1u);
}

TEST_F(SavedHooks, OfAConfigurationWithoutTheWordAreNone) {
  write_file("c1", "config.json", "not even JSON");
  Result<oci::Hooks> hooks = saved("poststop");
  ASSERT_TRUE(hooks) << hooks.error().text;
  EXPECT_EQ(*hooks, oci::Hooks());
}

// A create that was killed early has left no configuration, and delete has to go on.
TEST_F(SavedHooks, WithoutAConfigurationAreNone) { EXPECT_EQ(*saved("poststop"), oci::Hooks()); }

TEST_F(SavedHooks, OfADamagedConfigurationAreAnError) {
  write_file("c1", "config.json", "{\"hooks\": {\"poststop\": [");
  EXPECT_FALSE(saved("poststop"));
}

}  // namespace
}  // namespace ocirt::container
