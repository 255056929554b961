// The names that have a role, as PlainName spells them: data for field_role.cpp alone. Frameworks
// and the proxies in front of them take the visitor's address, scheme, host, path or method from
// these fields: PHP, Rails, Django, Express, Next.js, Spring, ASP.NET, Symfony, WebLogic; Envoy,
// Traefik, IIS, and the CDNs.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "wire/http/fields/field_role.hpp"

namespace meridian::wire::http {

struct Known {
  std::string_view name;
  FieldRole role;
};

constexpr bool ShorterOrBefore(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Ordered by length, then by letter, because the length alone rules out most names.
inline constexpr auto kKnownFields = std::to_array<Known>({
    {"te", FieldRole::kRead},
    {"via", FieldRole::kRead},
    {"host", FieldRole::kRead},
    {"https", FieldRole::kClaim},
    {"proxy", FieldRole::kClaim},
    {"range", FieldRole::kRead},
    {"cookie", FieldRole::kRead},
    {"expect", FieldRole::kRead},
    {"origin", FieldRole::kRead},
    {"pragma", FieldRole::kRead},
    {"x-host", FieldRole::kClaim},
    {"real-ip", FieldRole::kClaim},
    {"trailer", FieldRole::kRead},
    {"upgrade", FieldRole::kRead},
    {"x-https", FieldRole::kClaim},
    {"base-url", FieldRole::kClaim},
    {"cdn-loop", FieldRole::kRead},
    {"if-match", FieldRole::kRead},
    {"if-range", FieldRole::kRead},
    {"x-method", FieldRole::kClaim},
    {"x-scheme", FieldRole::kClaim},
    {"client-ip", FieldRole::kClaim},
    {"forwarded", FieldRole::kClaim},
    {"x-arr-ssl", FieldRole::kClaim},
    {"x-real-ip", FieldRole::kClaim},
    {"x-true-ip", FieldRole::kClaim},
    {"cdn-src-ip", FieldRole::kClaim},
    {"cf-visitor", FieldRole::kClaim},
    {"connection", FieldRole::kRead},
    {"fastly-ssl", FieldRole::kClaim},
    {"keep-alive", FieldRole::kRead},
    {"tracestate", FieldRole::kSet},
    {"cdn-real-ip", FieldRole::kClaim},
    {"remote-addr", FieldRole::kClaim},
    {"remote-host", FieldRole::kClaim},
    {"request-uri", FieldRole::kClaim},
    {"script-name", FieldRole::kClaim},
    {"traceparent", FieldRole::kSet},
    {"x-client-ip", FieldRole::kClaim},
    {"x-forwarded", FieldRole::kClaim},
    {"x-path-info", FieldRole::kClaim},
    {"x-real-host", FieldRole::kClaim},
    {"x-remote-ip", FieldRole::kClaim},
    {"content-type", FieldRole::kRead},
    {"max-forwards", FieldRole::kRead},
    {"wl-proxy-ssl", FieldRole::kClaim},
    {"x-request-id", FieldRole::kSet},
    {"x-url-scheme", FieldRole::kClaim},
    {"authorization", FieldRole::kRead},
    {"cache-control", FieldRole::kRead},
    {"content-range", FieldRole::kRead},
    {"fly-client-ip", FieldRole::kClaim},
    {"forwarded-for", FieldRole::kClaim},
    {"host-override", FieldRole::kClaim},
    {"if-none-match", FieldRole::kRead},
    {"x-coming-from", FieldRole::kClaim},
    {"x-forward-for", FieldRole::kClaim},
    {"x-http-method", FieldRole::kClaim},
    {"x-invoke-path", FieldRole::kClaim},
    {"x-remote-addr", FieldRole::kClaim},
    {"x-request-uri", FieldRole::kClaim},
    {"x-rewrite-url", FieldRole::kClaim},
    {"x-script-name", FieldRole::kClaim},
    {"cf-pseudo-ipv4", FieldRole::kClaim},
    {"content-length", FieldRole::kRead},
    {"forwarded-host", FieldRole::kClaim},
    {"http2-settings", FieldRole::kRead},
    {"true-client-ip", FieldRole::kClaim},
    {"x-backend-host", FieldRole::kClaim},
    {"x-invoke-query", FieldRole::kClaim},
    {"x-matched-path", FieldRole::kClaim},
    {"x-override-url", FieldRole::kClaim},
    {"x-proxyuser-ip", FieldRole::kClaim},
    {"accept-encoding", FieldRole::kRead},
    {"accept-language", FieldRole::kRead},
    {"ali-cdn-real-ip", FieldRole::kClaim},
    {"front-end-https", FieldRole::kClaim},
    {"proxy-client-ip", FieldRole::kClaim},
    {"x-forwarded-for", FieldRole::kSet},
    {"x-host-override", FieldRole::kClaim},
    {"x-invoke-output", FieldRole::kClaim},
    {"x-replaced-path", FieldRole::kClaim},
    {"cf-connecting-ip", FieldRole::kClaim},
    {"content-encoding", FieldRole::kRead},
    {"content-location", FieldRole::kRead},
    {"do-connecting-ip", FieldRole::kClaim},
    {"fastly-client-ip", FieldRole::kClaim},
    {"proxy-connection", FieldRole::kRead},
    {"x-azure-clientip", FieldRole::kClaim},
    {"x-azure-socketip", FieldRole::kClaim},
    {"x-forwarded-host", FieldRole::kSet},
    {"x-originating-ip", FieldRole::kClaim},
    {"x-true-client-ip", FieldRole::kClaim},
    {"cdn-cache-control", FieldRole::kRead},
    {"if-modified-since", FieldRole::kRead},
    {"transfer-encoding", FieldRole::kRead},
    {"x-forwarded-proto", FieldRole::kSet},
    {"x-method-override", FieldRole::kClaim},
    {"x-sucuri-clientip", FieldRole::kClaim},
    {"cf-connecting-ipv6", FieldRole::kClaim},
    {"proxy-authenticate", FieldRole::kRead},
    {"wl-proxy-client-ip", FieldRole::kClaim},
    {"if-unmodified-since", FieldRole::kRead},
    {"proxy-authorization", FieldRole::kRead},
    {"x-appengine-user-ip", FieldRole::kClaim},
    {"x-cluster-client-ip", FieldRole::kClaim},
    {"x-now-route-matches", FieldRole::kClaim},
    {"x-http-host-override", FieldRole::kClaim},
    {"x-http-path-override", FieldRole::kClaim},
    {"x-middleware-rewrite", FieldRole::kClaim},
    {"x-vercel-proxied-for", FieldRole::kClaim},
    {"x-http-destinationurl", FieldRole::kClaim},
    {"x-http-method-override", FieldRole::kClaim},
    {"x-vercel-forwarded-for", FieldRole::kClaim},
    {"x-appengine-remote-addr", FieldRole::kClaim},
    {"x-middleware-subrequest", FieldRole::kClaim},
    {"proxy-authentication-info", FieldRole::kRead},
    {"x-nf-client-connection-ip", FieldRole::kClaim},
});
static_assert(std::ranges::is_sorted(kKnownFields, ShorterOrBefore, &Known::name));

// All names with these prefixes, except the names above.
inline constexpr auto kKnownFamilies = std::to_array<Known>({
    {"meridian-", FieldRole::kSet},
    {"cloudfront-", FieldRole::kClaim},
    {"x-envoy-", FieldRole::kClaim},
    {"x-forwarded-", FieldRole::kClaim},
    {"x-original-", FieldRole::kClaim},
});

inline constexpr size_t kMaxKnownNameBytes = kKnownFields.back().name.size();

}  // namespace meridian::wire::http
