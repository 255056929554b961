// Any bytes as what mirroring's peers say. Nothing outside them is read (the sanitizer sees to
// that), and a message that was decoded encodes to the same bytes.
#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "store/limits.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {
namespace {

void CheckSame(const std::vector<uint8_t>& again, Bytes frame) {
  CHECK(std::ranges::equal(again, frame));
}

void CheckFrame(Bytes bytes) {
  Frame frame = ParseFrame(bytes);
  // Names longer than allowed are cut off when they are written.
  bool short_enough = bytes.size() <= kMaxNameBytes;
  switch (frame.type) {
    case FrameType::kHello:
      if (frame.stream != kWholeConnection) return;
      if (auto hello = ParseHello(frame.body);
          hello && hello->version == kMirrorVersion && short_enough) {
        CheckSame(EncodeHello(*hello), bytes);
      }
      return;
    case FrameType::kWelcome:
      if (frame.stream != kWholeConnection) return;
      if (auto welcome = ParseWelcome(frame.body); welcome && short_enough) {
        CheckSame(EncodeWelcome(*welcome), bytes);
      }
      return;
    case FrameType::kOpenStream:
      if (auto open = ParseOpenStream(frame.body); open && short_enough) {
        CheckSame(EncodeOpenStream(frame.stream, *open), bytes);
      }
      return;
    case FrameType::kStreamOpened:
      if (auto opened = ParseStreamOpened(frame.body)) {
        CheckSame(EncodeStreamOpened(frame.stream, *opened), bytes);
      }
      return;
    case FrameType::kRefuse:
      if (auto refusal = ParseRefusal(frame.body); refusal && short_enough) {
        CheckSame(EncodeRefusal(frame.stream, *refusal), bytes);
      }
      return;
    case FrameType::kRecords:
      (void)ParseSourceState(frame.body);
      return;
    case FrameType::kHeartbeat:
      if (auto state = ParseHeartbeat(frame.body)) {
        CheckSame(EncodeHeartbeat(frame.stream, *state), bytes);
      }
      return;
    case FrameType::kAck:
      if (auto ack = ParseAck(frame.body)) CheckSame(EncodeAck(frame.stream, *ack), bytes);
      return;
    case FrameType::kSnapshot:
    case FrameType::kBlock:
    case FrameType::kCloseStream:
    case FrameType::kAlive:
      return;
  }
}

}  // namespace
}  // namespace meridian::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::Bytes rest(data, size);
  for (;;) {
    auto bytes = meridian::store::FrameBytes(rest, meridian::store::kMaxFrameBytes);
    if (!bytes || *bytes == 0 || *bytes > rest.size()) return 0;
    meridian::store::CheckFrame(rest.first(*bytes));
    rest = rest.subspan(*bytes);
  }
}
