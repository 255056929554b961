#include "edge/cache/vary.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderField;
using wire::http::HeaderFields;

std::optional<std::string> Key(std::string_view names, std::initializer_list<HeaderField> list) {
  return VariantKey(names, Fields(list));
}

TEST(Vary, NamesAreOneSetWhateverTheirOrderAndCase) {
  EXPECT_EQ(ParseVary(Fields({{"Vary", "Cookie, accept"}, {"vary", "ACCEPT"}})), "accept,cookie");
  EXPECT_EQ(ParseVary({}), "");
  EXPECT_EQ(ParseVary(Fields({{"Vary", "*"}})), std::nullopt);
  EXPECT_EQ(ParseVary(Fields({{"Vary", "a b"}})), std::nullopt);
}

TEST(Vary, AnAnswerByTheVisitorsAddressWasGivenToVisitorsWithOthers) {
  EXPECT_EQ(ParseVary(Fields({{"Vary", "X-Forwarded-For"}})), std::nullopt);
  EXPECT_EQ(ParseVary(Fields({{"Vary", "accept, x-real-ip"}})), std::nullopt);
  EXPECT_EQ(ParseVary(Fields({{"Vary", "Forwarded"}})), std::nullopt);
  EXPECT_EQ(ParseVary(Fields({{"Vary", "X-Forwarded-Proto"}})), "x-forwarded-proto");
}

TEST(Vary, SixteenNamesAreTakenAndOneMoreIsNot) {
  std::string names = "n0";
  for (size_t i = 1; i < kMaxVaryNames; ++i) names += ",n" + std::to_string(i);
  EXPECT_TRUE(ParseVary(Fields({{"Vary", names}})));
  names += ",z";
  EXPECT_FALSE(ParseVary(Fields({{"Vary", names}})));
}

TEST(Vary, AFieldThatIsAbsentMatchesOnlyWhereItIsAbsentToo) {
  EXPECT_EQ(Key("x", {}), Key("x", {{"y", "1"}}));
  EXPECT_NE(Key("x", {}), Key("x", {{"x", ""}}));
  EXPECT_NE(Key("x", {{"x", "1"}}), Key("x", {{"x", "2"}}));
}

TEST(Vary, ALookAlikeOfAVaryFieldSelectsNoVariant) {
  EXPECT_EQ(Key("x-device", {{"X_Device", "phone"}}), std::nullopt);
  EXPECT_EQ(Key("x-device", {{"X-Device", "tablet"}, {"x__device", "phone"}}), std::nullopt);
  EXPECT_NE(Key("x-device", {{"X-Device", "tablet"}, {"Y_Device", "phone"}}), std::nullopt);
}

TEST(Vary, MultipleFieldLinesAreCombined) {
  EXPECT_EQ(Key("x", {{"x", "1,2"}}), Key("x", {{"x", "1"}, {"X", "2"}}));
}

TEST(Vary, AcceptEncodingIsTheSetOfAcceptedCodings) {
  EXPECT_EQ(Key("accept-encoding", {{"Accept-Encoding", "gzip, deflate, br"}}),
            Key("accept-encoding", {{"Accept-Encoding", "br;q=0.9,  GZIP , deflate"}}));
  EXPECT_NE(Key("accept-encoding", {{"Accept-Encoding", "gzip;q=0"}}),
            Key("accept-encoding", {{"Accept-Encoding", "gzip"}}));
}

TEST(Vary, ListsAreComparedAsLists) {
  EXPECT_EQ(Key("x", {{"x", "1,2"}}), Key("x", {{"x", " 1 ,\t2,, "}}));
  EXPECT_EQ(Key("x", {{"x", "1,2"}}), Key("x", {{"x", "1"}, {"X", ""}, {"x", "2"}}));
  EXPECT_NE(Key("x", {{"x", "1,2"}}), Key("x", {{"x", "2,1"}}));
  EXPECT_NE(Key("x", {{"x", "\"1, 2\""}}), Key("x", {{"x", "\"1,2\""}}));
  EXPECT_NE(Key("x", {{"x", "1 2"}}), Key("x", {{"x", "12"}}));
  // A comma is not a separator here.
  EXPECT_NE(Key("user-agent", {{"User-Agent", "a (KHTML, like)"}}),
            Key("user-agent", {{"User-Agent", "a (KHTML,like)"}}));
}

TEST(Vary, AcceptEncodingIsNormalisedWithoutRedundantElements) {
  auto codings = [](std::string_view value) {
    return Key("accept-encoding", {{"Accept-Encoding", value}});
  };
  EXPECT_EQ(codings("gzip, identity"), codings("gzip"));
  EXPECT_EQ(codings("gzip, br;q=0"), codings("gzip"));
  EXPECT_EQ(codings("x-gzip"), codings("gzip"));
  EXPECT_EQ(codings("identity, *;q=0"), codings(""));
  EXPECT_EQ(codings("gzip, *;q=0"), codings("gzip, identity;q=0"));
  EXPECT_NE(codings("gzip, identity;q=0"), codings("gzip"));
  EXPECT_NE(codings("*, gzip;q=0"), codings("*"));
  EXPECT_NE(codings("*"), codings("gzip"));
}

// Whether a response to `before` with these codings answers `now`; nothing: the field is absent.
bool Answers(std::optional<std::string_view> before, std::string_view codings,
             std::optional<std::string_view> now) {
  auto key = [](std::optional<std::string_view> value) {
    HeaderFields fields = Fields({{"Accept", "a"}});
    if (value) fields.Add("Accept-Encoding", *value);
    return *VariantKey("accept,accept-encoding", fields);
  };
  return VariantAnswers({.names = "accept,accept-encoding", .key = key(before), .codings = codings},
                        key(now));
}

TEST(Vary, CodingsThatTheOriginDidNotChooseDoNotMatter) {
  EXPECT_TRUE(Answers("gzip, deflate, br", "br", "br, gzip"));
  EXPECT_TRUE(Answers("gzip, br", "gzip", "gzip"));
  EXPECT_TRUE(Answers("gzip, br", "", "gzip"));
  EXPECT_TRUE(Answers("gzip, br", "", std::nullopt));
  EXPECT_TRUE(Answers("gzip", "", ""));
  EXPECT_TRUE(Answers(std::nullopt, "", "identity"));
  EXPECT_TRUE(Answers("*", "gzip", "*, br;q=0"));
}

TEST(Vary, ACodingThatTheRequestDoesNotAcceptOrTheOriginCouldNotChooseMatters) {
  EXPECT_FALSE(Answers("gzip, br", "br", "gzip"));
  EXPECT_FALSE(Answers("gzip, br", "br", std::nullopt));
  EXPECT_FALSE(Answers("gzip, br", "br", "gzip, br;q=0, *"));
  EXPECT_FALSE(Answers("gzip", "gzip", "gzip, br"));
  EXPECT_FALSE(Answers(std::nullopt, "", "gzip"));
  EXPECT_FALSE(Answers("gzip, br", "gzip,br", "gzip"));  // coded twice
  EXPECT_FALSE(Answers("gzip", "", "gzip, identity;q=0"));
  EXPECT_FALSE(Answers("gzip, identity;q=0", "gzip", "gzip"));
  EXPECT_FALSE(Answers("*, gzip;q=0", "br", "*"));
}

TEST(Vary, OtherFieldsHaveToBeTheSame) {
  const std::string before = *Key("accept-encoding,x", {{"Accept-Encoding", "gzip"}, {"x", "1"}});
  const std::string now = *Key("accept-encoding,x", {{"x", "2"}});
  EXPECT_FALSE(VariantAnswers({.names = "accept-encoding,x", .key = before, .codings = ""}, now));
}

TEST(Vary, SixteenCodingsAreComparedAndOneMoreIsNot) {
  std::string codings = "c0";
  for (int i = 1; i < kMaxComparedCodings; ++i) codings += ",c" + std::to_string(i);
  EXPECT_TRUE(Answers(codings, "c0", "c0"));
  codings += ",one-more";
  EXPECT_FALSE(Answers(codings, "c0", "c0"));
  EXPECT_TRUE(Answers(codings, "c0", codings));
}

TEST(Vary, TheCodingsOfAResponseAreInOneForm) {
  EXPECT_EQ(
      CodingsOf(Fields({{"Content-Encoding", "X-GZIP"}, {"content-encoding", "br, identity"}})),
      "gzip,br");
  EXPECT_EQ(CodingsOf({}), "");
}

TEST(Vary, AcceptLanguageIsTheOrderOfPreference) {
  EXPECT_EQ(Key("accept-language", {{"Accept-Language", "de-DE, en;q=0.5"}}),
            Key("accept-language", {{"Accept-Language", "en;q=0.7, de-de;q=0.8"}}));
  EXPECT_NE(Key("accept-language", {{"Accept-Language", "de, en;q=0.5"}}),
            Key("accept-language", {{"Accept-Language", "en, de;q=0.5"}}));
}

TEST(Vary, OneValueCannotPretendToBeTwoFields) {
  EXPECT_NE(Key("a,b", {{"a", "1"}, {"b", "2"}}), Key("a,b", {{"a", "1=2"}, {"b", ""}}));
  EXPECT_NE(Key("a,b", {{"a", "1"}}), Key("a,b", {{"b", "1"}}));
}

TEST(Vary, AVariantKeyIsBounded) {
  std::string value(kMaxVariantKeyBytes - 2, 'a');
  EXPECT_TRUE(Key("x", {{"x", value}}));
  value += 'a';
  EXPECT_FALSE(Key("x", {{"x", value}}));
}

}  // namespace
}  // namespace meridian::edge
