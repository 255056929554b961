#include "edge/cache/purge.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "edge/cache/cache_key.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"

namespace meridian::edge {
namespace {

// Compares the digits of escapes without case.
bool BeginsWithUrl(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  int digits = 0;  // of an escape, still expected
  for (size_t i = 0; i < prefix.size(); ++i) {
    const bool same = digits > 0 ? wire::http::ToLower(text[i]) == wire::http::ToLower(prefix[i])
                                 : text[i] == prefix[i];
    if (!same) return false;
    digits = prefix[i] == '%' && digits == 0 ? 2 : std::max(digits - 1, 0);
  }
  return true;
}

}  // namespace

UrlParts SplitUrl(std::string_view url) {
  if (url.starts_with('/') && !url.starts_with("//")) return {.host = {}, .target = url};
  size_t scheme = url.find("//");
  size_t first_slash = url.find('/');
  if (scheme != std::string_view::npos && scheme == first_slash) url.remove_prefix(scheme + 2);
  size_t end = std::min(url.find_first_of("/?"), url.size());
  return {.host = WithoutPort(url.substr(0, end)), .target = url.substr(end)};
}

PurgeMatcher::PurgeMatcher(const PurgeOrder& order) : kind_(order.kind), value_(order.value) {
  if (kind_ == PurgeOrder::kTag) return;
  std::string_view url = std::string_view(order.value).substr(0, order.value.find('#'));
  UrlParts parts = SplitUrl(url);
  host_is_prefix_ = kind_ == PurgeOrder::kPrefix && parts.target.empty();
  host_ = wire::http::CanonicalAuthority(parts.host);
  // When a prefix ends within the host, its last dot separates labels: it is not the root's dot.
  if (host_is_prefix_ && parts.host.ends_with('.')) host_ += '.';
  value_ = parts.target;
  // "http://host" is "http://host/".
  if (kind_ == PurgeOrder::kUrl && !value_.starts_with('/')) value_.insert(0, "/");
}

bool PurgeMatcher::has_other_spellings() const {
  const std::string_view text = value_;
  for (size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    for (char c : text.substr(at + 1, 2)) {
      if (wire::http::HexValue(c) > 9) return true;
    }
  }
  return false;
}

bool PurgeMatcher::MatchesKey(std::string_view key) const {
  UrlParts parts = SplitUrl(key);
  if (host_is_prefix_) return parts.host.starts_with(host_);
  if (!host_.empty() && parts.host != host_) return false;
  if (kind_ == PurgeOrder::kUrl && parts.target.size() != value_.size()) return false;
  return BeginsWithUrl(parts.target, value_);
}

bool PurgeMatcher::Matches(std::string_view key, std::span<const std::string_view> tags) const {
  if (kind_ != PurgeOrder::kTag) return MatchesKey(key);
  return std::ranges::find(tags, std::string_view(value_)) != tags.end();
}

bool PurgeMatcher::MayMatch(std::string_view key) const {
  return kind_ == PurgeOrder::kTag || MatchesKey(key);
}

}  // namespace meridian::edge
