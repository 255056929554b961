// RequestIds: the ids that follow a request from hop to hop: `traceparent` and `tracestate` (W3C
// Trace Context level 2) and `X-Request-Id`. Pure; owned by the handler of the request.
//
// A valid traceparent is forwarded unchanged, because we record no spans: the application's span
// then becomes a child of the visitor's. A missing or invalid traceparent is replaced by a new
// trace, marked as sampled, so that an application whose sampler follows its parent records as it
// would without us.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {

inline constexpr std::string_view kRequestIdField = "X-Request-Id";
inline constexpr std::string_view kTraceParentField = "traceparent";
inline constexpr std::string_view kTraceStateField = "tracestate";

// Longer request ids of visitors are replaced.
constexpr size_t kMaxRequestIdBytes = 64;
// Limit of all tracestate fields of a request together (W3C Trace Context 3.3.1: 32 members; at
// least 512 characters are to be forwarded).
constexpr size_t kMaxTraceStateMembers = 32;
constexpr size_t kMaxTraceStateBytes = 512;

constexpr size_t kTraceParentBytes = 55;
constexpr size_t kTraceIdBytes = 32;

// `text` in version 00, if it is a traceparent: `00-TRACE_ID-PARENT_ID-FLAGS`, in lower case,
// neither id all zeros. For a higher version, the part that version 00 defines.
std::optional<std::array<char, kTraceParentBytes>> ParseTraceParent(std::string_view text);

// Whether `text` is safe in all logs and fields: letters, digits and `-_.:+/=@`, at most
// kMaxRequestIdBytes.
bool IsRequestId(std::string_view text);

class RequestIds {
 public:
  // Takes the ids of the request, and makes new ones for missing or invalid ids.
  RequestIds(const RequestHead& request, Random& random);

  std::string_view request_id() const { return {request_id_.data(), request_id_bytes_}; }
  std::string_view traceparent() const { return {traceparent_.data(), traceparent_.size()}; }
  std::string_view trace_id() const { return traceparent().substr(3, kTraceIdBytes); }

  // Adds the fields for the next hop; `request` is the constructor's. Their values are views into
  // this object and into the request.
  void AddTo(const RequestHead& request, HeaderFields* fields) const;

 private:
  void MakeTrace(Random& random);

  std::array<char, kMaxRequestIdBytes> request_id_;
  size_t request_id_bytes_ = 0;
  std::array<char, kTraceParentBytes> traceparent_;
  bool passes_state_ = false;
};

}  // namespace meridian::wire::http
