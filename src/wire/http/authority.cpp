#include "wire/http/authority.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "wire/http/characters.hpp"

namespace meridian::wire::http {
namespace {

bool IsIpLiteral(std::string_view bracketed) {
  if (bracketed.size() < 2 || bracketed.back() != ']') return false;
  Result<IpAddress> address = IpAddress::Parse(bracketed.substr(1, bracketed.size() - 2));
  return address && !address->is_v4();
}

}  // namespace

std::optional<Authority> ParseAuthority(std::string_view text) {
  Authority authority;
  size_t host_end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[') && host_end != std::string_view::npos) ++host_end;
  authority.host = text.substr(0, host_end);
  std::string_view port =
      host_end == std::string_view::npos ? std::string_view{} : text.substr(host_end);

  bool host_ok = authority.host.starts_with('[')
                     ? IsIpLiteral(authority.host)
                     : !authority.host.empty() && All(authority.host, kHostChar);
  if (!host_ok || (!port.empty() && port.front() != ':')) return std::nullopt;
  if (port.size() > 1) {
    uint16_t number = 0;
    auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
    authority.port = number;
  }
  return authority;
}

bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port) {
  return EqualsIgnoreCase(a.host, b.host) &&
         a.port.value_or(default_port) == b.port.value_or(default_port);
}

}  // namespace meridian::wire::http
