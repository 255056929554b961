// Detects forwarding loops of an edge without a site: its origin may be itself, or a proxy that
// forwards back to it. Pure.
//
// An edge adds to each forwarded request its unique name in CDN-Loop (RFC 8586), and an entry in
// Via, which is the same for all edges: a chain of edges is allowed up to a limit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

inline constexpr std::string_view kLoopField = "CDN-Loop";

// The unique name of an edge, made of a random number.
std::string LoopId(uint64_t random);

// Whether a request has passed the edge `own_id`, or kMaxEdgesPassed edges.
bool IsLoop(const wire::http::HeaderFields& request, std::string_view own_id);

}  // namespace meridian::edge
