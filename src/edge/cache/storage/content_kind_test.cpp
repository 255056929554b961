#include "edge/cache/storage/content_kind.hpp"

#include <cstddef>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

TEST(ContentKind, IsByTheMediaTypeAloneInAnyCase) {
  EXPECT_EQ(ContentKindOf("text/html"), ContentKind::kHtml);
  EXPECT_EQ(ContentKindOf("Text/HTML; charset=utf-8"), ContentKind::kHtml);
  EXPECT_EQ(ContentKindOf("image/png \t;q=1"), ContentKind::kPng);
  EXPECT_EQ(ContentKindOf("application/javascript"), ContentKind::kJavaScript);
  EXPECT_EQ(ContentKindOf("text/javascript"), ContentKind::kJavaScript);
}

TEST(ContentKind, FamiliesAreOneKindEach) {
  EXPECT_EQ(ContentKindOf("text/plain"), ContentKind::kText);
  EXPECT_EQ(ContentKindOf("font/woff2"), ContentKind::kFont);
  EXPECT_EQ(ContentKindOf("VIDEO/mp4"), ContentKind::kVideo);
  EXPECT_EQ(ContentKindOf("audio/ogg"), ContentKind::kAudio);
}

TEST(ContentKind, AnUnknownMediaTypeIsOther) {
  for (std::string_view type : {"", ";", "/", "text", "image/x-of-our-own", "made/up", "text "}) {
    EXPECT_EQ(ContentKindOf(type), ContentKind::kOther) << type;
  }
}

TEST(ContentKind, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t kind = 0; kind < kContentKinds; ++kind) {
    names.insert(ContentKindName(static_cast<ContentKind>(kind)));
  }
  EXPECT_EQ(names.size(), kContentKinds);
  EXPECT_EQ(names.count(""), 0U);
  EXPECT_EQ(static_cast<size_t>(ContentKind::kOther) + 1, kContentKinds);
}

TEST(ContentKind, ImagesScriptsAndFilmsAreUsuallyTheSameForEverybodyAndPagesAreNot) {
  for (std::string_view type : {"image/jpeg", "text/css", "text/javascript", "font/woff2"}) {
    EXPECT_TRUE(IsUsuallyStatic(ContentKindOf(type))) << type;
  }
  for (std::string_view type : {"text/html", "application/json", "text/plain", ""}) {
    EXPECT_FALSE(IsUsuallyStatic(ContentKindOf(type))) << type;
  }
}

}  // namespace
}  // namespace meridian::edge
