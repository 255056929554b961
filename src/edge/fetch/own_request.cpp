#include "edge/fetch/own_request.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "edge/fetch/loop_detection.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

std::string_view DetailOf(std::string_view cache_status) {
  constexpr std::string_view kName = "; detail=";
  size_t at = cache_status.find(kName);
  return at == cache_status.npos ? "" : cache_status.substr(at + kName.size());
}

}  // namespace

OwnRequest::OwnRequest(http::Exchange& visitor, std::string_view target, uint64_t max_body_bytes)
    : visitor_(visitor), max_body_bytes_(max_body_bytes) {
  size_t end = std::min(target.find('?'), target.size());
  head_.method = "GET";
  head_.target = target;
  head_.authority = visitor.request().authority;
  head_.path = target.substr(0, end);
  if (end < target.size()) head_.query = target.substr(end + 1);
  // Keeps the count of passed edges, so that a loop of two edges ends.
  visitor.request().fields.ForEach("Via",
                                   [&](std::string_view via) { head_.fields.Add("Via", via); });
  visitor.request().fields.ForEach(
      kLoopField, [&](std::string_view ids) { head_.fields.Add(kLoopField, ids); });
}

Result<void> OwnRequest::Take(uint64_t bytes) {
  taken_ += bytes;
  too_large_ = too_large_ || taken_ > max_body_bytes_;
  if (too_large_) return Fail(Errc::kTooLarge, "more than {} bytes", max_body_bytes_);
  return {};
}

Result<void> OwnRequest::Start(const http::Response& response) {
  started_ = true;
  status_ = response.status;
  too_large_ = response.content_length.value_or(0) > max_body_bytes_;
  for (const wire::http::HeaderField& field : response.fields) {
    bool told = wire::http::EqualsIgnoreCase(field.name, "Cache-Status");
    if (told) detail_ = DetailOf(field.value);
  }
  return {};
}

io::Task<Result<void>> OwnRequest::Respond(http::Response response, Bytes body) {
  (void)Start(response);
  co_return Take(body.size());
}

io::Task<Result<void>> OwnRequest::Flush() { co_return Take(0); }

io::Task<Result<void>> OwnRequest::Write(Bytes data) { co_return Take(data.size()); }

io::Task<Result<void>> OwnRequest::Finish(Bytes last, wire::http::FieldsView /*trailers*/) {
  co_return Take(last.size());
}

io::Task<Result<Bytes>> OwnRequest::ReadBody() { co_return Bytes{}; }

io::Task<Result<void>> OwnRequest::SendInterim(int /*status*/, wire::http::FieldsView /*fields*/) {
  co_return Result<void>{};
}

io::Task<Result<http::Upgraded>> OwnRequest::Upgrade(std::string_view /*protocol*/,
                                                     wire::http::FieldsView /*fields*/) {
  co_return Fail(Errc::kInvalid, "an own request cannot be upgraded");
}

}  // namespace meridian::edge
