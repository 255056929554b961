#include "edge/hosts/https_redirect.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

std::string Location(std::string_view authority, std::string_view path,
                     std::optional<std::string_view> query = {}, uint16_t port = 443) {
  wire::http::RequestHead request;
  request.authority = authority;
  request.path = path;
  request.query = query;
  return HttpsLocation(request, "photos.example", port);
}

TEST(HttpsRedirectTest, KeepsHostPathAndQuery) {
  EXPECT_EQ(Location("photos.example", "/a/b", "c=d"), "https://photos.example/a/b?c=d");
  EXPECT_EQ(Location("photos.example", "/", ""), "https://photos.example/?");
  EXPECT_EQ(Location("us-east.Photos.Example:8080", "/"), "https://us-east.Photos.Example/");
}

TEST(HttpsRedirectTest, NamesAPortThatIsNotTheUsualOne) {
  EXPECT_EQ(Location("photos.example:8080", "/", {}, 8443), "https://photos.example:8443/");
}

TEST(HttpsRedirectTest, NoRedirectLeadsToAForeignHost) {
  for (const char* host : {"evil.example", "evilphotos.example", "photos.example.evil", "", "["}) {
    EXPECT_EQ(Location(host, "/a"), "https://photos.example/a") << host;
  }
}

TEST(HttpsRedirectTest, APathThatLooksLikeAHostStaysAPath) {
  EXPECT_EQ(Location("photos.example", "//evil.example/"), "https://photos.example//evil.example/");
  EXPECT_EQ(Location("photos.example", "*"), "https://photos.example/");
}

}  // namespace
}  // namespace meridian::edge
