// ParseError: the reason why a message was refused, and the status for it. One enum for the whole
// codec, so that one switch maps it to the wire.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::wire::http {

enum class ParseError : uint8_t {
  // Line structure, RFC 9112 2.2.
  kBareLf,
  kBareCr,
  // Start line, RFC 9112 3 and 4.
  kBadMethod,
  kMethodTooLong,
  kBadTarget,
  kTargetFormForMethod,
  kStartLineTooLong,
  kBadVersion,
  kUnsupportedVersion,
  kBadStatusLine,
  // Fields, RFC 9112 5.
  kBadFieldName,
  kSpaceBeforeColon,
  kFoldedField,
  kBadFieldValue,
  kTooManyFields,
  kHeadTooLarge,
  // Host, RFC 9112 3.2.
  kMissingHost,
  kRepeatedHost,
  kBadHost,
  kHostDisagreesWithTarget,
  // Framing and connection, RFC 9112 6 and 9.
  kBadContentLength,
  kRepeatedContentLength,
  kContentLengthWithTransferEncoding,
  kBadTransferEncoding,
  kUnknownTransferCoding,
  kTransferEncodingInHttp10,
  kTooManyConnectionOptions,
  // Chunked bodies, RFC 9112 7.1.
  kBadChunkSize,
  kChunkTooLarge,
  kBadChunkExtension,
  kChunkExtensionTooLong,
  kBadChunkEnd,
  kTrailersTooLarge,
};

// The status for a refused request: 400, 413, 414, 431, 501 or 505. (For a refused response a proxy
// answers 502.)
int StatusOf(ParseError error);

// The error for a log line or the answer's body: fixed text without any of the input.
std::string_view Describe(ParseError error);

}  // namespace meridian::wire::http
