// What a child prints, line by line: read from a pipe and handed on, so that each line can be
// logged with whose it is. One thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/net/stream.hpp"

namespace meridian::agent {

// A longer line is handed on in pieces of this size.
constexpr size_t kLongestCapturedLine = 4096;

// Reads `stream` to its end and calls `line` for each line, without its newline; an unfinished last
// one too. Empty lines are passed over.
io::Task<void> CaptureLines(std::unique_ptr<io::Stream> stream,
                            std::function<void(std::string_view)> line);

}  // namespace meridian::agent
