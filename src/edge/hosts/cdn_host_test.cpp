#include "edge/hosts/cdn_host.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

TEST(CdnHostTest, ADotAtTheEndEscapedItsRules) {
  for (const char* host : {"cdn.photos.example.", "CDN.PHOTOS.EXAMPLE.:8080"}) {
    EXPECT_TRUE(IsCdnHost(host, "photos.example")) << host;
  }
  EXPECT_FALSE(IsCdnHost("cdn.photos.example..", "photos.example"));
}

TEST(CdnHostTest, IsOneNameOfTheSite) {
  for (const char* host : {"cdn.photos.example", "CDN.Photos.Example:8443"}) {
    EXPECT_TRUE(IsCdnHost(host, "photos.example")) << host;
  }
  for (const char* host : {"photos.example", "cdn.photos.example.evil", "acdn.photos.example",
                           "cdn.evil.example", "cdnxphotos.example", "", ":8080"}) {
    EXPECT_FALSE(IsCdnHost(host, "photos.example")) << host;
  }
  EXPECT_FALSE(IsCdnHost("cdn.", ""));
}

CdnVerdict Judge(std::string_view path, std::string_view method = "GET") {
  static const std::vector<std::string> kPaths = {"/images/", "/favicon.ico"};
  wire::http::RequestHead request;
  request.method = method;
  request.path = path;
  return JudgeCdn(request, kPaths);
}

TEST(CdnHostTest, ServesStaticPathsAndNothingElse) {
  EXPECT_EQ(Judge("/images/a.jpg"), CdnVerdict::kServe);
  EXPECT_EQ(Judge("/images/a.jpg", "HEAD"), CdnVerdict::kServe);
  EXPECT_EQ(Judge("/favicon.ico"), CdnVerdict::kServe);
  EXPECT_EQ(Judge("/images/a%20b%C3%A9.jpg"), CdnVerdict::kServe);
  for (const char* other : {"/", "/imagesx", "/favicon.ico/", "/account", "*", ""}) {
    EXPECT_EQ(Judge(other), CdnVerdict::kPath) << other;
  }
}

TEST(CdnHostTest, APathInDisguiseIsNotServed) {
  for (const char* disguise :
       {"/images/../account", "/images/%2e%2e/account", "/images/..%2faccount",
        "/images/..;/account", "/images/\\..\\account", "/images/%5c..", "/images/a%3b.jpg",
        "/images/a%252fb", "/images/a%00.jpg", "/images/%", "/images/%2", "/images/%zz"}) {
    EXPECT_EQ(Judge(disguise), CdnVerdict::kPath) << disguise;
  }
}

TEST(CdnHostTest, AVersionIsServedWhereItsPlainPathIs) {
  const std::string version = "/v/0123456789abcdef0123456789abcdef";
  EXPECT_EQ(Judge(version + "/images/a.jpg"), CdnVerdict::kServe);
  EXPECT_EQ(Judge(version + "/account"), CdnVerdict::kPath);
  EXPECT_EQ(Judge(version + "/images/..%2faccount"), CdnVerdict::kPath);
}

TEST(CdnHostTest, AllowsSafeMethodsOnly) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PURGE"}) {
    EXPECT_EQ(Judge("/images/a.jpg", method), CdnVerdict::kMethod) << method;
  }
}

}  // namespace
}  // namespace meridian::edge
