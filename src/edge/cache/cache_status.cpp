#include "edge/cache/cache_status.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "base/check.hpp"

namespace meridian::edge {
namespace {

// A detail is a token of this program.
constexpr size_t kMaxDetailBytes = 32;

std::string_view ForwardedName(Forwarded forwarded) {
  switch (forwarded) {
    case Forwarded::kNone:
      return "";
    case Forwarded::kBypass:
      return "bypass";
    case Forwarded::kMethod:
      return "method";
    case Forwarded::kUriMiss:
      return "uri-miss";
    case Forwarded::kVaryMiss:
      return "vary-miss";
    case Forwarded::kMiss:
      return "miss";
    case Forwarded::kRequest:
      return "request";
    case Forwarded::kStale:
      return "stale";
    case Forwarded::kPartial:
      return "partial";
  }
  return "";
}

}  // namespace

CacheStatusText::CacheStatusText(const CacheStatus& status) {
  Append(kCacheName);
  if (status.hit) Append("; hit");
  if (status.forwarded != Forwarded::kNone) {
    Append("; fwd=");
    Append(ForwardedName(status.forwarded));
  }
  if (status.forward_status != 0) {
    Append("; fwd-status=");
    Append(int64_t{status.forward_status});
  }
  if (status.stored) Append("; stored");
  if (status.collapsed) Append("; collapsed");
  if (status.ttl) {
    Append("; ttl=");
    Append(int64_t{std::chrono::floor<std::chrono::seconds>(*status.ttl).count()});
  }
  if (!status.detail.empty()) {
    Append("; detail=");
    Append(status.detail.substr(0, kMaxDetailBytes));
  }
}

void CacheStatusText::Append(std::string_view piece) {
  CHECK(size_ + piece.size() <= text_.size());
  std::ranges::copy(piece, text_.begin() + static_cast<ptrdiff_t>(size_));
  size_ += piece.size();
}

void CacheStatusText::Append(int64_t number) {
  auto [end, error] = std::to_chars(text_.data() + size_, text_.data() + text_.size(), number);
  CHECK(error == std::errc{});
  size_ = static_cast<size_t>(end - text_.data());
}

}  // namespace meridian::edge
