// The limits of the HTTP/1.1 codec. Members of HeadLimits may differ per deployment; limits that
// only attackers reach are constants.
#pragma once

#include <cstddef>

namespace meridian::wire::http {

struct HeadLimits {
  // Size of start line, field lines and the empty line, with their line ends. Past it: 431.
  size_t max_head_bytes = size_t{32} * 1024;
  // Size of the start line with its line end; RFC 9112 3 asks for at least 8000. Past it: 414.
  size_t max_start_line_bytes = size_t{8} * 1024;
  // Number of field lines. Past it: 431.
  size_t max_fields = 256;
};

constexpr size_t kMaxMethodBytes = 32;
// Elements of all Connection fields of one message.
constexpr size_t kMaxConnectionOptions = 16;
// 15 hexadecimal digits: a size below 2^60, so that no sum of sizes near it overflows.
constexpr size_t kMaxChunkSizeDigits = 15;
// Limits of the chunk extensions of one chunk, and of one body; no known client uses them.
constexpr size_t kMaxChunkExtensionBytes = 256;
constexpr size_t kMaxBodyExtensionBytes = size_t{4} * 1024;
constexpr size_t kMaxTrailerBytes = size_t{8} * 1024;
constexpr size_t kMaxTrailerFields = 32;
// Digits of a Content-Length (its value is below 2^63).
constexpr size_t kMaxContentLengthDigits = 19;
// Limit of a URL for ParseUrl (configuration, command lines).
constexpr size_t kMaxUrlBytes = size_t{8} * 1024;
// Limits of structured fields: the minimum that RFC 9651 3 requires of a parser.
constexpr size_t kMaxStructuredFieldBytes = size_t{32} * 1024;
constexpr size_t kMaxStructuredMembers = 1024;
constexpr size_t kMaxStructuredInnerItems = 256;
constexpr size_t kMaxStructuredParameters = 256;
// Limit of ranges answered one by one (RFC 9110 14.2 lets a server ignore more).
constexpr size_t kMaxByteRanges = 16;

}  // namespace meridian::wire::http
