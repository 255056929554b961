#include "edge/cache/storage/versioned_response.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "edge/cache/storage/stored_response.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/fields/cache_control.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

// Fields of the plain path that a version replaces or drops: caching, validators, and cookies.
bool IsReplaced(std::string_view name) {
  constexpr std::string_view kReplaced[] = {"Cache-Control",
                                            "CDN-Cache-Control",
                                            "Surrogate-Control",
                                            "Expires",
                                            "Pragma",
                                            "ETag",
                                            "Last-Modified",
                                            "Vary",
                                            "Set-Cookie"};
  return std::ranges::any_of(kReplaced, [name](std::string_view each) {
    return wire::http::EqualsIgnoreCase(name, each);
  });
}

}  // namespace

std::shared_ptr<StoredResponse> MakeVersionedResponse(const VersionedResponseInput& input) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(input.lifetime).count();
  const std::string control = fmt::format("public, max-age={}, immutable", seconds);
  const std::string entity_tag = fmt::format("\"{}\"", input.version);
  wire::http::HeaderFields fields;
  for (const wire::http::HeaderField& field : input.plain.ParseLines()) {
    if (!IsReplaced(field.name)) fields.Add(field.name, field.value);
  }
  fields.Add("Cache-Control", control);
  fields.Add("ETag", entity_tag);
  return MakeStoredResponse({.status = input.plain.status,
                             .fields = fields,
                             .request = {},
                             .control = wire::http::ParseCacheControl(fields),
                             .freshness = {.received = input.now, .lifetime = input.lifetime},
                             .received = {},
                             .body = input.plain.body},
                            input.plain.charge.budget());
}

}  // namespace meridian::edge
