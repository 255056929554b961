#include "edge/hosts/versioned_path.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

const std::string kVersion = "0123456789abcdef0123456789abcdef";

std::string PlainOf(std::string_view path) {
  std::optional<VersionedPath> parts = ParseVersionedPath(path);
  return parts ? std::string(parts->path) : "";
}

TEST(VersionedPathTest, HasAVersionAndAPlainPath) {
  const std::string path = "/v/" + kVersion + "/images/a%20b.jpg";
  auto parts = ParseVersionedPath(path);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->version, kVersion);
  EXPECT_EQ(parts->path, "/images/a%20b.jpg");
  EXPECT_EQ(MakeVersionedPath(*parts), path);
  EXPECT_EQ(PlainOf("/v/" + kVersion + "/"), "/");
}

TEST(VersionedPathTest, APathWithoutAVersionIsTheApplications) {
  for (const std::string& other :
       {std::string("/"), std::string("/v/"), std::string("/v/1/a"), "/V/" + kVersion + "/a",
        "/v/" + kVersion, "/v/" + kVersion + "0/a", "/v/" + kVersion.substr(1) + "/a",
        "/v/" + kVersion.substr(1) + "F/a", "/v/" + kVersion.substr(1) + "g/a",
        "/x/v/" + kVersion + "/a"}) {
    EXPECT_FALSE(ParseVersionedPath(other)) << other;
  }
}

TEST(VersionedPathTest, APlainPathThatNamesAnotherHostIsNoRedirectOfOurs) {
  EXPECT_FALSE(ParseVersionedPath("/v/" + kVersion + "//evil.example/a"));
}

TEST(VersionedPathTest, NoVersionReachesAReservedPath) {
  for (const char* reserved : {"/.meridian/ready", "/%2emeridian/ready", "/a/../.meridian/ready"}) {
    EXPECT_FALSE(ParseVersionedPath("/v/" + kVersion + reserved)) << reserved;
  }
}

TEST(VersionedPathTest, AQuestionNamesATarget) {
  EXPECT_EQ(TargetOfQuery("path=/logo.png"), "/logo.png");
  EXPECT_EQ(TargetOfQuery("path=%2Flogo.png"), "/logo.png");
  EXPECT_EQ(TargetOfQuery("a=b&path=%2Fa%2520b%3Fw%3D1%26h%3D2&c"), "/a%20b?w=1&h=2");
}

TEST(VersionedPathTest, AQuestionAboutNothingHasNoTarget) {
  for (const char* query :
       {"", "path", "path=", "path=logo.png", "xpath=/a", "path=//evil.example/", "path=%2",
        "path=%zz", "path=/a%20b", "path=/a%0d%0aX:1", "path=/a%00", "path=/a%23b", "path=/a%5cb",
        "path=/%252", "path=/.meridian/ready", "path=/a?b%20c"}) {
    EXPECT_FALSE(TargetOfQuery(query)) << query;
  }
}

}  // namespace
}  // namespace meridian::edge
