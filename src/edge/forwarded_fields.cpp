#include "edge/forwarded_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "http/relay.hpp"
#include "site/internal_fields.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host";
constexpr std::string_view kMaxForwards = "Max-Forwards";

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

std::optional<uint64_t> MaxForwards(const wire::http::RequestHead& request) {
  if (request.method != "TRACE" && request.method != "OPTIONS") return std::nullopt;
  const std::string_view text = request.fields.Find(kMaxForwards).value_or("");
  uint64_t left = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), left);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return left;
}

ForwardedFields::ForwardedFields(const wire::http::RequestHead& request, const Visitor& visitor)
    : address_(visitor.peer.address.Unmapped().ToString()) {
  wire::http::HeaderFields all;
  http::CopyForwardable(request.fields, request.nominates_fields, &all);
  for (const wire::http::HeaderField& field : all) {
    bool cookie = wire::http::EqualsIgnoreCase(field.name, "Cookie");
    if (IsOurs(field.name) || (cookie && visitor.without_cookies)) continue;
    fields_.Add(field.name, field.value);
  }
  if (std::optional<uint64_t> left = MaxForwards(request); left && *left > 0) {
    fields_.Remove(kMaxForwards);
    max_forwards_ = std::to_string(*left - 1);
    fields_.Add(kMaxForwards, max_forwards_);
  }
  fields_.Add("Via", "1.1 meridian-edge");
  fields_.Add(kForwardedFor, address_);
  fields_.Add(kForwardedProto, visitor.https ? "https" : "http");
  fields_.Add(kForwardedHost, request.authority);
  if (visitor.debug) fields_.Add(site::kDebugField, "1");
}

}  // namespace meridian::edge
