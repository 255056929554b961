#include "cli/waiting.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "cli/terminal.hpp"

namespace meridian::cli {
namespace {

// At most `columns` letters, so that the text stays in one line that can be erased.
std::string Cut(std::string text, size_t columns) {
  // Control characters could move the cursor.
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return std::string(FirstLetters(text, columns));
}

}  // namespace

Waiting Waiting::ForStandardOutput() { return Waiting(TerminalColumns()); }

std::string Waiting::Next(const std::string& what, Duration waited) {
  if (what.empty()) return "";
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited).count();
  std::string text = fmt::format("waiting, {} s: {}", seconds, what);
  if (columns_ > 0) {
    shown_ = true;
    return kEraseLine + Cut(std::move(text), columns_ - 1);
  }
  if (waited < next_line_) return "";
  pause_ = std::min(pause_ * 2, kMaxWaitingPause);
  next_line_ = waited + pause_;
  return text + "\n";
}

std::string Waiting::End() { return std::exchange(shown_, false) ? kEraseLine : ""; }

}  // namespace meridian::cli
