// Reads a child's output from a pipe line by line, so that each line can be logged with the child's
// name. One thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/net/stream.hpp"

namespace meridian::proc {

// Reads `stream` to its end and calls `line` for each line, without its newline, including an
// unfinished last line. Skips empty lines; splits lines longer than kMaxCapturedLine.
io::Task<void> CaptureLines(std::unique_ptr<io::Stream> stream,
                            std::function<void(std::string_view)> line);

}  // namespace meridian::proc
