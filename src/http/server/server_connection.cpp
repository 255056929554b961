#include "http/server/server_connection.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/incoming_body.hpp"
#include "http/limits.hpp"
#include "http/server/server_exchange.hpp"
#include "io/fiber.hpp"
#include "io/net/handshakes.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/head_cursor.hpp"
#include "wire/http/head_writer.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"
#include "wire/http/status.hpp"

namespace meridian::http {
namespace {

using State = wire::http::HeadOutcome::State;

}  // namespace

bool ServerConnection::IsReceiving(uint64_t sent) const {
  return exchange_ == nullptr || exchange_->upgraded() || stream_->write_waits() ||
         sent_bytes() > sent;
}

uint64_t ServerConnection::sent_bytes() const {
  return sent_bytes_ + (exchange_ == nullptr ? 0 : exchange_->sent_bytes());
}

io::Task<void> ServerConnection::WatchClient(io::Fiber& serving) {
  if (!co_await stream_->PeerEnd()) co_return;
  uint64_t sent = sent_bytes();
  TimePoint timeout = context_.loop.After(context_.limits.half_close_timeout);
  Result<void> lost = co_await stream_->Hangup(timeout);
  bool silent = !lost && lost.error().code == Errc::kTimeout;
  if (silent && IsReceiving(sent)) {
    // A client that is gone answers sent bytes with a reset.
    silent = false;
    lost = co_await stream_->Hangup();
  }
  if (lost || silent) serving.Cancel();
}

io::Task<void> ServerConnection::Run(std::unique_ptr<io::Handshakes::Entry> handshake) {
  io::Fiber& serving = co_await io::ThisFiber{};
  if (handshake != nullptr && !co_await ShakeHands(std::move(handshake))) co_return;
  io::Scope watch(context_.loop);
  watch.Spawn(WatchClient(serving));
  co_await ServeRequests();
  watch.Cancel();
  co_await watch.Join();
}

io::Task<void> ServerConnection::RunRefused() {
  memory_ = context_.TakeMemory();
  refusal_ = {503, "too many connections"};
  co_await Finish();
}

io::Task<bool> ServerConnection::ShakeHands(std::unique_ptr<io::Handshakes::Entry> handshake) {
  TimePoint deadline = context_.loop.After(context_.limits.handshake_timeout);
  auto shaken = co_await context_.handshakes.Accept(std::move(handshake), context_.tls,
                                                    std::move(stream_), deadline);
  context_.group->Publish();
  if (shaken) stream_ = std::move(*shaken);
  co_return shaken.has_value();
}

io::Task<void> ServerConnection::ServeRequests() {
  bool more = true;
  while (more) {
    more = co_await ReadHead();
    if (more) more = co_await ServeOne();
  }
  co_await Finish();
}

io::Task<void> ServerConnection::Finish() {
  if (refusal_.status != 0) co_await Refuse();
  if (linger_) co_await Linger();
  stream_->Close();
  context_.GiveMemory(std::move(memory_));
}

io::Task<bool> ServerConnection::WaitIdle() {
  TimePoint deadline = context_.loop.After(context_.limits.idle_timeout);
  for (;;) {
    if (stream_->MaybeReadable()) {
      if (memory_ == nullptr) memory_ = context_.TakeMemory();
      MutableBytes space = SpaceToRead(memory_->in, kHeadReadBytes);
      Result<size_t> got = stream_->TryRead(space);
      if (!got || *got == 0) co_return false;
      if (*got != io::Stream::kBlocked) {
        memory_->in.Commit(*got);
        co_return true;
      }
    }
    context_.GiveMemory(std::move(memory_));
    if (context_.draining) co_return false;
    context_.idle.Add(*this);
    context_.group->Publish();
    Result<void> readable = co_await stream_->Readable(deadline);
    context_.idle.Remove(*this);
    context_.group->Publish();
    if (!readable) co_return false;
  }
}

bool ServerConnection::CloseIfWaiting() {
  if (stream_->MaybeReadable()) return false;
  stream_->Close();
  waits_in_->Remove(*this);
  return true;
}

io::Task<bool> ServerConnection::ReadHead() {
  if (memory_ == nullptr || memory_->in.empty()) {
    if (!co_await WaitIdle()) co_return false;
  }
  TimePoint deadline = context_.loop.After(context_.limits.header_timeout);
  while (!ParseHead()) {
    if (refusal_.status != 0) co_return false;
    if (first_) {
      context_.half_heads.Add(*this);
      context_.group->Publish();
    }
    Result<size_t> got = co_await stream_->Read(SpaceToRead(memory_->in, kHeadReadBytes), deadline);
    if (first_) {
      context_.half_heads.Remove(*this);
      context_.group->Publish();
    }
    if (!got && got.error().code == Errc::kTimeout) {
      refusal_ = {408, "the request's head did not come in time"};
    }
    if (!got || *got == 0) co_return false;
    memory_->in.Commit(*got);
  }
  co_return true;
}

bool ServerConnection::ParseHead() {
  RequestMemory& memory = *memory_;
  wire::http::HeadOutcome outcome = memory.parser.Parse(memory.in.text(), &memory.head);
  if (outcome.state == State::kNeedMore) return false;
  if (outcome.state == State::kError) {
    refusal_ = {StatusOf(outcome.error), Describe(outcome.error)};
    return false;
  }
  memory.head_bytes = outcome.consumed;
  if (memory.head.form == wire::http::TargetForm::kAuthority) {
    refusal_ = {501, "CONNECT is not supported"};
    return false;
  }
  // From here on each host has one spelling, here and at the upstreams.
  if (!wire::http::IsCanonicalAuthority(memory.head.authority)) {
    memory.authority = wire::http::CanonicalAuthority(memory.head.authority);
    memory.head.authority = memory.authority;
  }
  const wire::http::BodyFraming& framing = memory.head.body;
  if (framing.kind == wire::http::BodyFraming::Kind::kContentLength &&
      framing.length > context_.limits.max_body_bytes) {
    refusal_ = {413, "the body is too large"};
    return false;
  }
  return true;
}

io::Task<bool> ServerConnection::ServeOne() {
  RequestMemory& memory = *memory_;
  uint64_t head_bytes = memory.head_bytes;
  if (memory.head.body.has_body()) memory.DetachHead();
  memory.body.Begin(memory.head.body, context_.limits.max_body_bytes);

  ServerExchange exchange(context_, *stream_, memory);
  exchange.set_first_on_connection(std::exchange(first_, false));
  exchange_ = &exchange;
  co_await context_.handler(exchange);
  bool more = co_await exchange.End();
  exchange_ = nullptr;
  sent_bytes_ += exchange.sent_bytes();

  if (context_.metrics != nullptr) {
    context_.metrics->Answered(exchange.answered_status());
    context_.metrics->Received(head_bytes + memory.body.received());
    context_.metrics->Sent(exchange.sent_bytes());
  }
  memory.EndExchange();
  bool unread = !memory.body.ended() || !memory.in.empty() || stream_->MaybeReadable();
  linger_ = !more && exchange.wants_linger() && unread;
  co_return more;
}

io::Task<void> ServerConnection::Refuse() {
  RequestMemory& memory = *memory_;
  std::string_view phrase = wire::http::ReasonPhrase(refusal_.status);
  memory.out.Truncate(0);
  wire::http::HeadWriter head(&memory.out);
  head.StatusLine(refusal_.status);
  head.Field("Date", context_.date.Now());
  head.Field("Content-Type", "text/plain; charset=utf-8");
  head.Field("Content-Length", phrase.size() + 2 + refusal_.why.size() + 1);
  if (refusal_.status == 503) head.Field("Retry-After", "1");
  head.Field("Connection", "close");
  if (!head.Finish()) co_return;
  const Bytes pieces[] = {memory.out.readable(), AsBytes(phrase), AsBytes(": "),
                          AsBytes(refusal_.why), AsBytes("\n")};
  TimePoint deadline = context_.loop.After(context_.limits.write_timeout);
  Result<void> sent = co_await stream_->Write(pieces, deadline);
  if (context_.metrics != nullptr) context_.metrics->Answered(sent ? refusal_.status : 0);
  linger_ = sent.has_value();
}

io::Task<void> ServerConnection::Linger() {
  stream_->ShutdownWrite();
  TimePoint deadline = context_.loop.After(kLingerTimeout);
  for (size_t read = 0; read < kMaxLingerBytes;) {
    memory_->in.Consume(memory_->in.size());
    Result<size_t> got = co_await stream_->Read(SpaceToRead(memory_->in, kReadBytes), deadline);
    if (!got || *got == 0) co_return;
    read += *got;
  }
}

}  // namespace meridian::http
