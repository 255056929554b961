// Decides which fields concern one connection only, so that a proxy drops them (RFC 9110 7.6.1).
// Pure.
#pragma once

#include <array>
#include <string_view>

#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {

// Connection and the fields that RFC 9110 7.6.1 names, Proxy-Connection, HTTP2-Settings, and Proxy,
// which CGI programs take for a setting. Not Trailer, because trailers are forwarded, and not
// Content-Length, which the writer of the forwarded body sets.
bool IsHopByHop(std::string_view name);

// Filters the fields of one message, which must outlive it. Also drops fields that Connection
// nominates, except end-to-end fields: a client that nominates Cookie, Host or X-Forwarded-For
// wants to hide them from the next server.
class ForwardFilter {
 public:
  // `nominates_fields` is the parser's result: if false, no Connection field is read again.
  ForwardFilter(const HeaderFields& fields, bool nominates_fields);

  bool Forwards(std::string_view name) const;

 private:
  std::array<std::string_view, kMaxConnectionOptions> nominated_;
  size_t count_ = 0;
};

}  // namespace meridian::wire::http
