// Piece: one contiguous part of a representation, stored from a 206 (RFC 9111 3.3): which requests
// it answers, and how it is combined with an arriving part (RFC 9110 15.3.7.3). Pure.
//
// A stored response has at most one piece. An arriving part of the same representation that
// adjoins or overlaps it is combined with it; any other part replaces it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/byte_range.hpp"

namespace meridian::edge {

struct Piece {
  wire::http::ByteRange range;
  uint64_t whole_length = 0;  // of the representation

  bool is_whole() const { return range.first == 0 && range.last + 1 == whole_length; }
  bool operator==(const Piece&) const = default;
};

// The piece in a 206 with this Content-Range; nothing: not "bytes", or the full length is unknown.
std::optional<Piece> ParsePiece(std::string_view content_range);

// The parts that `request` asks for, when all of them are in `piece` (RFC 9111 3.3); else kWhole.
wire::http::RangeOutcome PlanPiece(const CacheRequest& request, const Validators& stored,
                                   const Piece& piece, WallTime now);

// The missing rest of the representation when it is one range and the whole is within `limit`.
std::optional<wire::http::ByteRange> RestOf(const Piece& piece, const Validators& stored,
                                            uint64_t limit);

// `arrived` combined with `stored`. Nothing: no strong entity tag shows that both are of one
// representation, they do not touch, or the result is larger than `limit`.
std::optional<Piece> Combined(const Piece& stored, const Validators& stored_validators,
                              const Piece& arrived, const Validators& arrived_validators,
                              uint64_t limit);

}  // namespace meridian::edge
