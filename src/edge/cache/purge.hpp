// Purge orders, and which stored responses they match. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace meridian::edge {

struct PurgeOrder {
  enum Kind : uint8_t {
    kUrl,     // every variant of one URL
    kPrefix,  // every URL that begins with `value`
    kTag,     // every response that has the tag in Surrogate-Key or Cache-Tag
  };
  Kind kind = kUrl;
  // A URL or the beginning of one: with scheme and host ("http://photos.example/a"), or a path on
  // every host ("/a"). Scheme and port are ignored.
  std::string value;
  bool soft = false;  // makes responses stale in place of removing them

  bool operator==(const PurgeOrder&) const = default;
};

// Matches stored responses with an order. Made once for each order.
class PurgeMatcher {
 public:
  explicit PurgeMatcher(const PurgeOrder& order);

  // `key` as KeyText gives it.
  bool Matches(std::string_view key, std::span<const std::string_view> tags) const;
  // Like Matches for a response with unknown tags: every purge by tag may match.
  bool MayMatch(std::string_view key) const;

  PurgeOrder::Kind kind() const { return kind_; }
  // Of a URL: in lower case, without port; empty: every host.
  std::string_view host() const { return host_; }
  // Whether the URL has equivalent spellings: the digits of an escape are compared without case
  // (RFC 3986 6.2.2.1).
  bool has_other_spellings() const;
  // Of a URL, path and query; of a tag, the tag.
  std::string_view value() const { return value_; }

 private:
  bool MatchesKey(std::string_view key) const;

  PurgeOrder::Kind kind_;
  std::string host_;
  bool host_is_prefix_ = false;  // the prefix ends within the host
  std::string value_;
};

// A key's or URL's parts, without scheme and port.
struct UrlParts {
  std::string_view host;    // as written
  std::string_view target;  // path and query; empty when there is none
};
UrlParts SplitUrl(std::string_view url);

}  // namespace meridian::edge
