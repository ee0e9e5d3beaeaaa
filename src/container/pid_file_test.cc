#include "src/container/pid_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "src/base/text.h"
#include "src/sys/file.h"
#include "src/sys/test_directory.h"

namespace ocirt::container {
namespace {

using testing::UnorderedElementsAre;

class PidFiles : public sys::TestDirectory {
 protected:
  // Written and kept.
  void write(pid_t pid) {
    Result<PidFile> file = PidFile::write(path + "/pid", pid);
    ASSERT_TRUE(file) << file.error().text;
    file->keep();
  }
};

TEST_F(PidFiles, HoldThePidWithoutANewline) {
  write(4321);
  EXPECT_EQ(*sys::read_file(dir, "pid"), "4321");
  EXPECT_THAT(*sys::list_directory(dir, "."), UnorderedElementsAre("pid"));
}

TEST_F(PidFiles, OfAnEarlierContainerAreReplaced) {
  put("pid", "99999999");
  write(7);
  EXPECT_EQ(*sys::read_file(dir, "pid"), "7");
}

TEST_F(PidFiles, AreNotWrittenThroughALink) {
  put("victim", "untouched");
  ASSERT_EQ(::symlink("victim", cat(path, "/pid").c_str()), 0);
  write(7);
  EXPECT_EQ(*sys::read_file(dir, "victim"), "untouched");
  EXPECT_EQ(*sys::read_file(dir, "pid"), "7");
}

TEST_F(PidFiles, OfWhatNeverBeganAreTakenBack) {
  {
    ASSERT_TRUE(PidFile::write(path + "/pid", 7));
  }
  EXPECT_THAT(*sys::list_directory(dir, "."), UnorderedElementsAre());
}

TEST_F(PidFiles, ThatNobodyAskedForAreNotWritten) { EXPECT_TRUE(PidFile::write("", 7)); }

TEST_F(PidFiles, ThatCannotBeWrittenAreNamedAndNothingIsLeft) {
  Result<PidFile> written = PidFile::write(path + "/none/pid", 7);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text,
            cat("--pid-file: the directory of ", path, "/none/pid is missing"));
  ASSERT_TRUE(sys::mkdir(dir, "taken", 0700));
  EXPECT_EQ(PidFile::write(path + "/taken", 7).error().text,
            cat("--pid-file: write ", path, "/taken: Is a directory"));
  EXPECT_THAT(*sys::list_directory(dir, "."), UnorderedElementsAre("taken"));
}

}  // namespace
}  // namespace ocirt::container
