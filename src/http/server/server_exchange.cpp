#include "http/server/server_exchange.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server_context.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/head_writer.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"
#include "wire/http/status.hpp"

namespace meridian::http {
namespace {

using Kind = wire::http::BodyFraming::Kind;
using wire::http::HeaderField;
using wire::http::HeadWriter;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

bool IsFraming(std::string_view name) {
  return wire::http::IsHopByHop(name) || wire::http::EqualsIgnoreCase(name, "content-length");
}

}  // namespace

ServerExchange::ServerExchange(ServerContext& context, io::Stream& stream, RequestMemory& memory)
    : context_(context),
      stream_(stream),
      memory_(memory),
      writer_(context.loop, stream, memory.out, context.limits.write_timeout),
      keep_alive_(memory.head.keep_alive) {}

io::Task<Result<Bytes>> ServerExchange::ReadBody() {
  body_begun_ = true;
  if (memory_.head.expects_continue && !started_ && !continue_sent_ && memory_.in.empty() &&
      !memory_.body.ended()) {
    Result<void> sent = co_await SendContinue();
    if (!sent) co_return Fail(std::move(sent.error()));
  }
  Result<Bytes> data =
      co_await memory_.body.Next(context_.loop, stream_, memory_.in, context_.limits.body_timeout);
  if (!data) body_error_ = data.error().code;
  co_return data;
}

std::optional<Bytes> ServerExchange::BodyAtHand() {
  const wire::http::BodyFraming& framing = memory_.head.body;
  if (body_begun_ || framing.kind != Kind::kContentLength || framing.length == 0) return {};
  Bytes there = memory_.in.readable();
  if (there.size() < framing.length) return {};
  return there.first(static_cast<size_t>(framing.length));
}

io::Task<Result<void>> ServerExchange::SendContinue() {
  Result<void> waited = co_await WaitForInterim();
  if (!waited || started_) co_return waited;
  continue_sent_ = interim_writing_ = true;
  Result<void> sent = co_await stream_.Write(AsBytes(kContinue),
                                             context_.loop.After(context_.limits.write_timeout));
  interim_bytes_ += kContinue.size();
  interim_writing_ = false;
  interim_done_.WakeAll();
  co_return sent;
}

io::Task<Result<void>> ServerExchange::WaitForInterim() {
  while (interim_writing_) {
    Result<void> done = co_await interim_done_.Wait();
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> ServerExchange::SendInterim(int status, wire::http::FieldsView fields) {
  if (started_ || status < 102 || status > 199) {
    co_return Fail(Errc::kInvalid, "an interim response with status {} cannot be sent now", status);
  }
  if (memory_.head.minor_version == 0) co_return Result<void>{};
  Result<void> waited = co_await WaitForInterim();
  if (!waited) co_return waited;
  HeadWriter head(&memory_.out);
  head.StatusLine(status);
  for (const HeaderField& field : fields) {
    if (!IsFraming(field.name)) head.Field(field);
  }
  if (!head.Finish()) co_return Fail(Errc::kInvalid, "the interim response cannot be written");
  interim_writing_ = true;
  Result<void> sent = co_await writer_.Flush();
  interim_writing_ = false;
  interim_done_.WakeAll();
  co_return sent;
}

wire::http::BodyFraming ServerExchange::FramingOf(const Response& response) const {
  bool no_body = memory_.head.method == "HEAD" || response.status == 204 || response.status == 304;
  if (no_body) return {};
  if (response.content_length) return {Kind::kContentLength, *response.content_length};
  return {memory_.head.minor_version == 1 ? Kind::kChunked : Kind::kUntilClose, 0};
}

bool ServerExchange::MayKeepAlive(bool leaves_body) const {
  if (!keep_alive_ || context_.retiring) return false;
  if (memory_.body.ended()) return true;
  if (body_error_) return false;
  // RFC 9110 10.1.1: a client that expects 100 may or may not send the body.
  if (memory_.head.expects_continue && !continue_sent_ && memory_.in.empty()) return false;
  // A handler that began to read, and did not set leaves_body, continues to read.
  if (body_begun_ && !leaves_body) return true;
  return memory_.body.EndsWithin(kMaxDiscardBytes, memory_.in);
}

Result<void> ServerExchange::Start(const Response& response) {
  if (started_) return Fail(Errc::kInvalid, "the response was begun already");
  if (response.status < 200) return Fail(Errc::kInvalid, "{} is no final status", response.status);
  wire::http::BodyFraming framing = FramingOf(response);
  until_close_ = framing.kind == Kind::kUntilClose;
  keep_alive_ = MayKeepAlive(response.leaves_body) && !until_close_ && !response.close;

  HeadWriter head(&memory_.out);
  head.StatusLine(response.status, response.reason);
  bool has_date = !response.lines.empty();
  head.CheckedLines(response.lines);
  for (const HeaderField& field : response.fields) {
    if (IsFraming(field.name)) continue;
    has_date = has_date || wire::http::EqualsIgnoreCase(field.name, "date");
    head.Field(field);
  }
  if (!has_date) head.Field("Date", context_.date.Now());
  // For HEAD and 304, the length of the body that GET would return.
  if (response.content_length && response.status != 204) {
    head.Field("Content-Length", *response.content_length);
  } else if (framing.kind == Kind::kChunked) {
    head.Field("Transfer-Encoding", "chunked");
  }
  if (response.status == 426 && !response.upgrade.empty()) {
    head.Field("Upgrade", response.upgrade);
    head.Field("Connection", keep_alive_ ? "upgrade" : "upgrade, close");
  } else if (!keep_alive_) {
    head.Field("Connection", "close");
  } else if (memory_.head.minor_version == 0) {
    head.Field("Connection", "keep-alive");
  }
  if (!head.Finish()) return Fail(Errc::kInvalid, "the response's head cannot be written");
  started_ = true;
  status_ = response.status;
  writer_.BeginBody(framing);
  return {};
}

io::Task<Result<void>> ServerExchange::Respond(Response response, Bytes body) {
  if (!response.content_length) response.content_length = body.size();
  response.leaves_body = true;
  Result<void> begun = Start(response);
  if (!begun) co_return begun;
  co_return co_await Finish(body, {});
}

io::Task<Result<void>> ServerExchange::Flush() {
  if (interim_writing_) {
    Result<void> waited = co_await WaitForInterim();
    if (!waited) co_return waited;
  }
  co_return co_await writer_.Flush();
}

io::Task<Result<void>> ServerExchange::Write(Bytes data) {
  if (interim_writing_) {
    Result<void> waited = co_await WaitForInterim();
    if (!waited) co_return waited;
  }
  co_return co_await writer_.Write(data);
}

io::Task<Result<void>> ServerExchange::Finish(Bytes last, wire::http::FieldsView trailers) {
  if (interim_writing_) {
    Result<void> waited = co_await WaitForInterim();
    if (!waited) co_return waited;
  }
  co_return co_await writer_.Finish(last, trailers);
}

void ServerExchange::Break() {
  broken_ = true;
  started_ = true;
  stream_.Abort();
}

io::Task<Result<Upgraded>> ServerExchange::Upgrade(std::string_view protocol,
                                                   wire::http::FieldsView fields) {
  wire::http::RequestHead& request = memory_.head;
  if (started_ || request.upgrade.empty() || request.body.has_body()) {
    co_return Fail(Errc::kInvalid, "the request cannot be upgraded");
  }
  HeadWriter head(&memory_.out);
  head.StatusLine(101);
  head.Field("Connection", "Upgrade");
  head.Field("Upgrade", protocol);
  for (const HeaderField& field : fields) {
    if (!IsFraming(field.name)) head.Field(field);
  }
  if (!head.Finish()) co_return Fail(Errc::kInvalid, "the 101 response cannot be written");
  started_ = upgraded_ = true;
  keep_alive_ = false;
  status_ = 101;
  writer_.BeginBody({});
  Result<void> sent = co_await writer_.Finish({}, {});
  if (!sent) co_return Fail(std::move(sent.error()));
  memory_.DetachHead();
  co_return Upgraded{stream_, memory_.in};
}

int ServerExchange::FailureStatus() const {
  if (!body_error_) return 500;
  switch (*body_error_) {
    case Errc::kTimeout:
      return 408;
    case Errc::kTooLarge:
      return memory_.body.parse_error().transform(wire::http::StatusOf).value_or(413);
    default:
      return 400;
  }
}

io::Task<bool> ServerExchange::End() {
  if (!started_) {
    int status = FailureStatus();
    if (status != 500) keep_alive_ = false;
    (void)co_await RespondText(*this, status, wire::http::ReasonPhrase(status));
  }
  if (upgraded_) co_return false;
  if (!writer_.complete() && !broken_) Break();
  if (broken_ || !keep_alive_) co_return false;
  co_return memory_.body.ended() || co_await DiscardBody();
}

io::Task<bool> ServerExchange::DiscardBody() {
  size_t discarded = 0;
  while (!memory_.body.ended()) {
    Result<Bytes> data =
        co_await memory_.body.Next(context_.loop, stream_, memory_.in, kLingerTimeout);
    if (!data) co_return false;
    discarded += data->size();
    if (discarded > kMaxDiscardBytes) co_return false;
  }
  co_return true;
}

}  // namespace meridian::http
