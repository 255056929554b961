#include "wire/resp/first_key.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::wire::resp {
namespace {

// All guesses in order, until the input is used up.
std::vector<std::string> Keys(std::string_view input) {
  std::vector<std::string> keys;
  while (!input.empty()) keys.emplace_back(TakeFirstKey(&input));
  return keys;
}

using Guesses = std::vector<std::string>;

TEST(FirstKey, IsTheSecondArgumentOfEachRequest) {
  EXPECT_EQ(Keys("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
                 "*1\r\n$4\r\nPING\r\n"
                 "*3\r\n$3\r\nSET\r\n$2\r\nbc\r\n$12\r\nlong enough!\r\n"),
            (Guesses{"a", "", "bc"}));
}

TEST(FirstKey, NoKeyIsGuessedOfAnIncompleteRequest) {
  std::string_view whole = "*2\r\n$3\r\nGET\r\n$2\r\nab\r\n";
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(Keys(whole.substr(0, size)), Guesses{""}) << size;
  }
}

TEST(FirstKey, NoKeyIsGuessedOfManyArguments) {
  auto array = [](size_t count) {
    std::string text = "*" + std::to_string(count) + "\r\n";
    for (size_t i = 0; i < count; ++i) text += "$1\r\na\r\n";
    return text;
  };
  EXPECT_EQ(Keys(array(64)), Guesses{"a"});
  EXPECT_EQ(Keys(array(65)), Guesses{""});
}

TEST(FirstKey, OtherInputThanAnArrayOfBulksEndsTheGuessing) {
  for (const char* odd : {"GET a\r\n", "*x\r\n", "*-1\r\n", "*2\r\n:1\r\n:2\r\n", "*1\r\n$x\r\n",
                          "*1\r\n$99999999\r\n", "*1\rx", "\r\n"}) {
    EXPECT_EQ(Keys(std::string(odd) + "*2\r\n$3\r\nGET\r\n$1\r\na\r\n").front(), "") << odd;
  }
}

}  // namespace
}  // namespace meridian::wire::resp
