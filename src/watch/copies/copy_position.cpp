#include "watch/copies/copy_position.hpp"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {
namespace {

constexpr std::string_view kTitle = "meridian watch copy 1\n";

template <class Number>
bool TakeNumber(std::string_view name, std::string_view* text, Number* number) {
  if (!text->starts_with(name)) return false;
  text->remove_prefix(name.size());
  const size_t end = text->find('\n');
  if (end == std::string_view::npos || !text->starts_with(' ')) return false;
  auto parsed = std::from_chars(text->data() + 1, text->data() + end, *number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + end) return false;
  text->remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string EncodeCopyPosition(const CopyPosition& position) {
  return fmt::format("{}sequence {}\nrest {}\nurgent {}\nuntil {}\n", kTitle, position.sequence,
                     position.cursor.rest, position.cursor.urgent,
                     position.until.time_since_epoch().count());
}

Result<CopyPosition> ReadCopyPosition(std::string_view text) {
  CopyPosition position;
  if (!text.starts_with(kTitle)) return Fail(Errc::kInvalid, "line 1 is wrong");
  text.remove_prefix(kTitle.size());
  int line = 1;
  for (const auto& [name, number] :
       {std::pair("sequence", &position.sequence), std::pair("rest", &position.cursor.rest),
        std::pair("urgent", &position.cursor.urgent)}) {
    ++line;
    if (!TakeNumber(name, &text, number)) return Fail(Errc::kInvalid, "line {} is wrong", line);
  }
  int64_t until = 0;
  if (!TakeNumber("until", &text, &until)) return Fail(Errc::kInvalid, "line 5 is wrong");
  if (!text.empty()) return Fail(Errc::kInvalid, "line 6 is wrong");
  position.until = LogTime{std::chrono::microseconds{until}};
  return position;
}

}  // namespace meridian::watch
