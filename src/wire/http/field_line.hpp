// One field line (RFC 9112 5), of a head or of trailers. Pure.
#pragma once

#include <expected>
#include <string_view>

#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {

// Parses the first line of `lines`, which must end with LF, into views of it. Returns the line's
// size with its CRLF. Refused: white space in front of the line or of the colon, a name that is not
// a token, a control character or bare CR in the value, a line end without CR.
std::expected<size_t, ParseError> ParseFieldLine(std::string_view lines, HeaderField* field);

}  // namespace meridian::wire::http
