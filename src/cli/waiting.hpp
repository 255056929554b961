// What a command says while it waits: on a terminal one line that is rewritten, elsewhere a line
// now and then. Pure, but for ForStandardOutput.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/clock.hpp"

namespace meridian::cli {

// How often a command that waits asks for the next text.
constexpr Duration kWaitingInterval = std::chrono::milliseconds{250};
// Where output is no terminal: the time until the first line. Each time after that is twice as
// long, up to the longest.
constexpr Duration kFirstWaitingLine = std::chrono::seconds{2};
constexpr Duration kMaxWaitingPause = std::chrono::seconds{60};

// Takes the line that the cursor is in off a terminal.
constexpr const char* kEraseLine = "\r\x1b[K";

class Waiting {
 public:
  // `columns`: of the terminal; 0: it is none.
  explicit Waiting(size_t columns) : columns_(columns) {}
  static Waiting ForStandardOutput();

  // What to print now, `waited` after the wait began; often nothing. An empty `what` is not worth a
  // line.
  std::string Next(const std::string& what, Duration waited);
  // What to print when the wait is over: it takes the line away.
  std::string End();

 private:
  size_t columns_;
  bool shown_ = false;
  Duration next_line_ = kFirstWaitingLine;
  Duration pause_ = kFirstWaitingLine;
};

}  // namespace meridian::cli
