// Host and port of a URI or of the Host field (RFC 3986 3.2, RFC 9110 7.2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meridian::wire::http {

// Views into the parsed text.
struct Authority {
  std::string_view host;         // as written, an IPv6 address with its brackets
  std::optional<uint16_t> port;  // absent, too, when nothing follows the colon
};

// "host", "host:port", "[v6]:port". Narrower than the grammar on purpose: a name is letters,
// digits and "-._~" (no host that DNS or a browser knows has more, and "a,b" or "a%00" serve only
// attacks), userinfo, an empty host and an empty label are refused (RFC 9110 4.2).
std::optional<Authority> ParseAuthority(std::string_view text);

// All hosts are compared in one form: in lower case, a name without the dot of the DNS root at its
// end ("photos.example." is photos.example), an IPv6 address as RFC 5952 has it.
bool SameHost(std::string_view a, std::string_view b);
// `domain` itself, or a name below it.
bool IsWithinDomain(std::string_view host, std::string_view domain);
// A host with or without a port in that form; a colon without a port goes.
std::string CanonicalAuthority(std::string_view authority);
// True: CanonicalAuthority would change nothing. False only says that it may.
bool IsCanonicalAuthority(std::string_view authority);

// The same host, and the same port where an absent one is `default_port`.
bool SameAuthority(const Authority& a, const Authority& b, uint16_t default_port);

}  // namespace meridian::wire::http
