// Answers to Range requests from a whole stored 200 (RFC 9110 14, 15.3.7): one part, several as
// multipart/byteranges, or 416. Pure.
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

// The ranges that `request` asks for, of a representation of `length` bytes. kWhole when there is
// no Range, the method is HEAD (RFC 9110 14.2), or If-Range does not match the stored response
// (13.1.5: compared strongly, and a date only when it is a strong validator).
wire::http::RangeOutcome PlanRange(const CacheRequest& request, const Validators& stored,
                                   uint64_t length, WallTime now);

// The framing of a multipart/byteranges body (RFC 9110 14.6).
struct Multipart {
  std::string content_type;
  std::vector<std::string> headers;  // before each part
  std::string end;
  uint64_t length = 0;  // of the whole body
};

// `type` is the stored Content-Type, empty: none. `nonce` makes the boundary unpredictable, so that
// a body cannot contain it.
Multipart MakeMultipart(const wire::http::RangeOutcome& ranges, std::string_view type,
                        uint64_t length, uint64_t nonce);

}  // namespace meridian::edge
