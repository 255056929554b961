// Answers to Range requests from a whole stored 200 (RFC 9110 14, 15.3.7): one part, several as
// multipart/byteranges, or 416. Pure: says what to send, not how.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/byte_range.hpp"

namespace meridian::edge {

// What is asked of a representation of `length` bytes. The whole when there is no Range, the method
// is HEAD (RFC 9110 14.2), or If-Range names another representation than the stored one (13.1.5:
// compared strongly, and a date only when it is a strong validator).
wire::http::RangeOutcome PlanRange(const CacheRequest& request, const Validators& stored,
                                   uint64_t length, WallTime now);

// A multipart/byteranges body (RFC 9110 14.6): what stands before each part, and what ends it.
struct Multipart {
  std::string content_type;
  std::vector<std::string> headers;  // one for each part
  std::string end;
  uint64_t length = 0;  // of the whole body
};

// `type` is the stored Content-Type, empty when there is none; `nonce` makes the boundary one that
// the body's author could not foresee.
Multipart MakeMultipart(const wire::http::RangeOutcome& ranges, std::string_view type,
                        uint64_t length, uint64_t nonce);

}  // namespace meridian::edge
