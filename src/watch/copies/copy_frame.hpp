// The messages with which a watch tier copies the lines of another data center, over one connection
// to its peer port. Numbers are big-endian. Pure; any thread.
//
//   request   "MCPY", version u8, rest u64, urgent u64, max_bytes u64, length u8, data center
//   frame     length u32, rest u64, urgent u64, kept u64, first u64, searched i64 (microseconds
//             since 1970), flags u8 (1 current, 2 gap), a page as JSON (search_message.hpp)
//   taken     one byte 0x06 for each frame
//
// The follower sends the request and then a byte for each frame that is in its store; the other
// side sends frames. A frame without entries is a heartbeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {

constexpr uint8_t kCopyTaken = 0x06;
// Of a request, and of a frame before its page.
constexpr size_t kMaxCopyRequestBytes = 4 + 1 + (3 * 8) + 1 + 255;
constexpr size_t kCopyFrameHeadBytes = 4 + (5 * 8) + 1;

// How far a data center's log is copied, in its sequences.
struct CopyCursor {
  uint64_t rest = 0;    // all entries below it are
  uint64_t urgent = 0;  // all urgent entries below it are; at least `rest`

  bool operator==(const CopyCursor&) const = default;
};

struct CopyRequest {
  CopyCursor from;
  uint64_t max_bytes = 0;   // the bytes of files that the follower keeps
  std::string data_center;  // the follower's
};

struct CopyFrame {
  CopyCursor cursor;  // behind this frame
  // The entries of the process that sends have sequences from `first` on; of those below it, those
  // below `kept` have survived the ends of earlier processes.
  uint64_t kept = 0;
  uint64_t first = 0;
  // By the sender's clock, before it searched: the entries until then are on this page, on earlier
  // ones, or behind it.
  LogTime searched;
  bool current = false;  // there was nothing behind it
  // Before it entries are missing that the follower has not got: they were removed, or cannot be
  // read.
  bool gap = false;
  LogPage page;
};

// `data_center` has at most 255 bytes (CHECK).
std::string EncodeCopyRequest(const CopyRequest& request);
std::string EncodeCopyFrame(const CopyFrame& frame);

// Takes the message at the front. Nothing: it is not whole yet. kInvalid, kTooLarge: it is none.
Result<std::optional<CopyRequest>> TakeCopyRequest(Buffer& in);
Result<std::optional<CopyFrame>> TakeCopyFrame(Buffer& in);

}  // namespace meridian::watch
