// UTF-8 (RFC 3629): shortest forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace meridian {

// The length in bytes of the character at the front of `text`; 0 when none begins there.
size_t Utf8Length(std::string_view text);
// Whether all of `text` is UTF-8. An empty text is.
bool IsUtf8(std::string_view text);

}  // namespace meridian
