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
    ::close(file);
  }
}

TEST(Namespaces, TypesHaveTheirFlagsAndTheWordsOfTheSpecification) {
  for (const NamespaceKind& kind : namespace_kinds()) {
    EXPECT_EQ(clone_flag(kind.type), kind.clone_flag);
    EXPECT_EQ(kind.word, oci::to_string(kind.type));
  }
}

}  // namespace
}  // namespace ocirt
