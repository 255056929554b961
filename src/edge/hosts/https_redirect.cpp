#include "edge/hosts/https_redirect.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "wire/http/authority.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

constexpr uint16_t kHttpsPort = 443;

}  // namespace

std::string HttpsLocation(const wire::http::RequestHead& request, std::string_view domain,
                          uint16_t https_port) {
  std::optional<wire::http::Authority> asked = wire::http::ParseAuthority(request.authority);
  std::string_view host =
      asked && wire::http::IsWithinDomain(asked->host, domain) ? asked->host : domain;
  std::string location = fmt::format("https://{}", host);
  if (https_port != kHttpsPort) location += fmt::format(":{}", https_port);
  // OPTIONS * is about the server as a whole.
  location += request.path == "*" ? "/" : request.path;
  if (request.query) location += fmt::format("?{}", *request.query);
  return location;
}

}  // namespace meridian::edge
