#include "edge/fetch/own_origin.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

std::string_view Asked(std::string_view origin, std::string_view method = "GET") {
  wire::http::RequestHead request;
  request.method = method;
  request.fields.Add("Origin", origin);
  return OwnOrigin(request, "photos.example");
}

TEST(OwnOriginTest, PagesOfTheSiteMayRead) {
  for (const char* own : {"https://photos.example", "http://photos.example:8080",
                          "https://us-east.photos.example:8443", "https://PHOTOS.example",
                          "https://photos.example."}) {
    EXPECT_EQ(Asked(own), own);
    EXPECT_EQ(Asked(own, "HEAD"), own);
  }
}

TEST(OwnOriginTest, OtherOriginsMayNotRead) {
  for (const char* other :
       {"https://evil.example", "https://evilphotos.example", "https://photos.example.evil", "null",
        "", "https://photos.example/path", "https://photos.example,evil", "ftp://photos.example",
        "https://a@photos.example"}) {
    EXPECT_EQ(Asked(other), "") << other;
  }
}

TEST(OwnOriginTest, UnsafeMethodsMayNotRead) {
  EXPECT_EQ(Asked("https://photos.example", "POST"), "");
  wire::http::RequestHead request;
  request.method = "GET";
  EXPECT_EQ(OwnOrigin(request, "photos.example"), "");
}

}  // namespace
}  // namespace meridian::edge
