// From the answers for a name to the addresses that a client tries, in their order: what `meridian
// visit` does as a browser may. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/dns/response.hpp"

namespace meridian::wire::dns {

struct Destination {
  Name host;  // whose address it is: the name itself, or the target of an HTTPS record
  IpAddress address;
  uint16_t priority = 0;         // of the HTTPS record; 0: an A or AAAA answer for the name
  std::optional<uint16_t> port;  // that the HTTPS record gives, for https alone

  bool operator==(const Destination&) const = default;
};

struct Destinations {
  std::vector<Destination> list;  // not empty; no address twice
  uint32_t ttl_seconds = 0;       // how long all of it may be kept
};

// `responses` are those to the queries for one name (A, AAAA, HTTPS, whichever were asked). First
// come the addresses of the name, which is all that a client without fallback uses; then, by
// priority, those of the HTTPS records' targets: from the additional section, else the hints. Where
// both name an address, the first stands, with the port of the record. Aliases and records with
// mandatory keys that are not known here are passed over (RFC 9460 sections 2.4.2 and 8).
// kNotFound: there is no such name, or no address of it; kUnavailable: the server refused or
// failed.
Result<Destinations> DestinationsOf(std::span<const Response> responses);

}  // namespace meridian::wire::dns
