#include "wire/http/characters.hpp"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

constexpr size_t kMaxTestedBytes = 40;  // past two steps of sixteen

// Calls `check` with every byte at every place of texts of every length up to kMaxTestedBytes.
template <class Check>
void ForEachByteAtEachPlace(char filler, Check check) {
  for (size_t size = 1; size <= kMaxTestedBytes; ++size) {
    for (size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, filler);
        text[place] = static_cast<char>(byte);
        check(text, place);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(Characters, ATokenIsOneWhateverTheStepInWhichItIsRead) {
  ForEachByteAtEachPlace('x', [](const std::string& text, size_t place) {
    EXPECT_EQ(IsToken(text), Is(text[place], kTokenChar)) << text << " at " << place;
  });
  EXPECT_FALSE(IsToken(""));
  EXPECT_TRUE(IsToken("X-Forwarded-For"));
}

TEST(Characters, AValueEndsAtTheFirstByteThatItMayNotHold) {
  ForEachByteAtEachPlace('v', [](const std::string& text, size_t place) {
    const char* end = text.data() + text.size();
    const char* stop = Is(text[place], kValueChar) ? end : text.data() + place;
    EXPECT_EQ(SkipValueChars(text.data(), end), stop) << text.size() << " at " << place;
  });
}

TEST(Characters, LettersCompareWithoutCaseAndNoOtherCharacterDoes) {
  ForEachByteAtEachPlace('a', [](const std::string& text, size_t place) {
    for (char other : {'A', 'z', 'Z', '[', '@', '{', '`', 'M', 'm'}) {
      std::string changed = text;
      changed[place] = other;
      EXPECT_EQ(EqualsIgnoreCase(text, changed), ToLower(text[place]) == ToLower(other)) << text;
    }
  });
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
}

}  // namespace
}  // namespace meridian::wire::http
