#include "base/text/base64.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace meridian {
namespace {

TEST(Base64, TextsOfTheRfc) {
  for (const auto& [bytes, text] :
       std::initializer_list<std::pair<std::string, std::string>>{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(Base64(bytes), text);
    auto back = FromBase64(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Base64, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (size_t length = 0; length <= bytes.size(); ++length) {
    const std::string part = bytes.substr(bytes.size() - length);
    auto back = FromBase64(Base64(part));
    ASSERT_TRUE(back) << length;
    EXPECT_EQ(*back, part);
  }
}

TEST(Base64, OtherTextsAreRefused) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg==Zg==", "=", "====", "Z===", "Zm9v\n", "Zm 9",
                           "Zm-_", "Zh==", "Zm9="}) {
    EXPECT_FALSE(FromBase64(text)) << text;
  }
}

}  // namespace
}  // namespace meridian
