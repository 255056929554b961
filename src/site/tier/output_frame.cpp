#include "site/tier/output_frame.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian::site {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kTakenBytes = 8;
constexpr auto kMaxTime = std::chrono::sys_days(std::chrono::year{2200} / 1 / 1);

void AppendBigEndian(uint64_t value, size_t width, std::string* out) {
  for (size_t i = width; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t MicrosecondsOf(WallTime time) {
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  CHECK(since >= 0 && time <= kMaxTime);
  return static_cast<uint64_t>(since);
}

std::string TextOf(Bytes bytes) { return std::string(AsText(bytes)); }

bool ReadName(ByteReader& reader, std::string* name) {
  const uint16_t bytes = reader.U16();
  if (bytes > kMaxOutputNameBytes) return false;
  *name = TextOf(reader.Take(bytes));
  return reader.ok();
}

bool ReadOrigin(ByteReader& reader, OutputOrigin* origin) {
  return ReadName(reader, &origin->tier) && ReadName(reader, &origin->name) &&
         ReadName(reader, &origin->instance) && ReadName(reader, &origin->release) &&
         ReadName(reader, &origin->host);
}

bool ReadTime(ByteReader& reader, WallTime* time) {
  const uint64_t microseconds = reader.U64();
  constexpr auto kMax =
      std::chrono::duration_cast<std::chrono::microseconds>(kMaxTime.time_since_epoch()).count();
  if (!reader.ok() || microseconds > static_cast<uint64_t>(kMax)) return false;
  *time = WallTime{std::chrono::microseconds{static_cast<int64_t>(microseconds)}};
  return true;
}

bool ReadRest(ByteReader& reader, OutputFrame* frame) {
  switch (frame->kind) {
    case OutputKind::kOrigin:
      return ReadOrigin(reader, &frame->origin);
    case OutputKind::kBytes:
      if (!ReadTime(reader, &frame->time)) return false;
      frame->bytes = TextOf(reader.Take(reader.remaining()));
      return !frame->bytes.empty() && frame->bytes.size() <= kMaxOutputBytes;
    case OutputKind::kDropped:
      if (!ReadTime(reader, &frame->time)) return false;
      frame->dropped_lines = reader.U64();
      frame->dropped_bytes = reader.U64();
      return frame->dropped_lines > 0 || frame->dropped_bytes > 0;
    case OutputKind::kEnd:
      return ReadTime(reader, &frame->time);
  }
  return false;  // no such kind
}

}  // namespace

void AppendOutputFrame(const OutputFrame& frame, std::string* out) {
  std::string body;
  AppendBigEndian(static_cast<uint8_t>(frame.kind), 1, &body);
  AppendBigEndian(frame.source, 4, &body);
  if (frame.kind == OutputKind::kOrigin) {
    const OutputOrigin& origin = frame.origin;
    for (std::string_view name :
         {std::string_view(origin.tier), std::string_view(origin.name),
          std::string_view(origin.instance), std::string_view(origin.release),
          std::string_view(origin.host)}) {
      CHECK(name.size() <= kMaxOutputNameBytes);
      AppendBigEndian(name.size(), 2, &body);
      body += name;
    }
  } else {
    AppendBigEndian(MicrosecondsOf(frame.time), 8, &body);
  }
  if (frame.kind == OutputKind::kBytes) {
    CHECK(!frame.bytes.empty() && frame.bytes.size() <= kMaxOutputBytes);
    body += frame.bytes;
  } else if (frame.kind == OutputKind::kDropped) {
    CHECK(frame.dropped_lines > 0 || frame.dropped_bytes > 0);
    AppendBigEndian(frame.dropped_lines, 8, &body);
    AppendBigEndian(frame.dropped_bytes, 8, &body);
  }
  AppendBigEndian(body.size(), kLengthBytes, out);
  *out += body;
}

Result<std::optional<OutputFrame>> TakeOutputFrame(Buffer& in) {
  if (in.size() < kLengthBytes) return std::nullopt;
  const size_t bytes = ByteReader(in.readable()).U32();
  if (bytes > kMaxOutputFrameBytes) {
    return Fail(Errc::kInvalid, "a frame of {} bytes; the limit is {}", bytes,
                kMaxOutputFrameBytes);
  }
  if (in.size() < kLengthBytes + bytes) return std::nullopt;
  ByteReader reader(in.readable().subspan(kLengthBytes, bytes));
  OutputFrame frame;
  frame.kind = static_cast<OutputKind>(reader.U8());
  frame.source = reader.U32();
  const bool good = reader.ok() && ReadRest(reader, &frame) && reader.ok();
  if (!good || reader.remaining() > 0) {
    return Fail(Errc::kInvalid, "a frame of kind {} is not as it should be",
                static_cast<int>(frame.kind));
  }
  in.Consume(kLengthBytes + bytes);
  return std::optional(std::move(frame));
}

std::string EncodeTaken(uint64_t bytes) {
  std::string text;
  AppendBigEndian(bytes, kTakenBytes, &text);
  return text;
}

std::optional<uint64_t> TakeTaken(Buffer& in) {
  if (in.size() < kTakenBytes) return std::nullopt;
  const uint64_t bytes = ByteReader(in.readable()).U64();
  in.Consume(kTakenBytes);
  return bytes;
}

}  // namespace meridian::site
