// For tests: an empty directory in /tmp, removed with everything in it when the test ends.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "src/sys/file.h"

namespace ocirt::sys {

class TestDirectory : public testing::Test {
 public:
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

 protected:
  TestDirectory()
      : path(::mkdtemp(name_) != nullptr ? name_ : ""),
        dir(*open(kCwd, path, O_RDONLY | O_DIRECTORY)) {}
  ~TestDirectory() override { (void)remove_tree(kCwd, path); }

  // Makes a file, or replaces its content.
  void put(CStr file, std::string_view content, mode_t mode = 0600) {
    UniqueFd fd = *open(dir, file, O_WRONLY | O_CREAT | O_TRUNC, mode);
    EXPECT_TRUE(write_all(fd, file.view(), content));
  }

 private:
  char name_[32] = "/tmp/ocirt-sys-test-XXXXXX";

 protected:
  const std::string path;
  const UniqueFd dir;
};

}  // namespace ocirt::sys
