#include "proc/line_capture.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "proc/limits.hpp"

namespace meridian::proc {

io::Task<void> CaptureLines(std::unique_ptr<io::Stream> stream, LineObserver observer) {
  Buffer buffer(kMaxCapturedLine);
  for (;;) {
    Result<size_t> got = co_await stream->Read(buffer.Prepare(kMaxCapturedLine));
    bool ended = !got || *got == 0;
    if (!ended) {
      buffer.Commit(*got);
      observer.bytes(buffer.text().substr(buffer.size() - *got));
    }
    for (;;) {
      std::string_view text = buffer.text();
      size_t newline = text.find('\n');
      bool whole = newline != text.npos;
      if (text.empty() || (!whole && !ended && !buffer.full())) break;
      std::string_view piece = text.substr(0, newline);
      size_t used = whole ? newline + 1 : piece.size();
      if (piece.ends_with('\r')) piece.remove_suffix(1);
      if (!piece.empty()) observer.line(piece);
      buffer.Consume(used);
    }
    if (ended) co_return;
    buffer.ReleaseIfEmpty();
  }
}

}  // namespace meridian::proc
