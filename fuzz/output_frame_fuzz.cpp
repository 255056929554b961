// The stream of output between agent and watch tier: however the bytes are torn, the frames are the
// same, they are within their limits, and written again they are the same bytes. The first byte is
// the size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "site/tier/output_frame.hpp"

namespace meridian::site {
namespace {

struct Read {
  std::vector<OutputFrame> frames;
  size_t bytes = 0;  // of them
  bool broken = false;

  bool operator==(const Read&) const = default;
};

Read ReadAll(std::string_view stream, size_t piece_bytes) {
  Buffer in(kMaxOutputFrameBytes + 4);
  Read read;
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, std::min(piece_bytes, in.limit() - in.size()));
    CHECK(!piece.empty());  // a whole frame always fits
    CHECK(in.Append(piece));
    stream.remove_prefix(piece.size());
    while (true) {
      const size_t before = in.size();
      auto frame = TakeOutputFrame(in);
      if (!frame) {
        read.broken = true;
        return read;
      }
      if (!*frame) break;
      read.bytes += before - in.size();
      read.frames.push_back(std::move(**frame));
    }
  }
  return read;
}

void TestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read read = ReadAll(stream, size_t{data[0]} + 1);
  CHECK(read == ReadAll(stream, stream.size() + 1));
  std::string again;
  for (const OutputFrame& frame : read.frames) AppendOutputFrame(frame, &again);
  CHECK(again == stream.substr(0, read.bytes));
}

}  // namespace
}  // namespace meridian::site

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::site::TestOneInput(data, size);
  return 0;
}
