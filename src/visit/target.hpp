// What `meridian visit` was asked for, against the site: whom to ask for which names, and from
// where. Pure.
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

// A URL of the site. The edge does not stand at the schemes' own ports: a URL without a port means
// its HTTP or HTTPS port.
struct Target {
  bool https = false;
  std::string host;   // without a dot at its end
  uint16_t port = 0;  // where to connect
  std::string path;   // "/..."
  std::optional<std::string> query{};
  std::string authority;  // the Host field: as a browser would send it for the URL
  wire::dns::Name name;   // whose addresses are asked for
  // Whose HTTPS records are asked for: `name`, or with the port that the URL gives in front
  // (RFC 9460 section 9.1).
  wire::dns::Name service_name;
};

// kInvalid: not a URL, or of a host that is not the site's.
Result<Target> ParseTarget(std::string_view url, const site::Site& site);

// Where the visitor is.
struct Origin {
  std::string shown;  // "new-york (198.51.100.0/24)"; empty: here
  std::optional<wire::dns::ClientSubnet> subnet{};
};

// `from`: a place's name, an address (of which the block is told that a resolver would tell, /24 or
// /56), a prefix, or nothing. kInvalid: none of these.
Result<Origin> ParseOrigin(std::string_view from, std::span<const dns::Place> places);

}  // namespace meridian::visit
