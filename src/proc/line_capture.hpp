// Reads a child's output from a pipe line by line, so that each line can be logged with the child's
// name. One thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/net/stream.hpp"

namespace meridian::proc {

struct LineObserver {
  // Called with the bytes of each read, before `line` is called for the lines that end in them.
  std::function<void(std::string_view)> bytes;
  // Called for each line, without its newline, including an unfinished last line. Empty lines are
  // skipped; lines longer than kMaxCapturedLine are split.
  std::function<void(std::string_view)> line;
};

// Reads `stream` to its end.
io::Task<void> CaptureLines(std::unique_ptr<io::Stream> stream, LineObserver observer);

}  // namespace meridian::proc
