// The output of a command while it waits: on a terminal a line that is rewritten, elsewhere a new
// line at growing intervals. Pure, except ForStandardOutput.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/clock.hpp"

namespace meridian::cli {

// The interval at which a waiting command calls Next.
constexpr Duration kWaitingInterval = std::chrono::milliseconds{250};
// Without a terminal: the time until the first line. Each later interval is twice as long, up to
// kMaxWaitingPause.
constexpr Duration kFirstWaitingLine = std::chrono::seconds{2};
constexpr Duration kMaxWaitingPause = std::chrono::seconds{60};

// Erases the terminal line of the cursor.
constexpr const char* kEraseLine = "\r\x1b[K";

class Waiting {
 public:
  // `columns`: of the terminal; 0: no terminal.
  explicit Waiting(size_t columns) : columns_(columns) {}
  static Waiting ForStandardOutput();

  // The text to print now, `waited` after the start of the wait; often empty. For an empty `what`
  // it prints no line.
  std::string Next(const std::string& what, Duration waited);
  // The text to print when the wait is over, which erases the line.
  std::string End();

 private:
  size_t columns_;
  bool shown_ = false;
  Duration next_line_ = kFirstWaitingLine;
  Duration pause_ = kFirstWaitingLine;
};

}  // namespace meridian::cli
