#include "edge/cache/vary.hpp"

#include <string>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

using wire::http::HeaderField;

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

TEST(Vary, AFieldThatLooksLikeOneOfVaryChoseWhatOthersGot) {
  EXPECT_EQ(Key("x-device", {{"X_Device", "phone"}}), std::nullopt);
  EXPECT_EQ(Key("x-device", {{"X-Device", "tablet"}, {"x__device", "phone"}}), std::nullopt);
  EXPECT_NE(Key("x-device", {{"X-Device", "tablet"}, {"Y_Device", "phone"}}), std::nullopt);
}

TEST(Vary, MultipleFieldLinesAreCombined) {
  EXPECT_EQ(Key("x", {{"x", "1,2"}}), Key("x", {{"x", "1"}, {"X", "2"}}));
}

TEST(Vary, AcceptEncodingIsTheSetOfCodingsThatAreWanted) {
  EXPECT_EQ(Key("accept-encoding", {{"Accept-Encoding", "gzip, deflate, br"}}),
            Key("accept-encoding", {{"Accept-Encoding", "br;q=0.9,  GZIP , deflate"}}));
  EXPECT_NE(Key("accept-encoding", {{"Accept-Encoding", "gzip;q=0"}}),
            Key("accept-encoding", {{"Accept-Encoding", "gzip"}}));
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
