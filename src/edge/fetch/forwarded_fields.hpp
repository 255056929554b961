// The header fields of a forwarded request. The edge drops the visitor's own values of fields that
// applications trust (X-Forwarded-*, Forwarded, Meridian-*, and look-alikes:
// wire/http/fields/field_role.hpp), and writes its own. Pure.
//
// Owned by the handler, for one request: the fields are views into it and into the request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "wire/http/fields/trace_context.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// Max-Forwards of a TRACE or OPTIONS (RFC 9110 7.6.2); at 0 the edge answers itself. Nothing: no
// such field, or another method.
std::optional<uint64_t> MaxForwards(const wire::http::RequestHead& request);

class ForwardedFields {
 public:
  struct Visitor {
    Endpoint peer;
    bool https = false;
    bool debug = false;             // asked for Meridian-Path, and may have it
    bool without_cookies = false;   // at the CDN's host
    bool underscores = false;       // [edge] underscores
    std::string_view loop_id = {};  // for CDN-Loop; empty: not signed
    const wire::http::RequestIds& ids;
  };

  ForwardedFields(const wire::http::RequestHead& request, const Visitor& visitor);
  ForwardedFields(const ForwardedFields&) = delete;
  ForwardedFields& operator=(const ForwardedFields&) = delete;

  const wire::http::HeaderFields& fields() const { return fields_; }

 private:
  std::string address_;
  std::string max_forwards_;
  wire::http::HeaderFields fields_;
};

}  // namespace meridian::edge
