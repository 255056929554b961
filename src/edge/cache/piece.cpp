#include "edge/cache/piece.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/range_answer.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/fields/entity_tag.hpp"

namespace meridian::edge {
namespace {

using wire::http::ByteRange;
using wire::http::RangeOutcome;

bool AreOfOne(const Validators& a, const Validators& b) {
  auto first = wire::http::ParseEntityTag(a.etag);
  auto second = wire::http::ParseEntityTag(b.etag);
  return first && second && wire::http::StrongMatch(*first, *second);
}

}  // namespace

std::optional<Piece> ParsePiece(std::string_view content_range) {
  auto parsed = wire::http::ParseContentRange(content_range);
  if (!parsed) return std::nullopt;
  return Piece{.range = parsed->range, .whole_length = parsed->length};
}

RangeOutcome PlanPiece(const CacheRequest& request, const Validators& stored, const Piece& piece,
                       WallTime now) {
  RangeOutcome ranges = PlanRange(request, stored, piece.whole_length, now);
  const bool within = std::ranges::all_of(ranges.parts(), [&](const ByteRange& part) {
    return part.first >= piece.range.first && part.last <= piece.range.last;
  });
  return ranges.kind == RangeOutcome::Kind::kParts && within ? ranges : RangeOutcome{};
}

std::optional<ByteRange> RestOf(const Piece& piece, const Validators& stored, uint64_t limit) {
  if (!IsStrongTag(stored.etag) || piece.whole_length > limit || piece.is_whole())
    return std::nullopt;
  const uint64_t last = piece.whole_length - 1;
  if (piece.range.first == 0) return ByteRange{.first = piece.range.last + 1, .last = last};
  if (piece.range.last == last) return ByteRange{.first = 0, .last = piece.range.first - 1};
  return std::nullopt;
}

std::optional<Piece> Combined(const Piece& stored, const Validators& stored_validators,
                              const Piece& arrived, const Validators& arrived_validators,
                              uint64_t limit) {
  const bool touch =
      stored.range.first <= arrived.range.last + 1 && arrived.range.first <= stored.range.last + 1;
  const bool of_one = stored.whole_length == arrived.whole_length &&
                      AreOfOne(stored_validators, arrived_validators);
  if (!touch || !of_one) return std::nullopt;
  const ByteRange both{.first = std::min(stored.range.first, arrived.range.first),
                       .last = std::max(stored.range.last, arrived.range.last)};
  if (both.size() > limit) return std::nullopt;
  return Piece{.range = both, .whole_length = stored.whole_length};
}

}  // namespace meridian::edge
