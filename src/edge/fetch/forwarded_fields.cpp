#include "edge/fetch/forwarded_fields.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "edge/fetch/loop_detection.hpp"
#include "edge/fetch/routes.hpp"
#include "http/relay.hpp"
#include "site/tier/internal_fields.hpp"
#include "wire/http/fields/field_role.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

constexpr std::string_view kMaxForwards = "Max-Forwards";

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
  http::CopyRequestFields(request, {.underscores = visitor.underscores}, &fields_);
  if (visitor.without_cookies) fields_.Remove("Cookie");
  if (std::optional<uint64_t> left = MaxForwards(request); left && *left > 0) {
    fields_.Remove(kMaxForwards);
    max_forwards_ = std::to_string(*left - 1);
    fields_.Add(kMaxForwards, max_forwards_);
  }
  fields_.Add("Via", ViaEntry(request.minor_version));
  if (!visitor.loop_id.empty()) fields_.Add(kLoopField, visitor.loop_id);
  fields_.Add(wire::http::kForwardedFor, address_);
  fields_.Add(wire::http::kForwardedProto, visitor.https ? "https" : "http");
  fields_.Add(wire::http::kForwardedHost, request.authority);
  visitor.ids.AddTo(request, &fields_);
  if (visitor.debug) fields_.Add(site::kDebugField, "1");
}

}  // namespace meridian::edge
