// What the fields of a head say about the message's body and its connection (RFC 9112 6 and 9):
// the place where request smuggling is refused. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// Sets body, keep_alive, expects_continue, upgrade and nominates_fields of a request whose request
// line and fields are parsed. Stricter than RFC 9112 6.3 where it leaves a choice: both
// Content-Length and Transfer-Encoding, more than one Content-Length even if equal, and any
// transfer coding but one `chunked` are refused.
std::optional<ParseError> DeriveRequestFraming(RequestHead* head);

// What about the request decides the framing of its response.
enum class RequestKind : uint8_t { kOrdinary, kHead, kConnect };
RequestKind RequestKindOf(std::string_view method);

// The same for a response. One to HEAD, 1xx, 204, 304 and a 2xx to CONNECT have no body whatever
// the fields say; malformed fields are refused there too.
std::optional<ParseError> DeriveResponseFraming(RequestKind request, ResponseHead* head);

}  // namespace meridian::wire::http
