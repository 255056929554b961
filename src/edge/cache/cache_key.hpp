// The cache key: scheme, host, path and query, byte for byte as the origin gets them (a key that
// normalised more than the origin does would mix the responses of two paths). Only the host is
// compared without case and without its default port. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http/message.hpp"

namespace meridian::edge {

// A key in pieces, so that a look-up copies nothing. The viewed texts outlive it.
struct KeyView {
  bool https = false;
  std::string_view host;  // as sent
  std::string_view path;
  std::optional<std::string_view> query;
  uint64_t hash = 0;
};

// Hashed with `seed`, which is secret: else visitors could choose keys that collide. Nothing when
// the target cannot have a stored response (an asterisk, too long a host). `default_host` is for a
// request without Host. The request's authority is in canonical form.
std::optional<KeyView> MakeKey(const wire::http::RequestHead& request, bool https,
                               std::string_view default_host, uint64_t seed);

// The hash of a URL without scheme and port, as a purge matches all of these. `host` is in lower
// case and without port.
uint64_t HashUrl(std::string_view host, std::string_view path,
                 std::optional<std::string_view> query, uint64_t seed);

// A host without its port.
std::string_view WithoutPort(std::string_view authority);

// A key that outlives its request.
class OwnedKey {
 public:
  explicit OwnedKey(const KeyView& key)
      : https_(key.https), host_(key.host), path_(key.path), query_(key.query), hash_(key.hash) {}
  KeyView view() const {
    std::optional<std::string_view> query;
    if (query_) query = *query_;
    return {.https = https_, .host = host_, .path = path_, .query = query, .hash = hash_};
  }

 private:
  bool https_;
  std::string host_;
  std::string path_;
  std::optional<std::string> query_;
  uint64_t hash_;
};

// The key as text, "https://host/path?query" with the host in lower case, for the store's index.
std::string KeyText(const KeyView& key);
// Whether KeyText(key) is `text`.
bool KeyIs(const KeyView& key, std::string_view text);

}  // namespace meridian::edge
