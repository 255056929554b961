// CopyPosition: how far another data center's lines are copied, as it is kept in a file over
// restarts. Pure; any thread.
//
//   meridian watch copy 1
//   sequence 4294967300
//   rest 8589934600
//   urgent 8589934600
//   until 1795224138000000
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {

struct CopyPosition {
  uint64_t sequence = 0;  // what came before it has lower sequences in the copy's store
  CopyCursor cursor;      // in the sequences of the other data center
  LogTime until;          // all lines up to this time are in the copy

  bool operator==(const CopyPosition&) const = default;
};

std::string EncodeCopyPosition(const CopyPosition& position);
// kInvalid: another text, with the number of the line that is wrong.
Result<CopyPosition> ReadCopyPosition(std::string_view text);

}  // namespace meridian::watch
