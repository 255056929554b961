// VisitorRecord: what is known of one visitor's request when it is over, for metrics and the access
// log. It stands in the frame of the fiber that handles the request. Making one costs a hit
// nothing: ids are made when somebody needs them.
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
  kCollapsed,  // the fetch that another request had begun
  kConfirmed,  // the cache, after the origin was asked whether it still holds
  kForwarded,  // the origin, or an instance of the application
  kHere,       // made here: errors, redirects
};
constexpr size_t kVisitorResults = 6;
std::string_view VisitorResultName(VisitorResult result);
// Whether another data center can have served it.
constexpr bool IsFetched(VisitorResult result) {
  return result == VisitorResult::kConfirmed || result == VisitorResult::kForwarded;
}

// The id of an instance; a longer one is cut.
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
  uint16_t datacenter = 0;     // that served it: its place in the site's list
  InstanceName instance = {};  // of the application, if one was asked
  std::optional<wire::http::RequestIds> ids = {};

  const wire::http::RequestIds& Ids(const wire::http::RequestHead& request, Random& random) {
    if (!ids) ids.emplace(request, random);
    return *ids;
  }
};

}  // namespace meridian::edge
