// Any bytes as the output of a process, however reads divide them and whatever time passes. Every
// line is in an entry or counted as dropped; entries are printable and within their limits.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/lines/printable.hpp"
#include "wire/json/value.hpp"

namespace meridian::watch {
namespace {

void CheckEntry(const LogLine& line) {
  CHECK(IsPrintable(line.text) && IsPrintable(line.fields) && IsPrintable(line.trace_id));
  CHECK(line.text.size() + line.fields.size() <= kMaxEntryBytes);
  CHECK(line.trace_id.size() <= kMaxTraceIdBytes);
  if (!line.fields.empty()) CHECK(wire::json::Parse(line.fields)->is_object());
}

void CheckOutput(Bytes bytes) {
  ByteReader input(bytes);
  uint8_t quota = input.U8();
  ManualClock clock;
  LineReader reader({.bytes_per_second = uint64_t{quota} * 16 + 1,
                     .burst_bytes = uint64_t{quota} * quota * 16 + 1});
  std::vector<ArrivedLine> entries;
  while (input.remaining() > 0) {
    size_t piece = std::min<size_t>(input.U8(), input.remaining());
    clock.Advance(std::chrono::milliseconds(piece));
    Arrival at{clock.Now(), clock.Wall()};
    if (reader.deadline() <= at.now) reader.Expire(at, &entries);
    CHECK(reader.deadline() > at.now);
    reader.Feed(AsText(input.Take(piece)), at, &entries);
  }
  reader.Finish({clock.Now(), clock.Wall()}, &entries);
  CHECK(reader.deadline() == kNever);
  for (const ArrivedLine& entry : entries) CheckEntry(entry.line);
}

}  // namespace
}  // namespace meridian::watch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::watch::CheckOutput(meridian::Bytes(data, size));
  return 0;
}
