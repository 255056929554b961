// The header fields and paths that Meridian's HTTP tiers use among themselves and with operators.
// They meet on the wire; here is how it is spelled.
#pragma once

#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::site {

// On every HTTP port these paths are Meridian's; an application never sees them.
constexpr std::string_view kReservedPath = "/.meridian";
constexpr std::string_view kReadyPath = "/.meridian/ready";

// A request with `Meridian-Debug: 1`, from an address that may, is answered with the way it went:
// `Meridian-Path: edge=us-west datacenter=us-west instance=us-west-1`.
constexpr std::string_view kDebugField = "Meridian-Debug";
constexpr std::string_view kPathField = "Meridian-Path";
// In a balancer's answer to an edge: which instance has given it, for the edge's log.
constexpr std::string_view kInstanceField = "Meridian-Instance";
// In a balancer's 503: it has nobody to send the request to, which nobody has seen.
constexpr std::string_view kUnavailableField = "Meridian-Unavailable";

// What only Meridian may say, in the fields of a response that an application has made.
inline void RemoveInternalFields(wire::http::HeaderFields& fields) {
  fields.Remove(kPathField);
  fields.Remove(kInstanceField);
  fields.Remove(kUnavailableField);
}

}  // namespace meridian::site
