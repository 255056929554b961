#include "wire/http/message.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/http/hop_by_hop.hpp"

namespace meridian::wire::http {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Elements(const HeaderFields& fields, std::string_view name) {
  std::vector<std::string> elements;
  fields.ForEachElement(name, [&](std::string_view each) { elements.emplace_back(each); });
  return elements;
}

TEST(HeaderFields, ListElementsOfAllFieldsOfANameAreOneList) {
  HeaderFields fields;
  fields.Add("Accept", "a, b;q=0.5 ,,\tc");
  fields.Add("Other", "x");
  fields.Add("ACCEPT", "d");
  fields.Add("accept", "");
  EXPECT_THAT(Elements(fields, "accept"), ElementsAre("a", "b;q=0.5", "c", "d"));
  EXPECT_EQ(fields.Count("Accept"), 3u);
}

TEST(HeaderFields, CommaInAQuotedStringSeparatesNothing) {
  HeaderFields fields;
  fields.Add("Link", R"(a; x="1,2", "b\",c", d)");
  fields.Add("Open", R"(e, "f, g\)");
  EXPECT_THAT(Elements(fields, "link"), ElementsAre(R"(a; x="1,2")", R"("b\",c")", "d"));
  EXPECT_THAT(Elements(fields, "open"), ElementsAre("e", R"("f, g\)"));
}

TEST(HopByHop, FieldsOfTheConnectionAreNotForwarded) {
  ForwardFilter filter(HeaderFields{}, false);
  for (std::string_view name :
       {"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
        "Proxy-Authorization", "Proxy-Authenticate", "HTTP2-Settings", "Proxy"}) {
    EXPECT_FALSE(filter.Forwards(name)) << name;
  }
  for (std::string_view name : {"Host", "Accept", "Trailer", "Cookie", "X-Hop", "Via", "Te-"}) {
    EXPECT_TRUE(filter.Forwards(name)) << name;
  }
}

TEST(HopByHop, NominatedFieldsAreNotForwarded) {
  HeaderFields fields;
  fields.Add("Connection", "close, X-Hop");
  fields.Add("connection", "x-other");
  ForwardFilter filter(fields, true);
  EXPECT_FALSE(filter.Forwards("x-hop"));
  EXPECT_FALSE(filter.Forwards("X-Other"));
  EXPECT_TRUE(filter.Forwards("X-Third"));
}

TEST(HopByHop, NominationCannotRemoveEndToEndFields) {
  HeaderFields fields;
  fields.Add("Connection", "Host, Content-Length, Cache-Control, Cookie, Authorization");
  fields.Add("Connection", "X-Forwarded-For, Via, Content-Type, Set-Cookie, If-Match, Accept");
  ForwardFilter filter(fields, true);
  for (std::string_view name :
       {"Host", "Content-Length", "Cache-Control", "Cookie", "Authorization", "X-Forwarded-For",
        "Via", "Content-Type", "Set-Cookie", "If-Match", "Accept"}) {
    EXPECT_TRUE(filter.Forwards(name)) << name;
  }
}

}  // namespace
}  // namespace meridian::wire::http
