#include "wire/http/hop_by_hop.hpp"

#include <algorithm>
#include <string_view>

#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

constexpr std::string_view kEndToEndNames[] = {
    "age",
    "allow",
    "authorization",
    "cache-control",
    "cdn-cache-control",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "retry-after",
    "server",
    "set-cookie",
    "trailer",
    "user-agent",
    "vary",
    "via",
    "warning",
    "cache-tag",
    "x-real-ip",
    "www-authenticate",
};
constexpr std::string_view kEndToEndPrefixes[] = {
    "accept", "access-control-", "content-",     "if-", "meridian-",
    "sec-",   "surrogate-",      "x-forwarded-",
};

bool IsEndToEnd(std::string_view name) {
  for (std::string_view known : kEndToEndNames) {
    if (EqualsIgnoreCase(name, known)) return true;
  }
  for (std::string_view prefix : kEndToEndPrefixes) {
    if (EqualsIgnoreCase(name.substr(0, prefix.size()), prefix)) return true;
  }
  return false;
}

}  // namespace

bool IsHopByHop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoreCase(name, "te");
    case 5:
      return EqualsIgnoreCase(name, "proxy");
    case 7:
      return EqualsIgnoreCase(name, "upgrade");
    case 10:
      return EqualsIgnoreCase(name, "connection") || EqualsIgnoreCase(name, "keep-alive");
    case 14:
      return EqualsIgnoreCase(name, "http2-settings");
    case 16:
      return EqualsIgnoreCase(name, "proxy-connection");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    case 18:
      return EqualsIgnoreCase(name, "proxy-authenticate");
    case 19:
      return EqualsIgnoreCase(name, "proxy-authorization");
    case 25:
      return EqualsIgnoreCase(name, "proxy-authentication-info");
    default:
      return false;
  }
}

ForwardFilter::ForwardFilter(const HeaderFields& fields, bool nominates_fields) {
  if (!nominates_fields) return;
  fields.ForEachElement("connection", [this](std::string_view option) {
    if (count_ < nominated_.size() && !IsEndToEnd(option)) nominated_[count_++] = option;
  });
}

bool ForwardFilter::Forwards(std::string_view name) const {
  if (IsHopByHop(name)) return false;
  return std::none_of(nominated_.begin(), nominated_.begin() + count_,
                      [name](std::string_view option) { return EqualsIgnoreCase(option, name); });
}

}  // namespace meridian::wire::http
