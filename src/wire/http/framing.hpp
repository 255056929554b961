// Derives the body framing and the state of the connection from the fields of a head (RFC 9112 6
// and 9). Request smuggling is refused here. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// Sets body, keep_alive, expects_continue, upgrade and nominates_fields of a request whose request
// line and fields are parsed. Stricter than RFC 9112 6.3 where that leaves a choice: refuses
// Content-Length together with Transfer-Encoding, more than one Content-Length even if equal, and
// any transfer coding except one `chunked`.
std::optional<ParseError> DeriveRequestFraming(RequestHead* head);

// The property of a request that affects the framing of its response.
enum class RequestKind : uint8_t { kOrdinary, kHead, kConnect };
RequestKind RequestKindOf(std::string_view method);

// The same for a response. A response to HEAD, a 1xx, 204 or 304, and a 2xx to CONNECT have no
// body, independent of the fields; malformed fields are refused there too.
std::optional<ParseError> DeriveResponseFraming(RequestKind request, ResponseHead* head);

}  // namespace meridian::wire::http
