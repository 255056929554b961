// Byte ranges (RFC 9110 14): what a Range field asks of a representation whose length is known.
// Pure.
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

// `value` is the Range field's, `length` the representation's, in bytes. kWhole for what a server
// may or must ignore: another unit, a malformed set, more than kMaxByteRanges ranges, and a
// representation without bytes. Ranges that
// overlap or touch become one (RFC 9110 14.2, 15.3.7.2): parts never hold a byte twice.
RangeOutcome ResolveRange(std::string_view value, uint64_t length);

// A Content-Range that says where a part lies (RFC 9110 14.4), and of what length the whole is.
struct PartOfWhole {
  ByteRange range;
  uint64_t length = 0;
};
// Nothing for another unit, a length that is not told ("*"), and what is malformed or impossible.
std::optional<PartOfWhole> ParseContentRange(std::string_view value);

// "bytes 0-499/1234", and "bytes */1234" for 416.
std::string ContentRange(const ByteRange& range, uint64_t length);
std::string UnsatisfiedContentRange(uint64_t length);

}  // namespace meridian::wire::http
