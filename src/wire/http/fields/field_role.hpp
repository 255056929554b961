// FieldRole: the meaning of a request's field to proxies and to the frameworks behind them, and
// whether a proxy may forward it. Pure.
//
// CGI and WSGI map `X-Forwarded-For` and `X_Forwarded_For` to the same variable, so an application
// takes the second for the first. Names are therefore compared as such a program sees them:
// ignoring case, every character other than letters and digits is a '-', repeated '-' count once,
// and '-' at either end is dropped. A name that then equals another name without having its
// spelling is that name's look-alike.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::wire::http {

// The field in which an edge sends the visitor's address to the application.
inline constexpr std::string_view kForwardedFor = "X-Forwarded-For";
inline constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
inline constexpr std::string_view kForwardedHost = "X-Forwarded-Host";

enum class FieldRole : uint8_t {
  kPlain,  // neither proxies nor frameworks act on it
  kRead,   // proxies use it for framing or act on it: only the exact spelling is forwarded
  kSet,    // an edge sets it, perhaps to the received value: values from other senders are dropped
  kClaim,  // frameworks take scheme, host, path, method or client address from it, or some proxy
           // sets it for them; our edges do not set it, so its value always comes from the visitor
};

// A look-alike has the role of the name that it resembles.
FieldRole RoleOf(std::string_view name);

// Whether two names are the same to a program that does not distinguish separators. Allocates
// nothing.
bool LooksLike(std::string_view a, std::string_view b);

// The trust in the sender of a request.
struct SenderTrust {
  bool is_edge =
      false;  // it has already filtered these fields, and the fields that it sets are true
  bool underscores =
      false;  // names with '_' are forwarded if they are no look-alike of a known field
};

// Whether a request's field is forwarded to the application. Trailers with any role are never
// forwarded; see AllowedInTrailers.
bool PassesOn(std::string_view name, SenderTrust sender);

}  // namespace meridian::wire::http
