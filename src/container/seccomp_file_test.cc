#include "src/container/seccomp_file.h"

#include <cerrno>

#include "src/container/stand_in.h"

namespace ocirt::container {
namespace {

class SeccompFile : public StandIn {
 protected:
  SeccompFile() { add("c1", 0); }
  Result<> save(const StoredFilter& filter) {
    Directory directory = find("c1");
    return write_filter(directory, filter);
  }
  Result<StoredFilter> load() {
    Directory directory = find("c1");
    return read_filter(directory);
  }
  std::string content() { return *sys::read_file(store.fd(), "c1/seccomp.bpf"); }
  void overwrite(std::string_view bytes) { write_file("c1", "seccomp.bpf", bytes); }
  void expect_damaged() {
    Result<StoredFilter> filter = load();
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().text, "seccomp.bpf in the container's directory is damaged");
  }
};

TEST_F(SeccompFile, IsReadBackAsItWasWritten) {
  const StoredFilter filter{6, {1, 0xffffffffffffffff, 0, 42}};
  ASSERT_TRUE(save(filter));
  StoredFilter read = *load();
  EXPECT_EQ(read.flags, filter.flags);
  EXPECT_EQ(read.program, filter.program);
  EXPECT_EQ(sys::stat(store.fd(), "c1/seccomp.bpf")->st_mode & 07777, 0600u);
}

TEST_F(SeccompFile, HoldsTheLargestProgramThatTheKernelTakes) {
  ASSERT_TRUE(save({0, std::vector<uint64_t>(4096, 7)}));
  EXPECT_EQ(load()->program.size(), 4096u);
}

TEST_F(SeccompFile, OfAContainerWithoutAFilterIsAbsent) {
  ASSERT_TRUE(save({0, {}}));
  EXPECT_FALSE(in_store("c1/seccomp.bpf"));
  StoredFilter none = *load();
  EXPECT_TRUE(none.program.empty());
  EXPECT_EQ(none.flags, 0u);
}

TEST_F(SeccompFile, IsWrittenOnce) {
  ASSERT_TRUE(save({1, {1}}));
  Result<> again = save({2, {2}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, EEXIST);
  EXPECT_EQ(load()->flags, 1u);
}

// exec must never run without the filter that the container has.
TEST_F(SeccompFile, CutShortAtAnyPlaceIsAnErrorAndNotNoFilter) {
  ASSERT_TRUE(save({1, {1, 2, 3}}));
  const std::string whole = content();
  for (size_t size = 0; size < whole.size(); ++size) {
    overwrite(whole.substr(0, size));
    expect_damaged();
  }
}

TEST_F(SeccompFile, WithMoreThanItSaysIsAnError) {
  ASSERT_TRUE(save({1, {1}}));
  overwrite(content() + std::string(8, '\0'));
  expect_damaged();
}

TEST_F(SeccompFile, ThatCountsNothingOrTooMuchIsAnError) {
  overwrite(std::string(8, '\0'));
  expect_damaged();
  std::string large(8 + 4097 * 8, '\0');
  const uint32_t count = 4097;
  large.replace(4, 4, reinterpret_cast<const char*>(&count), 4);
  overwrite(large);
  expect_damaged();
}

}  // namespace
}  // namespace ocirt::container
