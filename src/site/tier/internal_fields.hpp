// The header fields and paths that Meridian's HTTP tiers use among themselves and with operators.
#pragma once

#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {

// Requests for these paths never reach the application, on any HTTP port.
constexpr std::string_view kReservedPath = "/.meridian";
constexpr std::string_view kReadyPath = "/.meridian/ready";

// A request with `Meridian-Debug: 1` from a permitted address gets its path in the response:
// `Meridian-Path: edge=us-west datacenter=us-west instance=us-west-1`.
constexpr std::string_view kDebugField = "Meridian-Debug";
constexpr std::string_view kPathField = "Meridian-Path";
// In a balancer's response to an edge: the instance that answered, for the edge's log.
constexpr std::string_view kInstanceField = "Meridian-Instance";
// In a balancer's 503: no instance was available, and none has seen the request.
constexpr std::string_view kUnavailableField = "Meridian-Unavailable";

// Removes Meridian's own fields from a response of the application.
inline void RemoveInternalFields(wire::http::HeaderFields& fields) {
  fields.RemoveIf([](std::string_view name) {
    using wire::http::EqualsIgnoreCase;
    return EqualsIgnoreCase(name, kPathField) || EqualsIgnoreCase(name, kInstanceField) ||
           EqualsIgnoreCase(name, kUnavailableField);
  });
}

}  // namespace meridian::site
