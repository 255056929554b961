#include "edge/own_origin.hpp"

#include <optional>
#include <string_view>

#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

bool IsOfSite(std::string_view host, std::string_view domain) {
  if (host.size() < domain.size()) return false;
  if (!wire::http::EqualsIgnoreCase(host.substr(host.size() - domain.size()), domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

std::string_view OwnOrigin(const wire::http::RequestHead& request, std::string_view domain) {
  if (request.method != "GET" && request.method != "HEAD") return {};
  std::string_view origin = request.fields.Find("Origin").value_or("");
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    std::optional<wire::http::Authority> from =
        wire::http::ParseAuthority(origin.substr(scheme.size()));
    return from && IsOfSite(from->host, domain) ? origin : std::string_view{};
  }
  return {};
}

}  // namespace meridian::edge
