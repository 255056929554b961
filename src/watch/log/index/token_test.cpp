#include "watch/log/index/token.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::watch {
namespace {

using testing::ElementsAre;

// Each token; words in capitals; a joint behind `<`.
std::vector<std::string> Tokens(std::string_view text) {
  std::string folded;
  AppendFolded(folded, text);
  std::vector<std::string> tokens;
  TokenReader reader(folded);
  for (Token token; reader.Next(&token);) {
    std::string described = (token.is_word ? "word " : "id ") + std::string(token.text);
    if (!token.joint.empty()) described += " < " + std::string(token.joint);
    tokens.push_back(described);
  }
  return tokens;
}

bool Has(std::string_view text, std::string_view term) {
  std::string folded;
  AppendFolded(folded, text);
  return FindTerm(folded, term, 0) != std::string_view::npos;
}

TEST(Tokens, AreRunsOfLettersDigitsUnderscoresAndOtherBytes) {
  EXPECT_THAT(Tokens("User_x signed-in: GRÖSSE größe"),
              ElementsAre("word user_x", "word signed", "word in", "word grÖsse", "word größe"));
  EXPECT_THAT(Tokens(""), ElementsAre());
  EXPECT_THAT(Tokens(" ,.; "), ElementsAre());
}

TEST(Tokens, WithDigitsOrTooLongAreIdentifiers) {
  std::string word(kMaxWordBytes, 'a');
  EXPECT_THAT(Tokens("e5 7 " + word + " " + word + "a"),
              ElementsAre("id e5", "id 7", "word " + word, "id " + word + "a"));
}

TEST(Tokens, OfIdentifiersNextToEachOtherMakeJoints) {
  EXPECT_THAT(Tokens("10.1.2"), ElementsAre("id 10", "id 1 < 10.1", "id 2 < 1.2"));
  EXPECT_THAT(Tokens("a:7"), ElementsAre("word a", "id 7 < a:7"));
  EXPECT_THAT(Tokens("a:b"), ElementsAre("word a", "word b"));
  EXPECT_THAT(Tokens("1 2"), ElementsAre("id 1", "id 2"));
  EXPECT_THAT(Tokens("db8::1"), ElementsAre("id db8", "id 1"));
}

TEST(Terms, AreFoundWhereNoTokenIsDivided) {
  EXPECT_TRUE(Has("peer=10.1.2.3:80", "10.1.2.3"));
  EXPECT_FALSE(Has("peer=110.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(Has("peer=10.1.2.30", "10.1.2.3"));
  EXPECT_TRUE(Has("110.1.2.3 10.1.2.3", "10.1.2.3"));
  EXPECT_TRUE(Has("Ready", "ready"));
  EXPECT_FALSE(Has("already", "ready"));
  EXPECT_FALSE(Has("ready_", "ready"));
  EXPECT_FALSE(Has("xa:b:c", "a:b:c"));
  EXPECT_TRUE(Has("x a:b:c.", "a:b:c"));
}

TEST(Terms, ThatBeginOrEndWithASignMayStandAnywhere) {
  EXPECT_TRUE(Has("a-->b", "-->"));
  EXPECT_TRUE(Has("user=7", "user="));
  EXPECT_FALSE(Has("superuser=7", "user="));
  EXPECT_TRUE(Has("x/path", "/path"));
  EXPECT_FALSE(Has("x/paths", "/path"));
}

}  // namespace
}  // namespace meridian::watch
