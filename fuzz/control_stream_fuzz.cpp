// The control stream and the SiteView codec: however the bytes are torn, the lines are the same,
// and what decodes survives being encoded again. The first byte is the size of the pieces.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "site/tier/control.hpp"

namespace meridian::site {
namespace {

constexpr size_t kMaxLineBytes = 4096;

std::vector<std::string> Lines(std::string_view stream, size_t piece_bytes) {
  LineSplitter splitter(kMaxLineBytes);
  std::vector<std::string> lines;
  while (!stream.empty()) {
    std::string_view piece = stream.substr(0, piece_bytes);
    stream.remove_prefix(piece.size());
    while (true) {
      Result<std::optional<std::string>> line = splitter.Take(&piece);
      if (!line) return lines;
      if (!*line) break;
      CHECK((*line)->size() <= kMaxLineBytes);
      lines.push_back(std::move(**line));
    }
  }
  return lines;
}

void TestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return;
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> lines = Lines(stream, size_t{data[0]} + 1);
  CHECK(lines == Lines(stream, stream.size() + 1));
  for (const std::string& line : lines) {
    Result<SiteView> view = DecodeView(line);
    if (view) {
      std::string again = EncodeView(*view).value();
      again.pop_back();
      CHECK(DecodeView(again).value() == *view);
    }
    Result<TierReport> report = DecodeReport(line);
    if (report) {
      std::string again = EncodeReport(*report);
      again.pop_back();
      CHECK(DecodeReport(again).value() == *report);
    }
  }
}

}  // namespace
}  // namespace meridian::site

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::site::TestOneInput(data, size);
  return 0;
}
