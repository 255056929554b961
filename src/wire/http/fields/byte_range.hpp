// Byte ranges (RFC 9110 14): resolves a Range field for a representation of known length. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wire/http/limits.hpp"

namespace meridian::wire::http {

// Positions of the first and the last byte.
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;

  uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

struct RangeOutcome {
  enum class Kind : uint8_t {
    kWhole,          // answer as if there were no Range
    kParts,          // 206 with `parts()`
    kUnsatisfiable,  // 416
  };
  Kind kind = Kind::kWhole;
  std::array<ByteRange, kMaxByteRanges> ranges = {};
  size_t count = 0;

  std::span<const ByteRange> parts() const { return {ranges.data(), count}; }
};

// Resolves the Range field `value` for a representation of `length` bytes. kWhole for ranges that a
// server may or must ignore: another unit, a malformed set, more than kMaxByteRanges ranges, and a
// representation without bytes. Ranges that overlap or touch are joined (RFC 9110 14.2, 15.3.7.2),
// so that no byte is in two parts.
RangeOutcome ResolveRange(std::string_view value, uint64_t length);

// A parsed Content-Range (RFC 9110 14.4): the position of a part, and the length of the whole.
struct PartOfWhole {
  ByteRange range;
  uint64_t length = 0;
};
// Nothing: another unit, an unknown length ("*"), or a malformed or impossible value.
std::optional<PartOfWhole> ParseContentRange(std::string_view value);

// "bytes 0-499/1234", and "bytes */1234" for 416.
std::string ContentRange(const ByteRange& range, uint64_t length);
std::string UnsatisfiedContentRange(uint64_t length);

}  // namespace meridian::wire::http
