#include "edge/purge/purge_method.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

wire::http::RequestHead Purge(std::string_view authority, std::string_view path) {
  wire::http::RequestHead request;
  request.method = "PURGE";
  request.authority = authority;
  request.path = path;
  return request;
}

TEST(PurgeMethodTest, OrdersTheUrlThatIsAskedFor) {
  wire::http::RequestHead request = Purge("photos.example:8080", "/a");
  request.query = "b=c";
  EXPECT_EQ(PurgeOrderOf(request, false),
            (site::PurgeOrder{.value = "http://photos.example:8080/a?b=c"}));
  request.fields.Add("Meridian-Soft-Purge", "1");
  EXPECT_EQ(PurgeOrderOf(request, true),
            (site::PurgeOrder{.value = "https://photos.example:8080/a?b=c", .soft = true}));
}

TEST(PurgeMethodTest, AnInvalidUrlIsRefused) {
  EXPECT_FALSE(PurgeOrderOf(Purge("", "/a"), false));
  EXPECT_FALSE(PurgeOrderOf(Purge("photos.example", "*"), false));
  EXPECT_FALSE(PurgeOrderOf(Purge("photos.example", "/" + std::string(10'000, 'a')), false));
}

}  // namespace
}  // namespace meridian::edge
