// The messages of copies between watch tiers: however the bytes are torn, the messages are the
// same, and what was read is written again so that it reads the same. The first byte is the size of
// the pieces; its highest bit says whether it is a request.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "watch/copies/copy_frame.hpp"
#include "watch/log/remote/limits.hpp"

namespace meridian::watch {
namespace {

// The first message of the stream; nothing: it is wrong, or not whole.
template <class Message, class Take>
std::optional<Message> ReadFirst(std::string_view stream, size_t piece_bytes, Take take) {
  Buffer in(kMaxPageMessageBytes + kCopyFrameHeadBytes);
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, piece_bytes);
    if (!in.Append(piece)) return std::nullopt;
    stream.remove_prefix(piece.size());
    auto message = take(in);
    if (!message) return std::nullopt;
    if (*message) return std::move(*message);
  }
  return std::nullopt;
}

void TestRequest(std::string_view stream, size_t piece_bytes) {
  auto first = ReadFirst<CopyRequest>(stream, piece_bytes, TakeCopyRequest);
  if (!first) return;
  const std::string again = EncodeCopyRequest(*first);
  CHECK(stream.starts_with(again));
}

void TestFrame(std::string_view stream, size_t piece_bytes) {
  auto first = ReadFirst<CopyFrame>(stream, piece_bytes, TakeCopyFrame);
  auto whole = ReadFirst<CopyFrame>(stream, stream.size(), TakeCopyFrame);
  CHECK(first.has_value() == whole.has_value());
  if (!first) return;
  CHECK(first->cursor == whole->cursor && first->searched == whole->searched);
  CHECK(first->page.entries == whole->page.entries);
  const std::string text = EncodeCopyFrame(*first);
  auto again = ReadFirst<CopyFrame>(text, text.size(), TakeCopyFrame);
  CHECK(again && again->cursor == first->cursor && again->searched == first->searched);
  CHECK(again->page.entries == first->page.entries);
}

void TestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = (data[0] & 0x7fU) + 1;
  if ((data[0] & 0x80U) != 0) return TestRequest(stream, piece_bytes);
  TestFrame(stream, piece_bytes);
}

}  // namespace
}  // namespace meridian::watch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::watch::TestOneInput(data, size);
  return 0;
}
