#include "edge/hosts/fallback_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meridian::edge {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(FallbackScriptTest, NamesTheOtherPlacesTheNearestFirst) {
  site::Site site;
  site.domain = "photos.example";
  site.datacenters = {{.name = "us-east", .location = {39.04, -77.49}},
                      {.name = "us-west", .location = {37.34, -121.89}},
                      {.name = "london", .edge_only = true, .location = {51.51, -0.13}}};
  EXPECT_THAT(FallbackScript(site, site.datacenters[0]),
              StartsWith("const elsewheres = ['us-west.photos.example', "
                         "'london.photos.example'];\n"));
  EXPECT_THAT(FallbackScript(site, site.datacenters[2]),
              StartsWith("const elsewheres = ['us-east.photos.example', "
                         "'us-west.photos.example'];\n"));
}

TEST(FallbackScriptTest, ASiteOfOnePlaceHasNoFallback) {
  site::Site site;
  site.domain = "photos.example";
  site.datacenters = {{.name = "us-east"}};
  EXPECT_THAT(FallbackScript(site, site.datacenters[0]), StartsWith("const elsewheres = [];\n"));
  EXPECT_THAT(FallbackScript(site, site.datacenters[0]), HasSubstr("addEventListener('fetch'"));
}

}  // namespace
}  // namespace meridian::edge
