// Piece: one contiguous part of a representation, stored of a 206 (RFC 9111 3.3). What a request
// can have of it, and how it is put together with a part that arrives (RFC 9110 15.3.7.3). Pure.
//
// A stored response has one piece at most: a part that touches it, of the same representation,
// makes it grow; any other takes its place.
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

// The piece that a 206 with this Content-Range has; nothing: it is no "bytes" of a known length.
std::optional<Piece> ParsePiece(std::string_view content_range);

// The parts that `request` asks for, when all of them are in `piece` (RFC 9111 3.3); else kWhole.
wire::http::RangeOutcome PlanPiece(const CacheRequest& request, const Validators& stored,
                                   const Piece& piece, WallTime now);

// The rest of the whole, when it can be had by one range; `limit` is of what can be put together.
std::optional<wire::http::ByteRange> RestOf(const Piece& piece, const Validators& stored,
                                            uint64_t limit);

// What is there when `arrived` is put together with `stored`. Nothing: they are not known to be of
// one representation by a strong entity tag, do not touch, or come to more than `limit`.
std::optional<Piece> Combined(const Piece& stored, const Validators& stored_validators,
                              const Piece& arrived, const Validators& arrived_validators,
                              uint64_t limit);

}  // namespace meridian::edge
