// What is served at a versioned path: the stored response of the plain path, made such as may be
// kept for good. Pure.
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/storage/stored_response.hpp"

namespace meridian::edge {

// `plain` with the same body in memory, tags and description of the content; fresh for `lifetime`
// from `now` on, with `version` for its validator (so that it is the same in every data center),
// for every visitor alike, and without cookies. `plain` has status 200 and is complete. Null: the
// budget has no room.
struct VersionedResponseInput {
  const StoredResponse& plain;
  std::string_view version;
  Duration lifetime;
  TimePoint now;
};
std::shared_ptr<StoredResponse> MakeVersionedResponse(const VersionedResponseInput& input);

}  // namespace meridian::edge
