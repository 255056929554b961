#include "edge/fetch/own_origin.hpp"

#include <optional>
#include <string_view>

#include "wire/http/authority.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

std::string_view OwnOrigin(const wire::http::RequestHead& request, std::string_view domain) {
  if (request.method != "GET" && request.method != "HEAD") return {};
  std::string_view origin = request.fields.Find("Origin").value_or("");
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    std::optional<wire::http::Authority> from =
        wire::http::ParseAuthority(origin.substr(scheme.size()));
    return from && wire::http::IsWithinDomain(from->host, domain) ? origin : std::string_view{};
  }
  return {};
}

}  // namespace meridian::edge
