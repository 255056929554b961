// Whether a request comes round again: an edge that stands alone may be in front of itself, by its
// own address or by others' that send everything here. Pure.
//
// An edge signs what it forwards in CDN-Loop (RFC 8586), with a name that no other has, and in Via,
// where all edges are called the same: chains of them are in order, endless ones are not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

inline constexpr std::string_view kLoopField = "CDN-Loop";

// The name of one edge, made of a random number.
std::string LoopId(uint64_t random);

// A request that has passed the edge `own_id`, or kMaxEdgesPassed of any.
bool IsLoop(const wire::http::HeaderFields& request, std::string_view own_id);

}  // namespace meridian::edge
