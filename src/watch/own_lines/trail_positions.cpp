#include "watch/own_lines/trail_positions.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "watch/own_lines/log_trail.hpp"

namespace meridian::watch {
namespace {

constexpr std::string_view kTitle = "meridian watch positions 1";

// The text up to `end`, which is taken too. Nothing: there is no `end`.
std::optional<std::string_view> TakeUntil(char end, std::string_view* text) {
  const size_t at = text->find(end);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view taken = text->substr(0, at);
  text->remove_prefix(at + 1);
  return taken;
}

template <class Number>
bool ReadNumber(std::string_view text, Number* number) {
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool ReadPosition(std::string_view line, TrailPositions* positions) {
  std::optional<std::string_view> name = TakeUntil(' ', &line);
  if (!name || name->empty()) return false;
  TrailPosition position;
  for (uint64_t* number :
       std::array{&position.file.device, &position.file.inode, &position.head, &position.offset}) {
    std::optional<std::string_view> text = TakeUntil(' ', &line);
    if (!text || !ReadNumber(*text, number)) return false;
  }
  int64_t written = 0;
  if (!ReadNumber(line, &written)) return false;
  position.written = WallTime{std::chrono::nanoseconds{written}};
  return positions->files.emplace(*name, position).second;
}

}  // namespace

std::string EncodePositions(const TrailPositions& positions) {
  std::string text = fmt::format("{}\nsequence {}\n", kTitle, positions.sequence);
  for (const auto& [name, position] : positions.files) {
    text +=
        fmt::format("{} {} {} {} {} {}\n", name, position.file.device, position.file.inode,
                    position.head, position.offset, position.written.time_since_epoch().count());
  }
  return text;
}

Result<TrailPositions> ReadPositions(std::string_view text) {
  TrailPositions positions;
  constexpr std::string_view kSequence = "sequence ";
  for (size_t number = 1; !text.empty() || number <= 2; ++number) {
    std::optional<std::string_view> line = TakeUntil('\n', &text);
    bool good = line.has_value();
    if (good && number == 1) {
      good = *line == kTitle;
    } else if (good && number == 2) {
      good = line->starts_with(kSequence) &&
             ReadNumber(line->substr(kSequence.size()), &positions.sequence);
    } else if (good) {
      good = ReadPosition(*line, &positions);
    }
    if (!good) return Fail(Errc::kInvalid, "line {} is wrong", number);
  }
  return positions;
}

}  // namespace meridian::watch
