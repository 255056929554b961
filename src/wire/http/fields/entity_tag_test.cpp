#include "wire/http/fields/entity_tag.hpp"

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

TEST(EntityTag, HasQuotesAndMayBeWeak) {
  EXPECT_EQ(ParseEntityTag("\"xyzzy\""), (EntityTag{.weak = false, .opaque = "xyzzy"}));
  EXPECT_EQ(ParseEntityTag("W/\"xyzzy\""), (EntityTag{.weak = true, .opaque = "xyzzy"}));
  EXPECT_EQ(ParseEntityTag("\"\""), (EntityTag{.weak = false, .opaque = ""}));
}

TEST(EntityTag, AnythingElseIsNone) {
  for (const char* text :
       {"", "xyzzy", "\"open", "w/\"a\"", "\"a\"b", "\"a b\"", "\"\x7f\"", "W/"}) {
    EXPECT_FALSE(ParseEntityTag(text)) << text;
  }
}

TEST(EntityTag, StrongComparisonNeedsTwoStrongTagsThatAreTheSame) {
  EntityTag weak{.weak = true, .opaque = "1"};
  EntityTag strong{.weak = false, .opaque = "1"};
  EXPECT_TRUE(StrongMatch(strong, strong));
  EXPECT_FALSE(StrongMatch(weak, strong));
  EXPECT_FALSE(StrongMatch(weak, weak));
  EXPECT_TRUE(WeakMatch(weak, strong));
  EXPECT_FALSE(WeakMatch(strong, {.weak = false, .opaque = "2"}));
}

TEST(EntityTag, AListMatchesByAnyOfItsTags) {
  EntityTag tag{.weak = false, .opaque = "b,c"};
  EXPECT_TRUE(ListHasWeakMatch("\"a\", W/\"b,c\"", tag));
  EXPECT_TRUE(ListHasWeakMatch("junk, ,\"b,c\"", tag));
  EXPECT_FALSE(ListHasWeakMatch("\"a\", \"b\"", tag));
  EXPECT_FALSE(ListHasWeakMatch("b,c", tag));
  EXPECT_FALSE(ListHasWeakMatch("", tag));
}

TEST(EntityTag, ABackslashInATagEscapesNothing) {
  EXPECT_TRUE(ListHasWeakMatch("\"a\\\", \"b\"", {.weak = false, .opaque = "b"}));
}

}  // namespace
}  // namespace meridian::wire::http
