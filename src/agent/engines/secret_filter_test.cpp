#include "agent/engines/secret_filter.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

std::string Hide(const std::vector<std::string>& secrets, const std::string& line) {
  return SecretFilter(secrets).Hide(line);
}

TEST(SecretFilter, EveryOccurrenceIsReplaced) {
  EXPECT_EQ(Hide({"hunter2", "abc"}, "hunter2 abc, hunter2hunter2"),
            "[secret] [secret], [secret][secret]");
  EXPECT_EQ(Hide({"hunter2"}, "hunter, unter2"), "hunter, unter2");
  EXPECT_EQ(Hide({}, "a line"), "a line");
  EXPECT_EQ(Hide({""}, "a line"), "a line");
}

TEST(SecretFilter, ASecretThatIsAPartOfAnotherLeavesNothingOfIt) {
  EXPECT_EQ(Hide({"abc", "abcdef"}, "abcdef"), "[secret]");
}

TEST(SecretFilter, ASecretThatContainsItsReplacementEnds) {
  EXPECT_EQ(Hide({"[secret]"}, "a [secret]"), "a [secret]");
  EXPECT_EQ(Hide({"x[secret]x"}, "x[secret]x"), "[secret]");
  EXPECT_EQ(Hide({"secret"}, "secret"), "[secret]");
}

TEST(SecretFilter, ASecretIsFoundQuotedAndInJson) {
  const std::string secret = "p\"q\\r&s";
  EXPECT_EQ(Hide({secret}, R"(err="p\"q\\r&s")"), R"(err="[secret]")");
  EXPECT_EQ(Hide({secret}, R"({"err":"p\"q\\r\u0026s"})"), R"({"err":"[secret]"})");
  EXPECT_EQ(Hide({secret}, R"({"err":"Post \"p\\\"q\\\\r\u0026s\": refused"})"),
            R"({"err":"Post \"[secret]\": refused"})");
  EXPECT_EQ(Hide({secret}, R"({"err":"Post \"p\\\"q\\\\r&s\": refused"})"),
            R"({"err":"Post \"[secret]\": refused"})");
}

TEST(SecretFilter, AUrlIsFoundWithoutItsPasswordAndWithOtherEscapes) {
  const std::string url = "https://u:pa!s%2fs@hooks.example/services/{B}?key=T0&x";
  for (const char* line :
       {"https://u:pa!s%2fs@hooks.example/services/{B}?key=T0&x",
        "https://u:pa%21s%2Fs@hooks.example/services/%7BB%7D?key=T0&x",
        R"(Post \"https://u:***@hooks.example/services/%7BB%7D?key=T0\u0026x\": refused)",
        "no such path: /services/{B}?key=T0&x", "the password pa!s/s is wrong"}) {
    const std::string hidden = Hide({url}, line);
    for (const char* part : {"pa!s", "pa%21s", "services", "T0"}) {
      EXPECT_EQ(hidden.find(part), std::string::npos) << hidden;
    }
    EXPECT_NE(hidden.find("[secret]"), std::string::npos) << hidden;
  }
}

TEST(SecretFilter, TheHostOfAUrlWithoutAPathIsNotEveryLine) {
  EXPECT_EQ(Hide({"https://hooks.example/"}, "GET /alerts of hooks.example"),
            "GET /alerts of hooks.example");
}

}  // namespace
}  // namespace meridian::agent
