// Parses the request line (RFC 9112 3) and checks the Host field. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// Parses "METHOD SP TARGET SP HTTP/1.x" CRLF, single spaces only, into `head`: method, target and
// its parts, version. Returns the error, or nothing.
std::optional<ParseError> ParseRequestLine(std::string_view line, RequestHead* head);

// HTTP/1.1 has exactly one Host; it must be well-formed and agree with an absolute-form or
// authority-form target (RFC 9112 3.2). Sets `head->authority`.
std::optional<ParseError> CheckHost(RequestHead* head);

// Sets 0 for "HTTP/1.0" and 1 for "HTTP/1.1"; a higher minor version counts as 1.1 (RFC 9110 2.5).
std::optional<ParseError> ParseVersion(std::string_view text, int* minor_version);

}  // namespace meridian::wire::http
