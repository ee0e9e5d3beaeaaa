#include "src/podfile/image_facts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace ocirt::podfile {
namespace {

struct ImageFactsOf : ::testing::Test {
  ImageFactsOf() {
    std::filesystem::create_directories(top + "/etc");
    write("passwd", "root:x:0:0::/:/bin/sh\n");
  }
  ~ImageFactsOf() override { std::filesystem::remove_all(top); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(top + "/etc/" + name) << text;
  }
  Result<ImageFacts> look() const {
    Image image;
    image.kind = ImageKind::kRootfs;
    image.path = top;
    return look_at(image, "/", top);
  }

  std::string top = ::testing::TempDir() + "image-facts." + std::to_string(::getpid());
};

TEST_F(ImageFactsOf, AnImageAreItsPasswdAndGroup) {
  const Result<ImageFacts> facts = look();
  ASSERT_TRUE(facts) << facts.error().text;
  EXPECT_EQ(facts->passwd, "root:x:0:0::/:/bin/sh\n");
  EXPECT_EQ(facts->group, "");  // it has none
}

TEST_F(ImageFactsOf, AnImageWhosePasswdIsTooLargeAreRefused) {
  std::filesystem::resize_file(top + "/etc/passwd", uint64_t{1} << 40);  // a hole
  const Result<ImageFacts> facts = look();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, EFBIG);
  EXPECT_TRUE(facts.error().text.contains(top + "/etc/passwd")) << facts.error().text;
}

TEST_F(ImageFactsOf, AnImageWhosePasswdIsALinkToTheHostAreReadInsideOfIt) {
  std::filesystem::remove(top + "/etc/passwd");
  std::filesystem::create_symlink("/etc/other", top + "/etc/passwd");
  write("other", "of the image\n");
  EXPECT_EQ(look()->passwd, "of the image\n");
}

TEST_F(ImageFactsOf, AnImageWhosePasswdIsAFifoAreReadWithoutWaiting) {
  std::filesystem::remove(top + "/etc/passwd");
  ASSERT_EQ(::mkfifo((top + "/etc/passwd").c_str(), 0600), 0);
  EXPECT_EQ(look()->passwd, "");
}

}  // namespace
}  // namespace ocirt::podfile
