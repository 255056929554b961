#include "agent/admin/cross_site.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

#include "wire/http/authority.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

// The whole tab goes there: nothing is read, and no frame shows it.
bool FollowsLink(const wire::http::RequestHead& request) {
  const auto& fields = request.fields;
  return (request.method == "GET" || request.method == "HEAD") &&
         fields.Find("Sec-Fetch-Mode") == "navigate" && fields.Find("Sec-Fetch-Dest") == "document";
}

}  // namespace

bool IsCrossSite(const wire::http::RequestHead& request) {
  const std::optional<std::string_view> site = request.fields.Find("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none" && !FollowsLink(request)) return true;
  const std::optional<std::string_view> origin = request.fields.Find("Origin");
  if (!origin) return false;
  const size_t scheme = origin->find("://");
  if (scheme == std::string_view::npos) return true;  // "null"
  return wire::http::CanonicalAuthority(origin->substr(scheme + 3)) !=
         wire::http::CanonicalAuthority(request.authority);
}

}  // namespace meridian::agent
