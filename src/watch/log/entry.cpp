#include "watch/log/entry.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace meridian::watch {
namespace {

constexpr std::pair<std::string_view, Severity> kSpellings[] = {
    {"trace", Severity::kTrace},    {"finest", Severity::kTrace},     {"finer", Severity::kTrace},
    {"verbose", Severity::kTrace},  {"10", Severity::kTrace},         {"debug", Severity::kDebug},
    {"dbg", Severity::kDebug},      {"fine", Severity::kDebug},       {"20", Severity::kDebug},
    {"info", Severity::kInfo},      {"information", Severity::kInfo}, {"inf", Severity::kInfo},
    {"notice", Severity::kInfo},    {"config", Severity::kInfo},      {"30", Severity::kInfo},
    {"warn", Severity::kWarning},   {"warning", Severity::kWarning},  {"wrn", Severity::kWarning},
    {"40", Severity::kWarning},     {"error", Severity::kError},      {"err", Severity::kError},
    {"severe", Severity::kError},   {"50", Severity::kError},         {"fatal", Severity::kFatal},
    {"critical", Severity::kFatal}, {"crit", Severity::kFatal},       {"alert", Severity::kFatal},
    {"emerg", Severity::kFatal},    {"emergency", Severity::kFatal},  {"panic", Severity::kFatal},
    {"dpanic", Severity::kFatal},   {"60", Severity::kFatal},
};

constexpr size_t kMaxSpellingBytes = 11;

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

Severity ParseSeverity(std::string_view text) {
  std::array<char, kMaxSpellingBytes> folded{};
  if (text.size() > folded.size()) return Severity::kUnknown;
  std::ranges::transform(text, folded.begin(), Lower);
  std::string_view name(folded.data(), text.size());
  const auto* found =
      std::ranges::find(kSpellings, name, &std::pair<std::string_view, Severity>::first);
  return found == std::end(kSpellings) ? Severity::kUnknown : found->second;
}

bool IsAtLeast(Severity severity, Severity at_least) {
  return (severity == Severity::kUnknown ? Severity::kInfo : severity) >= at_least;
}

}  // namespace meridian::watch
