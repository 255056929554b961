#include "edge/cache/range_answer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/request_directives.hpp"
#include "edge/cache/validation.hpp"
#include "wire/http/fields/byte_range.hpp"
#include "wire/http/fields/date.hpp"
#include "wire/http/fields/entity_tag.hpp"

namespace meridian::edge {
namespace {

bool IfRangeHolds(std::string_view condition, const Validators& stored, WallTime now) {
  if (condition.find('"') != std::string_view::npos) {
    auto asked = wire::http::ParseEntityTag(condition);
    auto own = wire::http::ParseEntityTag(stored.etag);
    return asked && own && wire::http::StrongMatch(*asked, *own);
  }
  if (condition != stored.last_modified) return false;
  auto modified = wire::http::ParseDate(stored.last_modified, now);
  auto date = wire::http::ParseDate(stored.date, now);
  return modified && date && *modified + kStrongDateMargin <= *date;
}

}  // namespace

wire::http::RangeOutcome PlanRange(const CacheRequest& request, const Validators& stored,
                                   uint64_t length, WallTime now) {
  if (!request.range || request.head) return {};
  if (request.if_range && !IfRangeHolds(*request.if_range, stored, now)) return {};
  return wire::http::ResolveRange(*request.range, length);
}

Multipart MakeMultipart(const wire::http::RangeOutcome& ranges, std::string_view type,
                        uint64_t length, uint64_t nonce) {
  std::string boundary = fmt::format("meridian{:016x}", nonce);
  Multipart multipart;
  multipart.content_type = fmt::format("multipart/byteranges; boundary={}", boundary);
  for (const wire::http::ByteRange& part : ranges.parts()) {
    std::string header = fmt::format("\r\n--{}\r\n", boundary);
    if (!type.empty()) header += fmt::format("Content-Type: {}\r\n", type);
    header += fmt::format("Content-Range: {}\r\n\r\n", wire::http::ContentRange(part, length));
    multipart.length += header.size() + part.size();
    multipart.headers.push_back(std::move(header));
  }
  multipart.end = fmt::format("\r\n--{}--\r\n", boundary);
  multipart.length += multipart.end.size();
  return multipart;
}

}  // namespace meridian::edge
