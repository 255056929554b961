#include "wire/http/fields/structured_field.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

std::string ItemAgain(std::string_view text) {
  auto item = ParseStructuredItem(text);
  return item ? SerializeItem(*item).value_or("unwritable") : "malformed";
}
std::string ListAgain(std::string_view text) {
  auto list = ParseStructuredList(text);
  return list ? SerializeList(*list).value_or("unwritable") : "malformed";
}
std::string DictionaryAgain(std::string_view text) {
  auto dictionary = ParseDictionary(text);
  return dictionary ? SerializeDictionary(*dictionary).value_or("unwritable") : "malformed";
}

TEST(StructuredField, NumbersHaveFifteenDigitsAndNoMore) {
  EXPECT_EQ(ItemAgain("42"), "42");
  EXPECT_EQ(ItemAgain("-0"), "0");
  EXPECT_EQ(ItemAgain("007"), "7");
  EXPECT_EQ(ItemAgain("999999999999999"), "999999999999999");
  EXPECT_EQ(ItemAgain("1000000000000000"), "malformed");
  EXPECT_EQ(ItemAgain("--1"), "malformed");
  EXPECT_EQ(ItemAgain("-"), "malformed");
}

TEST(StructuredField, DecimalsHaveTwelveDigitsBeforeThePointAndThreeBehindIt) {
  EXPECT_EQ(ItemAgain("4.5"), "4.5");
  EXPECT_EQ(ItemAgain("-1.50"), "-1.5");
  EXPECT_EQ(ItemAgain("0.000"), "0.0");
  EXPECT_EQ(ItemAgain("999999999999.999"), "999999999999.999");
  EXPECT_EQ(ItemAgain("1000000000000.0"), "malformed");
  EXPECT_EQ(ItemAgain("1.0001"), "malformed");
  EXPECT_EQ(ItemAgain("1."), "malformed");
}

TEST(StructuredField, StringsEscapeOnlyQuotesAndBackslashes) {
  EXPECT_EQ(ItemAgain(R"("a \"b\" \\")"), R"("a \"b\" \\")");
  EXPECT_EQ(ItemAgain(R"("a\n")"), "malformed");
  EXPECT_EQ(ItemAgain("\"open"), "malformed");
  EXPECT_EQ(ItemAgain("\"tab\t\""), "malformed");
  EXPECT_EQ(ItemAgain("\"\xc3\xa9\""), "malformed");
}

TEST(StructuredField, TokensMayHaveColonsAndSlashes) {
  EXPECT_EQ(ItemAgain("text/html:x*"), "text/html:x*");
  EXPECT_EQ(ItemAgain("*"), "*");
  EXPECT_EQ(ItemAgain("a=b"), "malformed");
}

TEST(StructuredField, BytesAreBase64) {
  EXPECT_EQ(ItemAgain(":aGVsbG8=:"), ":aGVsbG8=:");
  EXPECT_EQ(ItemAgain(":aGVsbG8:"), ":aGVsbG8=:");
  EXPECT_EQ(ItemAgain("::"), "::");
  EXPECT_EQ(ItemAgain(":aGV$:"), "malformed");
  EXPECT_EQ(ItemAgain(":=:"), "malformed");
  EXPECT_EQ(ItemAgain(":a:"), "malformed");
  EXPECT_EQ(ItemAgain(":aGVsbG8="), "malformed");
}

TEST(StructuredField, BooleansDatesAndDisplayStrings) {
  EXPECT_EQ(ItemAgain("?1"), "?1");
  EXPECT_EQ(ItemAgain("?2"), "malformed");
  EXPECT_EQ(ItemAgain("@1659578233"), "@1659578233");
  EXPECT_EQ(ItemAgain("@1.5"), "malformed");
  EXPECT_EQ(ItemAgain("@"), "malformed");
  EXPECT_EQ(ItemAgain("%\"f%c3%bc\""), "%\"f%c3%bc\"");
  EXPECT_EQ(ItemAgain("%\"f%C3%BC\""), "malformed");
  EXPECT_EQ(ItemAgain("%\"%ff\""), "malformed");
  EXPECT_EQ(ItemAgain("%\"%0"), "malformed");
}

TEST(StructuredField, ParametersKeepTheLastValueOfAKey) {
  EXPECT_EQ(ItemAgain("a; b=1;  c;b=2"), "a;b=2;c");
  EXPECT_EQ(ItemAgain("a;B"), "malformed");
  EXPECT_EQ(ItemAgain("a ;b"), "malformed");
}

TEST(StructuredField, ListsHaveCommasBetweenAndNotBehind) {
  EXPECT_EQ(ListAgain(""), "");
  EXPECT_EQ(ListAgain("a,\tb ,c"), "a, b, c");
  EXPECT_EQ(ListAgain("a,"), "malformed");
  EXPECT_EQ(ListAgain("a,,b"), "malformed");
  EXPECT_EQ(ListAgain("a b"), "malformed");
}

TEST(StructuredField, InnerListsHaveSpacesBetween) {
  EXPECT_EQ(ListAgain("( 1  \"b\";x );y, ()"), "(1 \"b\";x);y, ()");
  EXPECT_EQ(ListAgain("(1,2)"), "malformed");
  EXPECT_EQ(ListAgain("(1"), "malformed");
  EXPECT_EQ(ListAgain("((1))"), "malformed");
}

TEST(StructuredField, DictionariesKeepTheLastValueAndTheFirstPlaceOfAKey) {
  EXPECT_EQ(DictionaryAgain("a=1, b;x=y, a=3"), "a=3, b;x=y");
  EXPECT_EQ(DictionaryAgain("a=?1"), "a");
  EXPECT_EQ(DictionaryAgain("a=?0"), "a=?0");
  EXPECT_EQ(DictionaryAgain("a=(1 2)"), "a=(1 2)");
  EXPECT_EQ(DictionaryAgain("a=1 b=2"), "malformed");
  EXPECT_EQ(DictionaryAgain("A=1"), "malformed");
  EXPECT_EQ(DictionaryAgain("a="), "malformed");
}

std::string Repeated(std::string_view piece, size_t times, std::string_view between) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all.append(i == 0 ? "" : between).append(piece);
  return all;
}

TEST(StructuredField, EachLimitHoldsAndOnePastItFails) {
  EXPECT_TRUE(ParseStructuredList(Repeated("a", kMaxStructuredMembers, ",")));
  EXPECT_FALSE(ParseStructuredList(Repeated("a", kMaxStructuredMembers + 1, ",")));
  std::string inner = Repeated("a", kMaxStructuredInnerItems, " ");
  EXPECT_TRUE(ParseStructuredList("(" + inner + ")"));
  EXPECT_FALSE(ParseStructuredList("(" + inner + " a)"));
  std::string parameters = "a";
  for (size_t i = 0; i < kMaxStructuredParameters; ++i) parameters += ";k" + std::to_string(i);
  EXPECT_TRUE(ParseStructuredItem(parameters));
  EXPECT_FALSE(ParseStructuredItem(parameters + ";z"));
  std::string members;
  for (size_t i = 0; i < kMaxStructuredMembers; ++i) members += "k" + std::to_string(i) + ",";
  EXPECT_TRUE(ParseDictionary(members + "k0=2"));
  EXPECT_FALSE(ParseDictionary(members + "z"));
  std::string longest = "\"" + std::string(kMaxStructuredFieldBytes - 2, 'a') + "\"";
  EXPECT_TRUE(ParseStructuredItem(longest));
  EXPECT_FALSE(ParseStructuredItem(longest + " "));
}

TEST(StructuredField, ValueWithoutWireFormIsNotWritten) {
  EXPECT_FALSE(SerializeItem({.value = int64_t{1'000'000'000'000'000}, .parameters = {}}));
  EXPECT_FALSE(SerializeItem({.value = std::string("a\r\nb"), .parameters = {}}));
  EXPECT_FALSE(SerializeItem({.value = Token{"a b"}, .parameters = {}}));
  EXPECT_FALSE(SerializeItem({.value = true, .parameters = {{.key = "A"}}}));
  EXPECT_FALSE(SerializeItem({.value = DisplayString{"\xff"}, .parameters = {}}));
}

}  // namespace
}  // namespace meridian::wire::http
