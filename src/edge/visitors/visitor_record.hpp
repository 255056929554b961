// VisitorRecord: the result of one visitor's request, for metrics and the access log. It is in the
// frame of the fiber that handles the request. Ids are made only when they are needed, so that a
// hit does not pay for them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "wire/http/fields/trace_context.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// Where the answer came from.
enum class VisitorResult : uint8_t {
  kHit,        // the cache, fresh
  kStale,      // the cache, though it is stale
  kCollapsed,  // a fetch that another request began
  kConfirmed,  // the cache, after validation by the origin
  kForwarded,  // the origin, or an instance of the application
  kHere,       // the edge itself: errors, redirects
};
constexpr size_t kVisitorResults = 6;
std::string_view VisitorResultName(VisitorResult result);
// Whether another data center may have served the answer.
constexpr bool IsFetched(VisitorResult result) {
  return result == VisitorResult::kConfirmed || result == VisitorResult::kForwarded;
}

// The id of an instance; a longer id is cut.
class InstanceName {
 public:
  void Set(std::string_view name) {
    name = name.substr(0, text_.size());
    std::ranges::copy(name, text_.begin());
    size_ = static_cast<uint8_t>(name.size());
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 63> text_;
  uint8_t size_ = 0;
};

struct VisitorRecord {
  TimePoint begun = {};  // when its head was read: the loop's time
  VisitorResult result = VisitorResult::kHere;
  uint16_t datacenter = 0;     // that served it: its index in the site's list
  InstanceName instance = {};  // the instance that was asked; empty: none
  std::optional<wire::http::RequestIds> ids = {};

  const wire::http::RequestIds& Ids(const wire::http::RequestHead& request, Random& random) {
    if (!ids) ids.emplace(request, random);
    return *ids;
  }
};

}  // namespace meridian::edge
