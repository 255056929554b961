#include "wire/http/uri.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/case_file.hpp"
#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

std::string MatchText(PathMatch match) {
  switch (match) {
    case PathMatch::kOutside:
      return "outside";
    case PathMatch::kWithin:
      return "within";
    case PathMatch::kDisguised:
      return "disguised";
  }
  return "?";
}

TEST(Paths, MatchAsTheCaseFileExpects) {
  for (const FileCase& each : ReadCases("path_cases.txt")) {
    EXPECT_EQ(MatchText(MatchPath(each.input, "/.meridian")), each.expected)
        << "line " << each.line;
  }
}

TEST(Url, IsTakenApart) {
  Result<Url> url = ParseUrl("http://Photos.Example:8080/a?b=c#d");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->https);
  EXPECT_EQ(url->host, "photos.example");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/a?b=c");
  EXPECT_EQ(url->authority(), "photos.example:8080");
}

TEST(Url, PortAndPathHaveDefaults) {
  Result<Url> plain = ParseUrl("http://a");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->target, "/");
  EXPECT_EQ(plain->authority(), "a");
  Result<Url> secure = ParseUrl("HTTPS://[2001:db8::1]?q");
  ASSERT_TRUE(secure);
  EXPECT_TRUE(secure->https);
  EXPECT_EQ(secure->port, 443);
  EXPECT_EQ(secure->host, "2001:db8::1");
  EXPECT_EQ(secure->target, "/?q");
  EXPECT_EQ(secure->authority(), "[2001:db8::1]");
}

TEST(Url, OtherUrlsThanHttpAreRefused) {
  for (const char* text :
       {"", "a", "/a", "ftp://a/", "http:/a", "http://", "http:///a", "http://user@a/",
        "http://a:b/", "http://a/b c", "http://a b/", "http://[::1/", "//a/", "http://a/\n"}) {
    EXPECT_FALSE(ParseUrl(text)) << text;
  }
}

TEST(Url, AtTheLimitIsTakenAndOneByteMoreIsRefused) {
  std::string url = "http://a/";
  url.append(kMaxUrlBytes - url.size(), 'x');
  EXPECT_TRUE(ParseUrl(url));
  EXPECT_EQ(ParseUrl(url + "x").error().code, Errc::kTooLarge);
}

}  // namespace
}  // namespace meridian::wire::http
