// Entity tags (RFC 9110 8.8.3) and their comparison. Pure; views into the parsed text.
#pragma once

#include <optional>
#include <string_view>

namespace meridian::wire::http {

struct EntityTag {
  bool weak = false;
  std::string_view opaque;  // without the quotes

  bool operator==(const EntityTag&) const = default;
};

// Parses exactly one tag: "x" or W/"x".
std::optional<EntityTag> ParseEntityTag(std::string_view text);

// RFC 9110 8.8.3.2. A strong match means the same bytes, a weak match the same meaning.
inline bool StrongMatch(const EntityTag& a, const EntityTag& b) {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}
inline bool WeakMatch(const EntityTag& a, const EntityTag& b) { return a.opaque == b.opaque; }

// Whether the list of an If-None-Match value has a tag that matches `tag` weakly. The caller
// handles "*". Invalid elements match nothing.
bool ListHasWeakMatch(std::string_view list, const EntityTag& tag);

}  // namespace meridian::wire::http
