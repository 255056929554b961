// OwnRequest: a GET that the edge sends to its own cache for a visitor, without the visitor's
// cookies and credentials. It keeps the status and drops the body as it arrives: a cacheable
// response is in the store then. Owned by a fiber of the visitor's request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

class OwnRequest final : public http::Exchange {
 public:
  // For `target` (path and query) with the host and scheme of `visitor`. A body of more than
  // `max_body_bytes` is broken off. `visitor` and `target` outlive this.
  OwnRequest(http::Exchange& visitor, std::string_view target, uint64_t max_body_bytes);

  bool too_large() const { return too_large_; }
  // The `detail` of the response's Cache-Status: why it was not stored.
  const std::string& detail() const { return detail_; }

  const wire::http::RequestHead& request() const override { return head_; }
  io::Loop& loop() const override { return visitor_.loop(); }
  Endpoint peer() const override { return visitor_.peer(); }
  bool secure() const override { return visitor_.secure(); }
  io::Task<Result<Bytes>> ReadBody() override;
  std::optional<Bytes> BodyAtHand() override { return std::nullopt; }
  const wire::http::HeaderFields& request_trailers() const override { return no_fields_; }
  io::Task<Result<void>> SendInterim(int status, wire::http::FieldsView fields) override;
  io::Task<Result<void>> Respond(http::Response response, Bytes body) override;
  Result<void> Start(const http::Response& response) override;
  io::Task<Result<void>> Flush() override;
  io::Task<Result<void>> Write(Bytes data) override;
  io::Task<Result<void>> Finish(Bytes last, wire::http::FieldsView trailers) override;
  void Break() override {}
  int answered_status() const override { return too_large_ ? 0 : status_; }
  uint64_t sent_bytes() const override { return taken_; }
  io::Task<Result<http::Upgraded>> Upgrade(std::string_view protocol,
                                           wire::http::FieldsView fields) override;

 private:
  Result<void> Take(uint64_t bytes);

  http::Exchange& visitor_;
  const uint64_t max_body_bytes_;
  wire::http::RequestHead head_;
  wire::http::HeaderFields no_fields_;
  std::string detail_;
  uint64_t taken_ = 0;
  bool too_large_ = false;
};

}  // namespace meridian::edge
