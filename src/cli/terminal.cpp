#include "cli/terminal.hpp"

#include <cstddef>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace meridian::cli {

size_t TerminalColumns() {
  constexpr size_t kUsualColumns = 80;
  if (isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualColumns;
}

std::string_view FirstLetters(std::string_view text, size_t columns) {
  size_t letters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && ++letters > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace meridian::cli
