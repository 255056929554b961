#include "site/trust/bearer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

bool Shows(std::string_view value) {
  wire::http::HeaderFields fields;
  fields.Add("Host", "watch");
  fields.Add("authorization", value);
  return ShowsSecret(fields, Secret("0123abcd"));
}

TEST(Bearer, OnlyTheWholeSecretBehindItsSchemeIsAccepted) {
  EXPECT_TRUE(Shows(BearerOf(Secret("0123abcd"))));
  EXPECT_TRUE(Shows("Bearer 0123abcd"));
  for (const char* wrong :
       {"", "Bearer", "Bearer ", "0123abcd", "Bearer 0123abcc", "Bearer 0123abc",
        "Bearer 0123abcd0", "Bearer 0123abcd ", "bearer 0123abcd", "Basic 0123abcd"}) {
    EXPECT_FALSE(Shows(wrong)) << wrong;
  }
  EXPECT_FALSE(ShowsSecret({}, Secret("0123abcd")));
}

TEST(Bearer, AsAPasswordOnlyTheWholeSecretOfAnyUserIsAccepted) {
  auto shows = [](std::string value) {
    wire::http::HeaderFields fields;
    fields.Add("Authorization", value);
    return ShowsPassword(fields, Secret("0123abcd"));
  };
  EXPECT_TRUE(shows(BasicOf("anne", Secret("0123abcd"))));
  EXPECT_TRUE(shows(BasicOf("", Secret("0123abcd"))));
  for (const std::string& wrong :
       {BasicOf("anne", Secret("0123abcc")), BasicOf("anne", Secret("0123abcd0")),
        BasicOf("0123abcd", Secret("")), BasicOf("a:", Secret("0123abcd")),
        std::string("Basic 0123abcd"), std::string("Basic "), std::string("Basic MDEyM2FiY2Q="),
        BearerOf(Secret("0123abcd")), std::string()}) {
    EXPECT_FALSE(shows(wrong)) << wrong;
  }
  EXPECT_FALSE(ShowsPassword({}, Secret("0123abcd")));
}

}  // namespace
}  // namespace meridian::site
