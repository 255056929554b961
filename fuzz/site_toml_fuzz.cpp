// site.toml: any text gives a Site or at least one error, and every error can be rendered.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "site/load/load.hpp"
#include "site/tier_description.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using meridian::site::Ports;
  static const std::vector<meridian::site::TierDescription> tiers = {
      {.name = "session",
       .ports = {{.port = &Ports::session}},
       .external_schemes = {"redis", "rediss"}},
      {.name = "edge",
       .ports = {{.port = &Ports::edge}, {.key = "https_port", .port = &Ports::edge_https}}},
      {.name = "dns", .ports = {{.port = &Ports::dns}}}};
  auto site = meridian::site::Parse(
      {.text = std::string(reinterpret_cast<const char*>(data), size), .file = "/srv/site.toml"},
      tiers);
  if (site) {
    CHECK(!site->datacenters.empty() && !site->domain.empty() && !site->app.command.empty());
    return 0;
  }
  CHECK(!site.error().empty());
  std::string text = site.error().Render();
  for (char letter : text) {
    CHECK(letter == '\n' || letter == '\t' || static_cast<uint8_t>(letter) >= 0x20);
  }
  return 0;
}
