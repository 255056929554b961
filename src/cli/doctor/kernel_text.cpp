#include "cli/doctor/kernel_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/host/whole_lines.hpp"

namespace meridian::cli {
namespace {

std::optional<uint16_t> ParsePort(std::string_view text) {
  const std::optional<uint64_t> number = agent::WholeNumber(text);
  if (!number || *number > std::numeric_limits<uint16_t>::max()) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

}  // namespace

std::optional<uint64_t> ParseSetting(std::string_view text) {
  const std::vector<std::string_view> lines = agent::WholeLines(text);
  if (lines.size() != 1) return std::nullopt;
  return agent::WholeNumber(lines[0]);
}

std::optional<PortRange> ParsePortRange(std::string_view text) {
  const std::vector<std::string_view> lines = agent::WholeLines(text);
  if (lines.size() != 1) return std::nullopt;
  const std::vector<std::string_view> fields = agent::Fields(lines[0]);
  if (fields.size() != 2) return std::nullopt;
  const std::optional<uint16_t> first = ParsePort(fields[0]);
  const std::optional<uint16_t> last = ParsePort(fields[1]);
  if (!first || !last) return std::nullopt;
  return PortRange{*first, *last};
}

std::vector<PortRange> ParsePortList(std::string_view text) {
  std::vector<PortRange> ranges;
  const std::vector<std::string_view> lines = agent::WholeLines(text);
  if (lines.size() != 1) return ranges;
  std::string_view rest = lines[0];
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    const size_t dash = entry.find('-');
    const std::optional<uint16_t> first = ParsePort(entry.substr(0, dash));
    const std::optional<uint16_t> last =
        dash == entry.npos ? first : ParsePort(entry.substr(dash + 1));
    if (first && last) ranges.emplace_back(*first, *last);
  }
  return ranges;
}

}  // namespace meridian::cli
