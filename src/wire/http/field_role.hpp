// What a request's field means to proxies and to the frameworks behind them, by its name, and
// whether a proxy may pass it on. Pure.
//
// CGI and WSGI make one variable of `X-Forwarded-For` and `X_Forwarded_For`, so that an application
// takes the second for the first. Names are therefore compared as such a program reads them: case
// aside, every character that is no letter or digit is a '-', several are one, and those at either
// end are none. A name that then equals another without being spelled like it is its look-alike.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::wire::http {

// What an edge tells the application of the visitor.
inline constexpr std::string_view kForwardedFor = "X-Forwarded-For";
inline constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
inline constexpr std::string_view kForwardedHost = "X-Forwarded-Host";

enum class FieldRole : uint8_t {
  kPlain,  // neither proxies nor frameworks act on it
  kRead,   // proxies frame by it, or act on it: only the plain spelling may pass
  kSet,    // an edge sets it, perhaps to what it was sent: nobody else's word counts
  kClaim,  // frameworks take scheme, host, path, method or client address from it, or some proxy
           // sets it for them: no edge of ours does, so that it is always the visitor's word
};

// Look-alikes have the role of what they look like.
FieldRole RoleOf(std::string_view name);

// Whether two names are the same to a program that tells no separators apart. Allocates nothing.
bool LooksLike(std::string_view a, std::string_view b);

// What may be believed of the sender of a request.
struct SenderTrust {
  bool is_edge = false;      // it has judged these fields already, and what it sets is true
  bool underscores = false;  // names with '_' pass where they look like nothing of ours
};

// Whether a request's field goes on to the application. Of trailers none that has a role does, see
// AllowedInTrailers.
bool PassesOn(std::string_view name, SenderTrust sender);

}  // namespace meridian::wire::http
