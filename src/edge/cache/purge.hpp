// Purges: what an order to forget is about. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace meridian::edge {

struct PurgeOrder {
  enum Kind : uint8_t {
    kUrl,     // every variant of one URL
    kPrefix,  // every URL that begins so
    kTag,     // every response that has the tag in Surrogate-Key or Cache-Tag
  };
  Kind kind = kUrl;
  // A URL or the beginning of one: with scheme and host ("http://photos.example/a"), or a path on
  // every host ("/a"). Scheme and port do not count: what is purged at one is purged at all.
  std::string value;
  bool soft = false;  // not forgotten but stale from now on

  bool operator==(const PurgeOrder&) const = default;
};

// Whether an order is about a response. Made once for each order.
class PurgeMatcher {
 public:
  explicit PurgeMatcher(const PurgeOrder& order);

  // `key` as KeyText gives it.
  bool Matches(std::string_view key, std::span<const std::string_view> tags) const;
  // Like Matches, while the tags are not known yet: every purge by tag may be about it.
  bool MayMatch(std::string_view key) const;

  PurgeOrder::Kind kind() const { return kind_; }
  // Of a URL: lower case, without port; empty means every host.
  std::string_view host() const { return host_; }
  // Whether the same URL may be spelled in other ways: the digits of an escape count in either case
  // (RFC 3986 6.2.2.1).
  bool has_other_spellings() const;
  // Of a URL, path and query; of a tag, the tag.
  std::string_view value() const { return value_; }

 private:
  bool MatchesKey(std::string_view key) const;

  PurgeOrder::Kind kind_;
  std::string host_;
  bool host_may_go_on_ = false;  // a prefix that ends within the host
  std::string value_;
};

// A key's or URL's parts, without scheme and port.
struct UrlParts {
  std::string_view host;    // as written
  std::string_view target;  // path and query; empty when there is none
};
UrlParts SplitUrl(std::string_view url);

}  // namespace meridian::edge
