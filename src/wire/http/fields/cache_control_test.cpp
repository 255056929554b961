#include "wire/http/fields/cache_control.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

using namespace std::chrono_literals;

CacheControl Parse(std::string_view value) {
  HeaderFields fields;
  fields.Add("cache-control", value);
  return ParseCacheControl(fields);
}

std::optional<CacheControl> ParseTargeted(std::string_view value) {
  HeaderFields fields;
  fields.Add("CDN-Cache-Control", value);
  return ParseTargetedCacheControl(fields, "cdn-cache-control");
}

TEST(CacheControl, DirectivesAreComparedWithoutCaseAndOthersAreIgnored) {
  CacheControl control = Parse("Public, MAX-age=60 , x-new=\"a, no-store\", immutable");
  EXPECT_TRUE(control.is_public);
  EXPECT_TRUE(control.immutable);
  EXPECT_FALSE(control.no_store);
  EXPECT_EQ(control.max_age, 60s);
}

TEST(CacheControl, BothTokenAndQuotedFormAreTaken) {
  EXPECT_EQ(Parse("max-age=\"60\"").max_age, 60s);
  EXPECT_EQ(Parse("s-maxage=60").s_maxage, 60s);
}

TEST(CacheControl, AllFieldsAreOneList) {
  HeaderFields fields;
  fields.Add("Cache-Control", "public");
  fields.Add("Cache-Control", "stale-while-revalidate=5, stale-if-error=6");
  CacheControl control = ParseCacheControl(fields);
  EXPECT_TRUE(control.is_public);
  EXPECT_EQ(control.stale_while_revalidate, 5s);
  EXPECT_EQ(control.stale_if_error, 6s);
}

TEST(CacheControl, ALifetimeThatIsNoNumberIsStale) {
  EXPECT_EQ(Parse("max-age=soon").max_age, 0s);
  EXPECT_EQ(Parse("max-age").max_age, 0s);
  EXPECT_EQ(Parse("max-age=1.5").max_age, 0s);
  EXPECT_EQ(Parse("max-age=-1").max_age, 0s);
  EXPECT_EQ(Parse("stale-if-error=x").stale_if_error, std::nullopt);
}

TEST(CacheControl, ALifetimeThatComesTwiceWithDifferentValuesIsStale) {
  EXPECT_EQ(Parse("max-age=60, max-age=60").max_age, 60s);
  EXPECT_EQ(Parse("max-age=60, max-age=3600").max_age, 0s);
}

TEST(CacheControl, AnOverflowIsTheLongestLifetime) {
  EXPECT_EQ(Parse("max-age=2147483648").max_age, kMaxDeltaSeconds);
  EXPECT_EQ(Parse("max-age=99999999999999999999999999").max_age, kMaxDeltaSeconds);
}

TEST(CacheControl, PrivateAndNoCacheThatNameFieldsCountInFull) {
  EXPECT_TRUE(Parse("private=\"set-cookie, x\"").is_private);
  EXPECT_TRUE(Parse("no-cache=\"set-cookie\"").no_cache);
}

TEST(CacheControl, UnparsableTextHidTheDirectivesWithinIt) {
  for (std::string_view value :
       {"max-age=60, note=\"open, private", "max-age=60, \"private\"", "max-age=60, public private",
        "max-age=60, private;x", "max-age=60; no-store", "max-age=60, =private",
        "max-age=60, x=", "max-age=60, x=\"a\"b", "max-age=60, x=\"\\\"", "max-age=60, x=a b"}) {
    CacheControl control = Parse(value);
    EXPECT_TRUE(control.no_store && control.is_private && control.no_cache) << value;
  }
  for (std::string_view value :
       {"max-age=60, x=\"a\\\"b, c\"", ", max-age=60,,", "max-age = 60", "max-age=60, x=\"\""}) {
    CacheControl control = Parse(value);
    EXPECT_FALSE(control.no_store || control.is_private || control.no_cache) << value;
    EXPECT_EQ(control.max_age, 60s) << value;
  }
}

TEST(CacheControl, RequestDirectives) {
  CacheControl control = Parse("only-if-cached, min-fresh=5, max-stale, no-transform");
  EXPECT_TRUE(control.only_if_cached);
  EXPECT_EQ(control.min_fresh, 5s);
  EXPECT_EQ(control.max_stale, kMaxDeltaSeconds);
  EXPECT_EQ(Parse("max-stale=7").max_stale, 7s);
}

TEST(TargetedCacheControl, IsAStructuredDictionary) {
  auto control = ParseTargeted("max-age=600;x=1, must-revalidate, private=?0");
  ASSERT_TRUE(control);
  EXPECT_EQ(control->max_age, 600s);
  EXPECT_TRUE(control->must_revalidate);
  EXPECT_FALSE(control->is_private);
}

TEST(TargetedCacheControl, AFieldThatCannotBeParsedOrIsEmptyMustBeIgnored) {
  EXPECT_FALSE(ParseTargeted("max-age=600,"));
  EXPECT_FALSE(ParseTargeted("Max-Age=600"));
  EXPECT_FALSE(ParseTargeted(""));
  EXPECT_FALSE(ParseTargetedCacheControl({}, "CDN-Cache-Control"));
}

TEST(TargetedCacheControl, AValueOfTheWrongTypeMakesTheFieldIgnored) {
  EXPECT_FALSE(ParseTargeted("max-age=\"600\""));
  EXPECT_FALSE(ParseTargeted("max-age=600.0"));
  EXPECT_FALSE(ParseTargeted("max-age=-1"));
  EXPECT_FALSE(ParseTargeted("max-age"));
  EXPECT_FALSE(ParseTargeted("no-store=1"));
  EXPECT_FALSE(ParseTargeted("no-store=(1)"));
  EXPECT_TRUE(ParseTargeted("private=\"a\"")->is_private);
}

}  // namespace
}  // namespace meridian::wire::http
