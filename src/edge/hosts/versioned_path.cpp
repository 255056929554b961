#include "edge/hosts/versioned_path.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "site/tier/internal_fields.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/uri.hpp"

namespace meridian::edge {
namespace {

constexpr std::string_view kFirst = "/v/";

bool IsVersionDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsPlainPath(std::string_view path) {
  return path.starts_with('/') && !path.starts_with("//") &&
         wire::http::MatchPath(path, site::kReservedPath) == wire::http::PathMatch::kOutside;
}

// Whether `target` is a valid plain path and query. IsPlainPath rejects invalid escapes.
bool IsTarget(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  auto may_stand = [](char c) { return c == '%' || wire::http::Is(c, wire::http::kPathChar); };
  return IsPlainPath(path) && std::ranges::all_of(path, may_stand) &&
         wire::http::All(target.substr(path.size()), wire::http::kQueryChar);
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text.front() != '%') {
      decoded.push_back(text.front());
      continue;
    }
    if (text.size() < 3) return std::nullopt;
    int high = wire::http::HexValue(text[1]);
    int low = wire::http::HexValue(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    text.remove_prefix(2);
  }
  return decoded;
}

}  // namespace

std::optional<VersionedPath> ParseVersionedPath(std::string_view path) {
  if (!path.starts_with(kFirst)) return std::nullopt;
  VersionedPath parts{.version = path.substr(kFirst.size(), kVersionDigits)};
  bool is_version =
      parts.version.size() == kVersionDigits && std::ranges::all_of(parts.version, IsVersionDigit);
  if (!is_version) return std::nullopt;
  parts.path = path.substr(kFirst.size() + kVersionDigits);
  if (!IsPlainPath(parts.path)) return std::nullopt;
  return parts;
}

std::string MakeVersionedPath(const VersionedPath& parts) {
  std::string path(kFirst);
  path.append(parts.version).append(parts.path);
  return path;
}

std::optional<std::string> TargetOfQuery(std::string_view query) {
  constexpr std::string_view kName = "path=";
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (!pair.starts_with(kName)) continue;
    auto target = PercentDecoded(pair.substr(kName.size()));
    return target && IsTarget(*target) ? target : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace meridian::edge
