#include "edge/cache/cache_key.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "edge/cache/limits.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

std::string_view SchemeOf(const KeyView& key) { return key.https ? "https://" : "http://"; }

std::string_view WithoutDefaultPort(std::string_view host, bool https) {
  std::string_view port = https ? ":443" : ":80";
  if (host.ends_with(port)) host.remove_suffix(port.size());
  if (host.ends_with(':')) host.remove_suffix(1);
  return host;
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

uint64_t HashOf(const KeyView& key, uint64_t seed) {
  std::string_view host = WithoutPort(key.host);
  std::array<char, kMaxKeyHostBytes> lower;
  std::ranges::transform(host, lower.begin(), wire::http::ToLower);
  return HashUrl({lower.data(), host.size()}, key.path, key.query, seed);
}

}  // namespace

uint64_t HashUrl(std::string_view host, std::string_view path,
                 std::optional<std::string_view> query, uint64_t seed) {
  uint64_t hash = Hash64(path, Hash64(host, seed));
  return query ? Hash64(*query, hash + 1) : hash;
}

std::string_view WithoutPort(std::string_view authority) {
  size_t bracket = authority.rfind(']');
  size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority;
  bool within_address = bracket != std::string_view::npos && colon < bracket;
  return within_address ? authority : authority.substr(0, colon);
}

std::optional<KeyView> MakeKey(const wire::http::RequestHead& request, bool https,
                               std::string_view default_host, uint64_t seed) {
  std::string_view host = request.authority.empty() ? default_host : request.authority;
  KeyView key{.https = https,
              .host = WithoutDefaultPort(host, https),
              .path = request.path,
              .query = request.query};
  if (key.host.empty() || key.host.size() > kMaxKeyHostBytes) return std::nullopt;
  if (!key.path.starts_with('/')) return std::nullopt;
  key.hash = HashOf(key, seed);
  return key;
}

std::string KeyText(const KeyView& key) {
  std::string text(SchemeOf(key));
  text.reserve(text.size() + key.host.size() + key.path.size() + 1 +
               key.query.value_or(std::string_view()).size());
  for (char c : key.host) text.push_back(wire::http::ToLower(c));
  text += key.path;
  if (key.query) text.append("?").append(*key.query);
  return text;
}

bool KeyIs(const KeyView& key, std::string_view text) {
  if (!TakePrefix(&text, SchemeOf(key)) || text.size() < key.host.size()) return false;
  if (!wire::http::EqualsIgnoreCase(text.substr(0, key.host.size()), key.host)) return false;
  text.remove_prefix(key.host.size());
  if (!TakePrefix(&text, key.path)) return false;
  if (key.query && (!TakePrefix(&text, "?") || !TakePrefix(&text, *key.query))) return false;
  return text.empty();
}

}  // namespace meridian::edge
