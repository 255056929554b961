#include "agent/admin/cross_site.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

struct Said {
  std::string_view method = "GET";
  std::string_view site = "";
  std::string_view origin = "";
  std::string_view mode = "cors";
  std::string_view dest = "empty";
};

bool Refused(const Said& said) {
  wire::http::RequestHead request;
  request.method = said.method;
  request.authority = "127.1.0.1:9000";
  if (!said.site.empty()) {
    request.fields.Add("Sec-Fetch-Site", said.site);
    request.fields.Add("Sec-Fetch-Mode", said.mode);
    request.fields.Add("Sec-Fetch-Dest", said.dest);
  }
  if (!said.origin.empty()) request.fields.Add("Origin", said.origin);
  return IsCrossSite(request);
}

TEST(CrossSite, ClientsThatAreNoBrowsersAndPagesOfOursAreLetIn) {
  EXPECT_FALSE(Refused({}));
  EXPECT_FALSE(Refused({.method = "POST"}));
  EXPECT_FALSE(Refused({.site = "none", .mode = "navigate", .dest = "document"}));
  EXPECT_FALSE(Refused({.site = "same-origin"}));
  EXPECT_FALSE(
      Refused({.method = "POST", .site = "same-origin", .origin = "http://127.1.0.1:9000"}));
}

TEST(CrossSite, PagesOfOthersAreNot) {
  for (std::string_view site : {"cross-site", "same-site", "unheard-of"}) {
    EXPECT_TRUE(Refused({.site = site})) << site;
    EXPECT_TRUE(Refused({.site = site, .mode = "navigate", .dest = "iframe"})) << site;
    EXPECT_TRUE(Refused({.method = "POST", .site = site, .mode = "navigate", .dest = "document"}));
  }
  for (std::string_view origin : {"https://evil.example", "null", "http://127.1.0.1:9001",
                                  "http://127.1.0.1", "http://127.1.0.1:9000.evil.example"}) {
    EXPECT_TRUE(Refused({.method = "POST", .origin = origin})) << origin;
  }
}

TEST(CrossSite, ALinkInANoticeCanBeFollowed) {
  EXPECT_FALSE(Refused({.site = "cross-site", .mode = "navigate", .dest = "document"}));
}

}  // namespace
}  // namespace meridian::agent
