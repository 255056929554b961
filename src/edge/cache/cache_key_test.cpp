#include "edge/cache/cache_key.hpp"

#include <string>

#include <gtest/gtest.h>

#include "edge/cache/limits.hpp"
#include "edge/cache/message_fixture.hpp"

namespace meridian::edge {
namespace {

std::string TextOf(std::string_view target, std::string_view host = "photos.example",
                   bool https = false) {
  wire::http::RequestHead head = Get(target);
  head.authority = host;
  auto key = MakeKey(head, https, "default.example", 7);
  return key ? KeyText(*key) : "none";
}

TEST(CacheKey, IsSchemeHostPathAndQuery) {
  EXPECT_EQ(TextOf("/a/b?c=d"), "http://photos.example/a/b?c=d");
  EXPECT_EQ(TextOf("/", "photos.example", true), "https://photos.example/");
}

TEST(CacheKey, HostIsComparedWithoutCaseAndWithoutItsDefaultPort) {
  EXPECT_EQ(TextOf("/", "PHOTOS.Example:80"), "http://photos.example/");
  EXPECT_EQ(TextOf("/", "photos.example:443", true), "https://photos.example/");
  EXPECT_EQ(TextOf("/", "photos.example:8080"), "http://photos.example:8080/");
  EXPECT_EQ(TextOf("/", ""), "http://default.example/");
}

TEST(CacheKey, CacheDeceptionPathsAreKeysOfTheirOwn) {
  for (const char* path : {"/account/x.css", "/account;x.css", "/account%2fx.css",
                           "/account/%2e%2e/a", "/account/x.css?", "/ACCOUNT", "/account%00.css"}) {
    EXPECT_EQ(TextOf(path), std::string("http://photos.example") + path);
  }
  EXPECT_NE(TextOf("/a%2Fb"), TextOf("/a%2fb"));
  EXPECT_NE(TextOf("/a?"), TextOf("/a"));
}

TEST(CacheKey, ALongHostOrAnAsteriskHasNone) {
  EXPECT_NE(TextOf("/", std::string(kMaxKeyHostBytes, 'a')), "none");
  EXPECT_EQ(TextOf("/", std::string(kMaxKeyHostBytes + 1, 'a')), "none");
  EXPECT_EQ(TextOf("*"), "none");
}

TEST(CacheKey, MatchesItsTextAndNoOther) {
  wire::http::RequestHead head = Get("/a?b");
  head.authority = "Photos.example";
  auto key = MakeKey(head, false, "", 1);
  ASSERT_TRUE(key);
  EXPECT_TRUE(KeyIs(*key, "http://photos.example/a?b"));
  for (const char* other :
       {"https://photos.example/a?b", "http://photos.example/a?bc", "http://photos.example/a",
        "http://photos.example/a?", "http://photos.examplf/a?b", "http://"}) {
    EXPECT_FALSE(KeyIs(*key, other)) << other;
  }
}

TEST(CacheKey, PiecesThatJoinToTheSameTextHashApart) {
  auto a = MakeKey(Get("/a?b"), false, "", 1);
  auto b = MakeKey(Get("/ab"), false, "", 1);
  auto c = MakeKey(Get("/a?b"), false, "", 2);
  EXPECT_NE(a->hash, b->hash);
  EXPECT_NE(a->hash, c->hash);
}

}  // namespace
}  // namespace meridian::edge
