// The stored response of a versioned path, made from the plain path's response. Pure.
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/storage/stored_response.hpp"

namespace meridian::edge {

// It shares the body of `plain`, and keeps its tags and content fields. It is public, immutable and
// without cookies, fresh for `lifetime` from `now` on, and has `version` as its entity tag (the
// same in every data center). `plain` has status 200 and is complete. Null: the budget has no room.
struct VersionedResponseInput {
  const StoredResponse& plain;
  std::string_view version;
  Duration lifetime;
  TimePoint now;
};
std::shared_ptr<StoredResponse> MakeVersionedResponse(const VersionedResponseInput& input);

}  // namespace meridian::edge
