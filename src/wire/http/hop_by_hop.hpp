// Which fields concern one connection only, so that a proxy drops them (RFC 9110 7.6.1). Pure.
#pragma once

#include <array>
#include <string_view>

#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {

// Connection and the fields that RFC 9110 7.6.1 names, Proxy-Connection, HTTP2-Settings, and Proxy,
// which CGI programs take for a setting. Trailer and Content-Length are not among them: trailers
// are forwarded, and the length is written by whoever frames the forwarded body.
bool IsHopByHop(std::string_view name);

// Decides for the fields of one message, which must outlive it. Fields that Connection nominates
// are dropped as well, except those that no connection owns: a client that nominates Cookie, Host
// or X-Forwarded-For wants the next server to miss them.
class ForwardFilter {
 public:
  // `nominates_fields` as the parser found it: without it no Connection field is read again.
  ForwardFilter(const HeaderFields& fields, bool nominates_fields);

  bool Forwards(std::string_view name) const;

 private:
  std::array<std::string_view, kMaxConnectionOptions> nominated_;
  size_t count_ = 0;
};

}  // namespace meridian::wire::http
