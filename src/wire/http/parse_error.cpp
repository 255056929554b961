#include "wire/http/parse_error.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace meridian::wire::http {
namespace {

struct Description {
  ParseError error;
  std::string_view text;
};

// In the order of the enum, because Describe uses the value as index; the assertion below checks
// it.
constexpr std::array kDescriptions = {
    Description{ParseError::kBareLf, "a line ends with LF alone"},
    Description{ParseError::kBareCr, "a CR is not followed by LF"},
    Description{ParseError::kBadMethod, "the method is not a token"},
    Description{ParseError::kMethodTooLong, "the method is too long"},
    Description{ParseError::kBadTarget, "the request target is malformed"},
    Description{ParseError::kTargetFormForMethod,
                "the form of the request target does not fit the method"},
    Description{ParseError::kStartLineTooLong, "the start line is too long"},
    Description{ParseError::kBadVersion, "the protocol version is malformed"},
    Description{ParseError::kUnsupportedVersion, "the protocol version is not HTTP/1"},
    Description{ParseError::kBadStatusLine, "the status line is malformed"},
    Description{ParseError::kBadFieldName, "a field name is not a token"},
    Description{ParseError::kSpaceBeforeColon,
                "there is white space between a field name and its colon"},
    Description{ParseError::kFoldedField, "a field line begins with white space"},
    Description{ParseError::kBadFieldValue, "a field value holds a control character"},
    Description{ParseError::kTooManyFields, "there are too many fields"},
    Description{ParseError::kHeadTooLarge, "the head is too large"},
    Description{ParseError::kMissingHost, "Host is missing"},
    Description{ParseError::kRepeatedHost, "Host is repeated"},
    Description{ParseError::kBadHost, "Host is malformed"},
    Description{ParseError::kHostDisagreesWithTarget, "Host disagrees with the request target"},
    Description{ParseError::kBadContentLength, "Content-Length is not a number"},
    Description{ParseError::kRepeatedContentLength, "Content-Length is repeated"},
    Description{ParseError::kContentLengthWithTransferEncoding,
                "Content-Length and Transfer-Encoding are both present"},
    Description{ParseError::kBadTransferEncoding, "chunked is not the last transfer coding, once"},
    Description{ParseError::kUnknownTransferCoding, "a transfer coding is not supported"},
    Description{ParseError::kTransferEncodingInHttp10, "HTTP/1.0 has no Transfer-Encoding"},
    Description{ParseError::kTooManyConnectionOptions, "Connection has too many options"},
    Description{ParseError::kBadChunkSize, "a chunk size is malformed"},
    Description{ParseError::kChunkTooLarge, "a chunk is too large"},
    Description{ParseError::kBadChunkExtension, "a chunk extension is malformed"},
    Description{ParseError::kChunkExtensionTooLong, "chunk extensions are too long"},
    Description{ParseError::kBadChunkEnd, "a chunk does not end with CRLF"},
    Description{ParseError::kTrailersTooLarge, "the trailers are too large"},
};

static_assert([] {
  for (size_t i = 0; i < kDescriptions.size(); ++i) {
    if (static_cast<size_t>(kDescriptions[i].error) != i) return false;
  }
  return kDescriptions.back().error == ParseError::kTrailersTooLarge;
}());

}  // namespace

int StatusOf(ParseError error) {
  switch (error) {
    case ParseError::kBareLf:
    case ParseError::kBareCr:
    case ParseError::kBadMethod:
    case ParseError::kBadTarget:
    case ParseError::kTargetFormForMethod:
    case ParseError::kBadVersion:
    case ParseError::kBadStatusLine:
    case ParseError::kBadFieldName:
    case ParseError::kSpaceBeforeColon:
    case ParseError::kFoldedField:
    case ParseError::kBadFieldValue:
    case ParseError::kMissingHost:
    case ParseError::kRepeatedHost:
    case ParseError::kBadHost:
    case ParseError::kHostDisagreesWithTarget:
    case ParseError::kBadContentLength:
    case ParseError::kRepeatedContentLength:
    case ParseError::kContentLengthWithTransferEncoding:
    case ParseError::kBadTransferEncoding:
    case ParseError::kTransferEncodingInHttp10:
    case ParseError::kBadChunkSize:
    case ParseError::kBadChunkExtension:
    case ParseError::kChunkExtensionTooLong:
    case ParseError::kBadChunkEnd:
      return 400;
    case ParseError::kChunkTooLarge:
      return 413;
    case ParseError::kStartLineTooLong:
      return 414;
    case ParseError::kTooManyFields:
    case ParseError::kHeadTooLarge:
    case ParseError::kTooManyConnectionOptions:
    case ParseError::kTrailersTooLarge:
      return 431;
    case ParseError::kMethodTooLong:
    case ParseError::kUnknownTransferCoding:
      return 501;
    case ParseError::kUnsupportedVersion:
      return 505;
  }
  return 400;
}

std::string_view Describe(ParseError error) {
  return kDescriptions[static_cast<size_t>(error)].text;
}

}  // namespace meridian::wire::http
