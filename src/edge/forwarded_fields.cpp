#include "edge/forwarded_fields.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "http/relay.hpp"
#include "site/internal_fields.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host";

bool IsOurs(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kOurs = {kForwardedFor,
                                                             kForwardedProto,
                                                             kForwardedHost,
                                                             "X-Forwarded-Port",
                                                             "X-Forwarded-Server",
                                                             "X-Forwarded-Prefix",
                                                             "X-Real-IP",
                                                             "Forwarded",
                                                             site::kDebugField,
                                                             site::kPathField,
                                                             site::kUnavailableField};
  return std::ranges::any_of(
      kOurs, [&](std::string_view ours) { return wire::http::EqualsIgnoreCase(ours, name); });
}

}  // namespace

ForwardedFields::ForwardedFields(const wire::http::RequestHead& request, const Visitor& visitor)
    : address_(visitor.peer.address.Unmapped().ToString()) {
  wire::http::HeaderFields all;
  http::CopyForwardable(request.fields, request.nominates_fields, &all);
  for (const wire::http::HeaderField& field : all) {
    bool cookie = wire::http::EqualsIgnoreCase(field.name, "Cookie");
    if (IsOurs(field.name) || (cookie && visitor.without_cookies)) continue;
    fields_.Add(field.name, field.value);
  }
  fields_.Add("Via", "1.1 meridian-edge");
  fields_.Add(kForwardedFor, address_);
  fields_.Add(kForwardedProto, visitor.https ? "https" : "http");
  fields_.Add(kForwardedHost, request.authority);
  if (visitor.debug) fields_.Add(site::kDebugField, "1");
}

}  // namespace meridian::edge
