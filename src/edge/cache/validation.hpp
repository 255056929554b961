// Validation: conditional requests of visitors, answered from the store, and of the cache to the
// origin (RFC 9110 13, RFC 9111 4.3). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "edge/cache/request_directives.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// The validators of a representation. Views into the stored fields.
struct Validators {
  std::string_view etag = {};           // the field's value; empty: none
  std::string_view last_modified = {};  // empty: none
  std::string_view date = {};

  bool any() const { return !etag.empty() || !last_modified.empty(); }
};
Validators ValidatorsOf(const wire::http::HeaderFields& fields);

bool IsStrongTag(std::string_view etag);

// Whether the answer to `request` is 304, as the client has the stored 200 already (RFC
// 9111 4.3.2). If-None-Match takes precedence over If-Modified-Since.
bool IsNotModified(const CacheRequest& request, const Validators& stored, WallTime now);

// Adds If-None-Match and If-Modified-Since, to validate `stored` with the origin. With `each_time`
// (each use needs validation) a response with an entity tag gets If-None-Match alone: an origin
// that compares the date would validate another visitor's page of the same age.
void AddConditions(const Validators& stored, bool each_time, wire::http::HeaderFields* request);

// Whether a 304 to that request selects the stored response (RFC 9111 4.3.4): by its strong
// validator, else by a weak one; a 304 without a validator does, as only one response was asked
// about. With `each_time` and a date alone, only a 304 that repeats the date does.
bool Confirms(const wire::http::HeaderFields& not_modified, const Validators& stored,
              bool each_time);

// The stored fields as a 304 updates them (RFC 9111 3.2, 4.3.4): its fields replace all of the same
// name, except fields that describe the stored body. Views into both.
wire::http::HeaderFields UpdatedFields(const wire::http::HeaderFields& stored,
                                       const wire::http::HeaderFields& not_modified);

// What the 200 to a HEAD shows of the stored response to GET (RFC 9111 4.3.5).
enum class HeadVerdict : uint8_t {
  kSame,     // it repeats the strong entity tag, or without one the date, and nothing differs
  kOther,    // a validator or the length differs: the stored response is outdated
  kUnknown,  // neither: a length of 0 shows nothing, as many servers send it with every HEAD
};
HeadVerdict JudgeHead(const wire::http::ResponseHead& head, const Validators& stored,
                      uint64_t stored_length);

// Whether a 304 that the edge makes repeats this field of the stored 200. It repeats all fields
// that do not describe the body (RFC 9110 15.4.5), so that the client gets changed policy and CORS
// fields.
bool BelongsIn304(std::string_view name);

}  // namespace meridian::edge
