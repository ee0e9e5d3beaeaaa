#include "src/base/base64.h"

#include <gtest/gtest.h>

namespace ocirt {
namespace {

TEST(Base64, IsDecoded) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64("/+8A"), std::string("\xff\xef\0", 3));
}

TEST(Base64, ThatIsNoneIsRefused) {
  for (const char* text : {"Z", "Zm9", "Zg=", "=", "====", "Zg==Zg==", "Zm9-", "Zm 9", "Z==="}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace ocirt
