#include "wire/http/authority.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

bool HasEmptyLabel(std::string_view name) { return name.starts_with('.') || name.contains(".."); }

std::string_view WithoutRootDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string CanonicalHost(std::string_view host) {
  if (IsIpLiteral(host)) {
    return "[" + IpAddress::Parse(host.substr(1, host.size() - 2))->ToString() + "]";
  }
  std::string canonical(WithoutRootDot(host));
  std::ranges::transform(canonical, canonical.begin(), ToLower);
  return canonical;
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
                     : !authority.host.empty() && All(authority.host, kHostChar) &&
                           !HasEmptyLabel(authority.host);
  if (!host_ok || (!port.empty() && port.front() != ':')) return std::nullopt;
  if (port.size() > 1) {
    uint16_t number = 0;
    auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
    authority.port = number;
  }
  return authority;
}

bool SameHost(std::string_view a, std::string_view b) {
  if (a.starts_with('[') && b.starts_with('[')) return CanonicalHost(a) == CanonicalHost(b);
  return EqualsIgnoreCase(WithoutRootDot(a), WithoutRootDot(b));
}

bool IsWithinDomain(std::string_view host, std::string_view domain) {
  host = WithoutRootDot(host);
  domain = WithoutRootDot(domain);
  if (host.size() < domain.size()) return false;
  const size_t label = host.size() - domain.size();
  return SameHost(host.substr(label), domain) && (label == 0 || host[label - 1] == '.');
}

std::string CanonicalAuthority(std::string_view authority) {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return CanonicalHost(authority);
  std::string canonical = CanonicalHost(authority.substr(0, colon));
  if (colon + 1 < authority.size()) canonical += authority.substr(colon);
  return canonical;
}

bool IsCanonicalAuthority(std::string_view authority) {
  if (authority.starts_with('[') || authority.ends_with(':')) return false;
  char before = 0;
  for (char c : authority) {
    if (c != ToLower(c) || (c == ':' && before == '.')) return false;
    before = c;
  }
  return before != '.';
}

bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port) {
  return SameHost(a.host, b.host) && a.port.value_or(default_port) == b.port.value_or(default_port);
}

}  // namespace meridian::wire::http
