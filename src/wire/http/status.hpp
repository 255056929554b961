// The registered properties of status codes and methods (RFC 9110 9 and 15). Pure.
#pragma once

#include <string_view>

namespace meridian::wire::http {

// The registered phrase, or "Status" for an unregistered code.
std::string_view ReasonPhrase(int status);

// RFC 9110 9.2.1: the method only reads.
bool IsSafeMethod(std::string_view method);
// RFC 9110 9.2.2: repeating the request has the same effect as one request.
bool IsIdempotentMethod(std::string_view method);

}  // namespace meridian::wire::http
