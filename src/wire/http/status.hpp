// Status codes and methods (RFC 9110 9 and 15): what is registered about them. Pure.
#pragma once

#include <string_view>

namespace meridian::wire::http {

// The registered phrase, or "Status" for a code that has none.
std::string_view ReasonPhrase(int status);

// RFC 9110 9.2.1: asks for nothing but information.
bool IsSafeMethod(std::string_view method);
// RFC 9110 9.2.2: doing it twice is doing it once.
bool IsIdempotentMethod(std::string_view method);

}  // namespace meridian::wire::http
