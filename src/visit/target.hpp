// The arguments of `meridian visit`, resolved against the site: the URL's names and port, and the
// visitor's location. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "dns/geo/location.hpp"
#include "site/site.hpp"
#include "wire/dns/message.hpp"

namespace meridian::visit {

// A URL of the site. A URL without a port means the edge's HTTP or HTTPS port, not 80 or 443.
struct Target {
  bool https = false;
  std::string host;   // without a dot at its end
  uint16_t port = 0;  // port to connect to
  std::string path;   // "/..."
  std::optional<std::string> query{};
  std::string authority;  // the Host field, as a browser sends it for the URL
  wire::dns::Name name;   // name of the A and AAAA queries
  // Name of the HTTPS query: `name`, with a prefix for the URL's port if it has one (RFC 9460
  // section 9.1).
  wire::dns::Name service_name;
};

// kInvalid: not a URL, or not a host of the site.
Result<Target> ParseTarget(std::string_view url, const site::Site& site);

// The visitor's location.
struct Origin {
  std::string shown;  // "new-york (198.51.100.0/24)"; empty: here
  std::optional<wire::dns::ClientSubnet> subnet{};
};

// `from`: a place's name, an address (sent as its /24 or /56 block, as resolvers do), a prefix, or
// empty. kInvalid: none of these.
Result<Origin> ParseOrigin(std::string_view from, std::span<const dns::Place> places);

}  // namespace meridian::visit
