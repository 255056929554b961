#include "wire/http/authority.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::wire::http {
namespace {

TEST(Authority, EverySpellingOfAHostIsTheSameHost) {
  for (std::string_view host : {"photos.example", "photos.example.", "PHOTOS.Example."}) {
    EXPECT_TRUE(SameHost(host, "photos.example")) << host;
    EXPECT_TRUE(SameHost("photos.example.", host)) << host;
    EXPECT_TRUE(IsWithinDomain("CDN." + std::string(host), "photos.example")) << host;
    EXPECT_EQ(CanonicalAuthority(std::string(host) + ":8080"), "photos.example:8080");
    EXPECT_EQ(CanonicalAuthority(std::string(host) + ":"), "photos.example");
    EXPECT_EQ(CanonicalAuthority(host), "photos.example");
  }
  EXPECT_TRUE(SameHost("[2001:DB8:0::1]", "[2001:db8::1]"));
  EXPECT_EQ(CanonicalAuthority("[2001:DB8:0::1]:80"), "[2001:db8::1]:80");
  EXPECT_EQ(CanonicalAuthority("[2001:DB8:0::1]"), "[2001:db8::1]");
}

TEST(Authority, OtherHostsAreNot) {
  for (std::string_view host : {"photos.examples", "hotos.example", "photos.example..", "", "."}) {
    EXPECT_FALSE(SameHost(host, "photos.example")) << host;
  }
  for (std::string_view host : {"evilphotos.example", "photos.example.evil", "example", ""}) {
    EXPECT_FALSE(IsWithinDomain(host, "photos.example")) << host;
  }
  EXPECT_FALSE(SameHost("[::1]", "[::2]"));
}

TEST(Authority, OnlyOtherSpellingsAreChanged) {
  for (std::string_view plain : {"photos.example", "photos.example:80", "127.0.0.1:1", "a", ""}) {
    EXPECT_TRUE(IsCanonicalAuthority(plain)) << plain;
    EXPECT_EQ(CanonicalAuthority(plain), plain);
  }
  for (std::string_view other : {"a.", "a.:80", "A", "a:", "a.:"}) {
    EXPECT_FALSE(IsCanonicalAuthority(other)) << other;
    EXPECT_TRUE(IsCanonicalAuthority(CanonicalAuthority(other))) << other;
  }
}

TEST(Authority, AnEmptyLabelIsInNoName) {
  for (std::string_view host : {"a..", ".", ".a", "a..b", "a..:80"}) {
    EXPECT_FALSE(ParseAuthority(host)) << host;
  }
  EXPECT_TRUE(ParseAuthority("a.b."));
}

}  // namespace
}  // namespace meridian::wire::http
