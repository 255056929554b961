#include "cli/waiting.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.hpp"

namespace meridian::cli {
namespace {

constexpr size_t kUsualColumns = 80;

// At most `columns` letters, so that the text stays in one line that can be erased.
std::string Cut(std::string text, size_t columns) {
  size_t letters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    // Control characters could move the cursor.
    if (static_cast<unsigned char>(text[i]) < ' ') text[i] = ' ';
    if (begins && ++letters > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

Waiting Waiting::ForStandardOutput() {
  if (isatty(STDOUT_FILENO) == 0) return Waiting(0);
  winsize size{};
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return Waiting(known ? size.ws_col : kUsualColumns);
}

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
