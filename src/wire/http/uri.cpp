#include "wire/http/uri.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/limits.hpp"

namespace meridian::wire::http {
namespace {

constexpr size_t kShownBytes = 80;
constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      int high = HexValue(text[i + 1]);
      int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    decoded.push_back(c);
  }
  return decoded;
}

bool StartsWithPrefix(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// Appends the segments of an absolute path to `normal`, resolving "." and "..". True: the path is
// within `prefix` after some segment, and so within it for a program that does not resolve the
// rest.
bool ResolveSegments(std::string_view path, std::string_view prefix, std::string* normal) {
  bool passed = false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash in front of the segment
    std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment == "..") {
      normal->resize(normal->empty() ? 0 : normal->rfind('/'));
    } else if (!segment.empty() && segment != ".") {
      normal->append("/").append(segment);
      passed = passed || StartsWithPrefix(*normal, prefix);
    }
    // "/a/", "/a/." and "/a/b/.." name a directory: they keep a slash at the end.
    bool last_is_directory = path.empty() && (segment.empty() || segment == "." || segment == "..");
    if (last_is_directory) normal->push_back('/');
  }
  return passed;
}

bool IsPlain(std::string_view path) {
  return path.find('%') == std::string_view::npos && path.find("//") == std::string_view::npos &&
         path.find("/.") == std::string_view::npos;
}

}  // namespace

PathMatch MatchPath(std::string_view path, std::string_view prefix) {
  if (IsPlain(path))
    return StartsWithPrefix(path, prefix) ? PathMatch::kWithin : PathMatch::kOutside;
  std::optional<std::string> decoded = PercentDecode(path);
  if (!decoded || !decoded->starts_with('/')) return PathMatch::kDisguised;
  std::string normal;
  if (!ResolveSegments(*decoded, prefix, &normal)) return PathMatch::kOutside;
  return normal == path ? PathMatch::kWithin : PathMatch::kDisguised;
}

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (https ? kHttpsPort : kHttpPort)) text += ":" + std::to_string(port);
  return text;
}

Result<Url> ParseUrl(std::string_view text) {
  std::string_view shown = text.substr(0, kShownBytes);
  if (text.size() > kMaxUrlBytes) {
    return Fail(Errc::kTooLarge, "the URL '{}...' is longer than {} bytes", shown, kMaxUrlBytes);
  }
  std::string_view rest = text.substr(0, text.find('#'));
  size_t scheme_end = rest.find("://");
  std::string_view scheme = rest.substr(0, scheme_end);
  Url url;
  url.https = EqualsIgnoreCase(scheme, "https");
  if (scheme_end == std::string_view::npos || (!url.https && !EqualsIgnoreCase(scheme, "http"))) {
    return Fail(Errc::kInvalid, "'{}' does not begin with http:// or https://", shown);
  }
  rest.remove_prefix(scheme_end + 3);
  std::string_view authority_text = rest.substr(0, rest.find_first_of("/?"));
  std::optional<Authority> authority = ParseAuthority(authority_text);
  if (!authority) return Fail(Errc::kInvalid, "'{}' has no valid host and port", shown);
  rest.remove_prefix(authority_text.size());

  std::string_view host = authority->host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  std::ranges::transform(host, std::back_inserter(url.host), ToLower);
  url.port = authority->port.value_or(url.https ? kHttpsPort : kHttpPort);
  url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
  if (!All(url.target, kQueryChar))
    return Fail(Errc::kInvalid, "'{}' has characters that must be escaped", shown);
  return url;
}

}  // namespace meridian::wire::http
