// Where in a partition a command begins: `--from`, `--to`. And times, as these commands read and
// write them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::cli {

struct OffsetTarget {
  enum class Kind : uint8_t { kBeginning, kEnd, kOffset, kTime };

  Kind kind = Kind::kBeginning;
  int64_t number = 0;  // the offset; of a time: ms since the Unix epoch

  bool operator==(const OffsetTarget&) const = default;
};

// "beginning" or "earliest"; "end" or "latest"; an offset, "42"; a time, "2026-11-30T10:00:00Z"; or
// how long ago, "15m". kInvalid: the message says what is expected.
Result<OffsetTarget> ParseOffsetTarget(std::string_view text, WallTime now);

// "2026-11-30T10:00:00.000Z"; "-" for a negative number, which says that there is no time, and past
// the year 9999.
std::string TimeText(int64_t ms);
// UTC. Also without milliseconds, seconds, or time of day. kInvalid.
Result<int64_t> ParseTime(std::string_view text);

}  // namespace meridian::cli
