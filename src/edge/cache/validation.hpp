// Conditional requests, of visitors against what is stored and of the cache against the origin
// (RFC 9110 13, RFC 9111 4.3). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/request_directives.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// What tells one representation from another. Views into the stored fields.
struct Validators {
  std::string_view etag = {};           // as the field has it, empty: none
  std::string_view last_modified = {};  // empty: none
  std::string_view date = {};

  bool any() const { return !etag.empty() || !last_modified.empty(); }
};
Validators ValidatorsOf(const wire::http::HeaderFields& fields);

bool IsStrongTag(std::string_view etag);

// Whether a visitor who asks `request` has the stored 200 already: 304 (RFC 9111 4.3.2).
// If-None-Match stands above If-Modified-Since.
bool IsNotModified(const CacheRequest& request, const Validators& stored, WallTime now);

// Adds If-None-Match and If-Modified-Since, to ask the origin whether `stored` still holds. What is
// confirmed at each use (`each_time`) is asked for by its entity tag alone, if it has one: an
// origin that looks at the date would confirm whatever page of another visitor is no newer.
void AddConditions(const Validators& stored, bool each_time, wire::http::HeaderFields* request);

// Whether a 304 to that speaks of the stored response (RFC 9111 4.3.4): by the strong validator it
// carries, else by a weak one, else, carrying none, because this is all that was asked about. Where
// it is confirmed at each use, and was asked for by a date alone, only by the same date.
bool Confirms(const wire::http::HeaderFields& not_modified, const Validators& stored,
              bool each_time);

// The stored fields as a 304 updates them (RFC 9111 3.2, 4.3.4): those that it has replace all of
// the same name, but what describes the stored body stays. Views into both.
wire::http::HeaderFields UpdatedFields(const wire::http::HeaderFields& stored,
                                       const wire::http::HeaderFields& not_modified);

// What the head of a 200 to HEAD says of the stored answer to GET (RFC 9111 4.3.5).
enum class HeadVerdict : uint8_t {
  kSame,   // it repeats the strong entity tag, or where there is none the date; nothing is another
  kOther,  // a validator is another, or the length: what is stored is out of date
  kUnknown,  // neither: a length of 0 tells nothing, as many answer any HEAD with that
};
HeadVerdict JudgeHead(const wire::http::ResponseHead& head, const Validators& stored,
                      uint64_t stored_length);

// Whether a 304 that is made here has this field of the 200's: all but what describes a body that
// the visitor has (RFC 9110 15.4.5). The rest rules the page by the newest answer: who may read it,
// what it may load.
bool BelongsIn304(std::string_view name);

}  // namespace meridian::edge
