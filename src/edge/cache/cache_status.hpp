// The Cache-Status field (RFC 9211) of every answer: a hit, or why the request was forwarded. It is
// written into a fixed array: nothing is allocated. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace meridian::edge {

// The cache's name in the field.
constexpr std::string_view kCacheName = "meridian-edge";

// RFC 9211 2.2, the values of fwd.
enum class Forwarded : uint8_t {
  kNone,  // a hit, or an answer made here
  kBypass,
  kMethod,
  kUriMiss,
  kVaryMiss,
  kMiss,
  kRequest,
  kStale,
  kPartial,
};

struct CacheStatus {
  bool hit = false;
  Forwarded forwarded = Forwarded::kNone;
  int forward_status = 0;            // fwd-status; 0: absent
  std::optional<Duration> ttl = {};  // the rest of the lifetime; negative: stale
  bool stored = false;
  bool collapsed = false;
  std::string_view detail = {};  // a token, or empty
};

class CacheStatusText {
 public:
  explicit CacheStatusText(const CacheStatus& status);
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  void Append(std::string_view piece);
  void Append(int64_t number);

  std::array<char, 160> text_;
  size_t size_ = 0;
};

}  // namespace meridian::edge
