// OutputFrame: what an agent tells the watch tier of its data center about the output of the
// processes that it runs. Agent and tier speak HTTP until the tier has seen the password (GET
// kOutputPath, upgraded to kOutputProtocol); then frames go one way:
//
//   origin    where the bytes of a source come from; before the first other frame of the source
//   bytes     output, as it was read, cut anywhere
//   dropped   lines of the source that are missing at this place
//   end       the process has ended; the source may go on with the next one's output
//
// and the number of bytes of frames that the tier has taken since the upgrade comes back, after
// each read. The agent keeps frames until then, and sends them again on the next connection.
//
// A pure codec. A frame is a length of four bytes and so many bytes: kind, source, and the rest by
// kind. STRICT: a frame that is not exactly so is an error, after which the stream is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {

// Of the watch tier's port. Both need the password `PasswordFor(token, kWatchPurpose)` in
// `Authorization: Bearer …`.
constexpr std::string_view kOutputPath = "/logs/output";
constexpr std::string_view kLogSearchPath = "/logs/search";
constexpr std::string_view kOutputProtocol = "meridian-output";
constexpr std::string_view kWatchPurpose = "watch";

constexpr size_t kMaxOutputBytes = size_t{32} * 1024;  // of a kBytes frame
constexpr size_t kMaxOutputNameBytes = 256;            // of each name of an origin
constexpr size_t kMaxOutputFrameBytes = kMaxOutputBytes + 64;

struct OutputOrigin {
  std::string tier;  // "app", "worker", or a tier
  std::string name;  // of the worker
  std::string instance;
  std::string release;
  std::string host;

  bool operator==(const OutputOrigin&) const = default;
};

enum class OutputKind : uint8_t { kOrigin = 1, kBytes = 2, kDropped = 3, kEnd = 4 };

struct OutputFrame {
  OutputKind kind = OutputKind::kEnd;
  uint32_t source = 0;
  OutputOrigin origin = {};  // of kOrigin
  // Of the other kinds: when the first of the bytes was read, or dropped. From 1970 to 2200, with
  // microseconds.
  WallTime time = {};
  std::string bytes = {};      // of kBytes; 1 to kMaxOutputBytes
  uint64_t dropped_lines = 0;  // of kDropped; at least one of the two is not 0
  uint64_t dropped_bytes = 0;

  bool operator==(const OutputFrame&) const = default;
};

// The frame must be within the limits above (CHECK).
void AppendOutputFrame(const OutputFrame& frame, std::string* out);

// Removes a frame from the front of `in`; nothing: more bytes are needed. kInvalid: not a frame.
// The limit of `in` is at least kMaxOutputFrameBytes + 4.
Result<std::optional<OutputFrame>> TakeOutputFrame(Buffer& in);

// What comes back: 8 bytes. `in` keeps an incomplete one.
std::string EncodeTaken(uint64_t bytes);
std::optional<uint64_t> TakeTaken(Buffer& in);

}  // namespace meridian::site
