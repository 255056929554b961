#include "agent/engines/engine_text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace meridian::agent {
namespace {

struct Escaped {
  std::string_view bytes;  // UTF-8
  std::string_view escape;
};
constexpr Escaped kEscaped[] = {{"\x7f", "\\u007f"},         {"\xe2\x80\xa8", "\\u2028"},
                                {"\xe2\x80\xa9", "\\u2029"}, {"\xef\xbb\xbf", "\\ufeff"},
                                {"\xef\xbf\xbe", "\\ufffe"}, {"\xef\xbf\xbf", "\\uffff"}};

// U+0080 to U+009F: C2, and 80 to 9F.
bool IsControl(std::string_view text) {
  return text.size() > 1 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
}

}  // namespace

std::string EngineText(std::string_view comment, std::string_view json) {
  std::string text = comment.empty() ? "" : fmt::format("# {}\n", comment);
  while (!json.empty()) {
    size_t taken = 1;
    if (IsControl(json)) {
      text += fmt::format("\\u{:04x}", static_cast<unsigned char>(json[1]));
      taken = 2;
    } else {
      std::string_view shown = json.substr(0, 1);
      for (const Escaped& each : kEscaped) {
        if (!json.starts_with(each.bytes)) continue;
        shown = each.escape;
        taken = each.bytes.size();
      }
      text += shown;
    }
    json.remove_prefix(taken);
  }
  return text + "\n";
}

}  // namespace meridian::agent
