#include "wire/http/fields/byte_range.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "wire/http/characters.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

constexpr std::string_view kUnit = "bytes=";

// Parses a position or a length. A number past 64 bits becomes the greatest 64-bit number, which
// has the same effect.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr uint64_t kMaxUint64 = std::numeric_limits<uint64_t>::max();
  uint64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    auto digit = static_cast<uint64_t>(c - '0');
    value = value > (kMaxUint64 - digit) / 10 ? kMaxUint64 : value * 10 + digit;
  }
  return value;
}

enum class Spec : uint8_t { kMalformed, kUnsatisfiable, kRange };

// Resolves one range-spec (RFC 9110 14.1.1) for a representation of `length` bytes, not 0.
Spec ResolveSpec(std::string_view spec, uint64_t length, ByteRange* range) {
  size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return Spec::kMalformed;
  std::string_view first_text = spec.substr(0, dash);
  std::string_view last_text = spec.substr(dash + 1);
  std::optional<uint64_t> last = ParseNumber(last_text);
  if (first_text.empty()) {  // a suffix: the last bytes
    if (!last) return Spec::kMalformed;
    if (*last == 0) return Spec::kUnsatisfiable;
    *range = {.first = length - std::min(*last, length), .last = length - 1};
    return Spec::kRange;
  }
  std::optional<uint64_t> first = ParseNumber(first_text);
  if (!first || (!last && !last_text.empty())) return Spec::kMalformed;
  if (last && *last < *first) return Spec::kMalformed;
  if (*first >= length) return Spec::kUnsatisfiable;
  *range = {.first = *first, .last = std::min(last.value_or(length - 1), length - 1)};
  return Spec::kRange;
}

bool Touch(const ByteRange& a, const ByteRange& b) {
  return a.first <= b.last + 1 && b.first <= a.last + 1;
}

// Joins overlapping and touching ranges. Keeps the requested order if none has to be joined.
void Coalesce(RangeOutcome* outcome) {
  auto* begin = outcome->ranges.begin();
  auto* end = begin + outcome->count;
  bool apart = true;
  for (auto* a = begin; a != end; ++a) {
    for (auto* b = a + 1; b != end; ++b) apart = apart && !Touch(*a, *b);
  }
  if (apart) return;
  std::ranges::sort(begin, end, {}, &ByteRange::first);
  auto* into = begin;
  for (auto* next = begin + 1; next != end; ++next) {
    if (Touch(*into, *next)) {
      into->last = std::max(into->last, next->last);
    } else {
      *++into = *next;
    }
  }
  outcome->count = static_cast<size_t>(into - begin) + 1;
}

}  // namespace

RangeOutcome ResolveRange(std::string_view value, uint64_t length) {
  bool bytes =
      value.size() > kUnit.size() && EqualsIgnoreCase(value.substr(0, kUnit.size()), kUnit);
  if (!bytes || length == 0) return {};
  RangeOutcome outcome;
  size_t asked = 0;
  ListElements specs(value.substr(kUnit.size()));
  while (auto spec = specs.Next()) {
    if (++asked > kMaxByteRanges) return {};
    ByteRange range;
    Spec resolved = ResolveSpec(*spec, length, &range);
    if (resolved == Spec::kMalformed) return {};
    if (resolved == Spec::kRange) outcome.ranges[outcome.count++] = range;
  }
  if (asked == 0) return {};
  outcome.kind =
      outcome.count == 0 ? RangeOutcome::Kind::kUnsatisfiable : RangeOutcome::Kind::kParts;
  if (outcome.count > 1) Coalesce(&outcome);
  return outcome;
}

std::optional<PartOfWhole> ParseContentRange(std::string_view value) {
  constexpr std::string_view kBytes = "bytes ";
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  const bool formed = value.size() > kBytes.size() &&
                      EqualsIgnoreCase(value.substr(0, kBytes.size()), kBytes) &&
                      dash != value.npos && slash != value.npos && dash < slash;
  if (!formed) return std::nullopt;
  auto first = ParseNumber(value.substr(kBytes.size(), dash - kBytes.size()));
  auto last = ParseNumber(value.substr(dash + 1, slash - dash - 1));
  auto length = ParseNumber(value.substr(slash + 1));
  if (!first || !last || !length || *last < *first || *length <= *last) return std::nullopt;
  return PartOfWhole{.range = {.first = *first, .last = *last}, .length = *length};
}

std::string ContentRange(const ByteRange& range, uint64_t length) {
  return fmt::format("bytes {}-{}/{}", range.first, range.last, length);
}

std::string UnsatisfiedContentRange(uint64_t length) { return fmt::format("bytes */{}", length); }

}  // namespace meridian::wire::http
