#include "src/linux/namespaces.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ocirt {
namespace {

TEST(Namespaces, TheFileOfEachKindIsOfItsCloneFlag) {
  EXPECT_EQ(namespace_kinds().size(), 8u);
  for (const NamespaceKind& kind : namespace_kinds()) {
    std::string path = std::string("/proc/self/ns/") + kind.proc_name;
    int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0) << path;
    EXPECT_EQ(static_cast<uint64_t>(ioctl(file, NS_GET_NSTYPE)), kind.clone_flag) << path;
    close(file);
  }
}

TEST(Namespaces, TypesFlagsAndWordsTranslateBothWays) {
  for (const NamespaceKind& kind : namespace_kinds()) {
    EXPECT_EQ(clone_flag(kind.type), kind.clone_flag);
    EXPECT_EQ(namespace_of_flag(kind.clone_flag), &kind);
    EXPECT_EQ(kind.word, oci::to_string(kind.type));
  }
  EXPECT_EQ(namespace_of_flag(0), nullptr);
  EXPECT_EQ(namespace_of_flag(clone_flag(oci::NamespaceType::kPid) |
                              clone_flag(oci::NamespaceType::kIpc)),
            nullptr);
}

}  // namespace
}  // namespace ocirt
