// Authority: the host and port of a URI or of the Host field (RFC 3986 3.2, RFC 9110 7.2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::wire::http {

// Views into the parsed text.
struct Authority {
  std::string_view host;         // as written, an IPv6 address with its brackets
  std::optional<uint16_t> port;  // also absent when nothing follows the colon
};

// Parses "host", "host:port", "[v6]:port". Stricter than the grammar on purpose: a name has
// letters, digits and "-._~" (hosts in DNS and browsers have no others, and "a,b" or "a%00" serve
// only attacks); userinfo, an empty host and an empty label are refused (RFC 9110 4.2).
std::optional<Authority> ParseAuthority(std::string_view text);

// Compares hosts in canonical form: lower case, without the dot of the DNS root at the end
// ("photos.example." is photos.example), an IPv6 address as in RFC 5952.
bool SameHost(std::string_view a, std::string_view b);
// Whether `host` is `domain` or a name below it.
bool IsWithinDomain(std::string_view host, std::string_view domain);
// The canonical form of a host with or without port; removes a colon without port.
std::string CanonicalAuthority(std::string_view authority);
// True: `authority` is canonical. False: it may be canonical or not.
bool IsCanonicalAuthority(std::string_view authority);

// Whether host and port are the same; an absent port is `default_port`.
bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port);

}  // namespace meridian::wire::http
